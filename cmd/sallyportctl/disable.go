package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/varlink/go/varlink"

	admin "sallyport/internal/api/iosallyportadmin"
)

func (a *app) disable() *cobra.Command {
	var t targets
	var yes bool
	cmd := &cobra.Command{
		Use:   "disable USER... | --all | --group GROUP",
		Short: "Remove users' second factors, so that they set them up again (root)",
		Long: `Disable removes the second factors of users: devices, recovery codes, locks, and
what sources are remembered. It is the way to help somebody who has lost the
phone; the user sets it up again. Delegates may do it to the accounts that the
policy gives them.

With --all and --group your own account is left alone, and so is that of the
person who became root by sudo or su. To remove it, name it.

It asks first. Without a terminal to ask on it needs --yes.`,
		Example: `  sallyportctl disable alice
  sallyportctl disable --yes alice bob
  sallyportctl disable --group students
  sallyportctl disable --all`,
		RunE: func(cmd *cobra.Command, users []string) error {
			t.users = users
			return a.runDisable(cmd.Context(), t, yes)
		},
	}
	t.flags(cmd, "all users but your own")
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return cmd
}

func (a *app) runDisable(ctx context.Context, t targets, yes bool) error {
	users, err := a.resolve(ctx, &t, usersFilter{})
	if err != nil {
		return err
	}
	if t.many() {
		users = a.spareOwn(users)
	}
	if len(users) == 0 {
		a.say("Nobody else there has a second factor.")
		return nil
	}
	if !yes {
		if err := a.agree(fmt.Sprintf("Remove the second factor of %s?", listOf(users))); err != nil {
			return err
		}
	}
	return a.each(t, users, "%s can set up a new second factor now.", "Removed", func(user string) error {
		return a.call(ctx, func(ctx context.Context, c *varlink.Connection) error {
			return admin.Disable().Call(ctx, c, user)
		})
	})
}
