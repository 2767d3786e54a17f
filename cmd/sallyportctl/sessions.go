package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/varlink/go/varlink"

	admin "sallyport/internal/api/iosallyportadmin"
)

func (a *app) sessions() *cobra.Command {
	var user string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "sessions",
		Short: "List who is logged in: your own sessions; root: everybody's",
		Long: `Sessions lists the sessions that are open. A session is what one host has open
for one user; each line is a login of it: a shell with all that runs over the
same connection, a console, a tab of a panel. What counts, how many a user may
have, and what happens beyond that is in the policy's [sessions].`,
		Example: `  sallyportctl sessions
  sallyportctl sessions --user alice --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, err := a.openSessions(cmd.Context(), user)
			if err != nil {
				return err
			}
			if asJSON {
				return a.writeJSON(all)
			}
			a.showSessions(all)
			return nil
		},
	}
	cmd.Flags().StringVar(&user, "user", "", "those of `USER`")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON: a list of io.sallyport.Admin's Session")
	cmd.AddCommand(a.endSession())
	return cmd
}

// openSessions asks for the sessions of a user or, where it is empty, of everybody whom the caller may ask for.
func (a *app) openSessions(ctx context.Context, user string) (all []admin.Session, err error) {
	err = a.call(ctx, func(ctx context.Context, c *varlink.Connection) (err error) {
		all, err = admin.Sessions().Call(ctx, c, maybe(user))
		return err
	})
	return all, err
}

func (t terminal) showSessions(all []admin.Session) {
	if len(all) == 0 {
		t.say("No session is open.")
		return
	}
	w := tabwriter.NewWriter(t.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SESSION\tUSER\tFROM\tSERVICE\tTERMINAL\tSINCE\tPROCESS")
	for _, s := range all {
		for _, window := range s.Windows {
			terminals := strings.Join(window.Terminals, ",")
			if terminals == "" {
				terminals = "-"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%d\n", s.Id, s.User, s.Source, window.Service, terminals, when(window.Since), window.Pid)
		}
	}
	_ = w.Flush() // standard output: who reads it has gone
}

func (a *app) endSession() *cobra.Command {
	var user string
	var yes bool
	cmd := &cobra.Command{
		Use:   "end {ID | --user USER}",
		Short: "End a session, or all of a user's",
		Long: `End ends a session with all its logins: each is told on its terminal, and ended
through logind or, where that does not do, by SIGTERM and SIGKILL. Everybody may
end their own; root, and delegates who may "sessions", those of others.

It asks first. Without a terminal to ask on it needs --yes.`,
		Example: `  sallyportctl sessions end --yes --user alice`,
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id := strings.Join(args, "")
			if (id == "") == (user == "") {
				return usageError{"Name either a session or, with --user, a user all of whose sessions are to end."}
			}
			return a.end(cmd.Context(), id, user, yes)
		},
	}
	cmd.Flags().StringVar(&user, "user", "", "all sessions of `USER`")
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return cmd
}

// end ends the session id, or all of a user's.
func (a *app) end(ctx context.Context, id, user string, yes bool) error {
	all, err := a.openSessions(ctx, user)
	if err != nil {
		return err
	}
	question := fmt.Sprintf("End all %d sessions of %s?", len(all), user)
	if id != "" {
		i := slices.IndexFunc(all, func(s admin.Session) bool { return s.Id == id })
		if i < 0 {
			return refusal{&admin.NoSuchSession{Id: id}}
		}
		user = all[i].User
		question = fmt.Sprintf("End the session %s of %s, from %s since %s?", id, user, all[i].Source, when(all[i].Since))
	}
	if len(all) == 0 {
		a.say("%s has no session open.", user)
		return nil
	}
	if !yes {
		if err := a.agree(question); err != nil {
			return err
		}
	}
	var ended int64
	err = a.call(ctx, func(ctx context.Context, c *varlink.Connection) (err error) {
		ended, err = admin.EndSession().Call(ctx, c, user, maybe(id))
		return err
	})
	if err != nil {
		return err
	}
	sessions := "sessions"
	if ended == 1 {
		sessions = "session"
	}
	a.say("%d %s of %s ended.", ended, sessions, user)
	return nil
}
