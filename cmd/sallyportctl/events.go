package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
)

// eventsOptions say which events to show, and how.
type eventsOptions struct {
	user, since    string
	lines          int // the last so many; 0: all
	follow, asJSON bool
}

func (a *app) events() *cobra.Command {
	const last = 20
	o := eventsOptions{lines: last}
	cmd := &cobra.Command{
		Use:   "events",
		Short: "Show what happened: logins, set-ups, changes, refusals",
		Long: `Events shows Sallyport's entries in the journal, one to a line: the last 20, or
all since a time. It reads them by journalctl, so it shows what you may read
there: root and the members of the groups adm and systemd-journal, all.

Anybody can write to the journal. An entry that a process of another user than
root has sent is shown with that user's uid.

With --follow it goes on until you stop it, and --json prints one object to a
line.`,
		Example: `  sallyportctl events
  sallyportctl events --user alice --since yesterday
  sallyportctl events --since "2026-11-24 08:00" --json
  sallyportctl events -n 100`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.lines < 0 {
				return usageError{fmt.Sprintf("--lines %d must be 0, for all, or more.", o.lines)}
			}
			if o.since != "" && !cmd.Flags().Changed("lines") {
				o.lines = 0
			}
			return a.runEvents(cmd.Context(), o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.user, "user", "", "only what is about `USER`")
	f.StringVar(&o.since, "since", "", "all since a `TIME`, as journalctl(1) takes it: today, -1h, 2026-11-24 08:00")
	f.IntVarP(&o.lines, "lines", "n", last, "only the last `N`; 0: all")
	f.BoolVarP(&o.follow, "follow", "f", false, "go on with what happens from now on")
	f.BoolVar(&o.asJSON, "json", false, "print JSON: an array of events")
	return cmd
}

func (a *app) runEvents(ctx context.Context, o eventsOptions) error {
	shown := 0
	array := jsonArray{w: a.stdout}
	err := a.readJournal(ctx, o.arguments(a.root), func(e event) error {
		shown++
		switch {
		case o.asJSON && o.follow:
			return a.writeJSONLine(e)
		case o.asJSON:
			return array.add(e)
		}
		a.showEvent(e)
		return nil
	})
	if err == nil && shown == 0 {
		err = checkJournal(a.root)
	}
	switch {
	case err != nil:
		return err
	case o.asJSON && !o.follow:
		return array.end()
	case shown == 0 && !o.asJSON:
		a.say("There are none.")
	}
	return nil
}

// showEvent prints an event as a line.
func (a *app) showEvent(e event) {
	text := printable(e.Message)
	if e.Sender != "" {
		text += fmt.Sprintf(" [sent by uid %s, not by root]", printable(e.Sender))
	}
	const warning = 4 // syslog(3)
	if e.Priority <= warning {
		text = a.in(yellow, text)
	}
	a.say("%s  %s", e.Time.Local().Format("2006-01-02 15:04:05"), text)
}
