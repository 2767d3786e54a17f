package main

import (
	"context"
	"fmt"
	"os/user"
	"strings"

	"github.com/spf13/cobra"
	"github.com/varlink/go/varlink"

	admin "sallyport/internal/api/iosallyportadmin"
)

// usersOptions are the wishes for a list of users.
type usersOptions struct {
	usersFilter
	sort        string
	asJSON, csv bool
}

// usersFilter says which users to list.
type usersFilter struct {
	locked, unenrolled bool
	group              string // empty: whichever
}

func (a *app) users() *cobra.Command {
	var o usersOptions
	cmd := &cobra.Command{
		Use:   "users",
		Short: "List the users who have a second factor, or those who have none",
		Long: `Users lists the users who have a second factor: their devices, since when, the
last login with a code, how many recovery codes are left, until when they are
locked, and by how many seconds a device's clock was off when it was last
resynchronised. Where a record cannot be used, its line says why.

Root sees everybody; a delegate who may "list" sees the accounts that the policy
gives it. With --unenrolled it lists those who have none: of all that the user
database lists, root and those from uid 1000 on who have a login shell.`,
		Example: `  sallyportctl users
  sallyportctl users --locked
  sallyportctl users --unenrolled --group sudo
  sallyportctl users --sort last --csv
  sallyportctl users --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runUsers(cmd.Context(), o) },
	}
	f := cmd.Flags()
	f.BoolVar(&o.locked, "locked", false, "only those who are locked")
	f.BoolVar(&o.unenrolled, "unenrolled", false, "those who have no second factor, instead")
	f.StringVar(&o.group, "group", "", "only the members of `GROUP`")
	f.StringVar(&o.sort, "sort", "name", "sort by `KEY`: "+strings.Join(userKeys(), ", "))
	f.BoolVar(&o.asJSON, "json", false, "print JSON: an array of io.sallyport.Admin's User")
	f.BoolVar(&o.csv, "csv", false, "print CSV, with a line of headings")
	_ = cmd.RegisterFlagCompletionFunc("sort", cobra.FixedCompletions(userKeys(), cobra.ShellCompDirectiveNoFileComp)) // the flag is there
	return cmd
}

func (a *app) runUsers(ctx context.Context, o usersOptions) error {
	if o.asJSON && o.csv {
		return usageError{"--json and --csv are two different outputs: say one."}
	}
	less, ok := userOrders()[o.sort]
	if !ok {
		return usageError{fmt.Sprintf("--sort %q must be one of: %s.", o.sort, strings.Join(userKeys(), ", "))}
	}
	if err := o.check(); err != nil {
		return err
	}
	var out usersOutput = newUsersTable(a.terminal)
	switch {
	case o.asJSON:
		out = &usersJSON{jsonArray{w: a.stdout}}
	case o.csv:
		out = newUsersCSV(a.stdout)
	}
	// The list comes by name. To sort it otherwise it has to be here as a whole.
	sorted := sortedUsers{less: less}
	take := out.add
	if less != nil {
		take = sorted.add
	}
	p := a.progress("users")
	defer p.done()
	err := a.eachUser(ctx, o.usersFilter, func(u admin.User) error {
		p.step()
		return take(u)
	})
	p.done()
	if err == nil && less != nil {
		err = sorted.give(out.add)
	}
	if err != nil {
		return err
	}
	return out.end()
}

// check says which group there is not, rather than that it has no members.
func (f usersFilter) check() error {
	if f.group == "" {
		return nil
	}
	if _, err := user.LookupGroup(f.group); err != nil {
		return sentence(fmt.Sprintf("This host has no group %q.", f.group))
	}
	return nil
}

// eachUser calls fn for each user of a list, as the daemon sends them.
func (a *app) eachUser(ctx context.Context, f usersFilter, fn func(admin.User) error) error {
	var failed error // of fn
	err := a.callLong(ctx, func(ctx context.Context, c *varlink.Connection) error {
		var group *string
		if f.group != "" {
			group = &f.group
		}
		receive, err := admin.Users().Send(ctx, c, varlink.More, &f.locked, &f.unenrolled, group)
		for err == nil {
			var users []admin.User
			var flags uint64
			if users, flags, err = receive(ctx); err != nil {
				break
			}
			for _, u := range users {
				if failed = fn(u); failed != nil {
					return nil
				}
			}
			if flags&varlink.Continues == 0 {
				break
			}
		}
		return err
	})
	if failed != nil {
		return failed
	}
	return err
}
