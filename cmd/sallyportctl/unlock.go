package main

import (
	"context"

	"github.com/spf13/cobra"
	"github.com/varlink/go/varlink"

	admin "sallyport/internal/api/iosallyportadmin"
)

func (a *app) unlock() *cobra.Command {
	var t targets
	cmd := &cobra.Command{
		Use:   "unlock USER... | --all | --group GROUP",
		Short: "Let users try again who gave too many wrong codes (root)",
		Long: `Unlock ends the locks of users and forgets their wrong codes. Delegates may do
it to the accounts that the policy gives them.`,
		Example: `  sallyportctl unlock alice
  sallyportctl unlock --group students
  sallyportctl unlock --all`,
		RunE: func(cmd *cobra.Command, users []string) error {
			t.users = users
			return a.runUnlock(cmd.Context(), t)
		},
	}
	t.flags(cmd, "all users who are locked")
	return cmd
}

func (a *app) runUnlock(ctx context.Context, t targets) error {
	// Who has no second factor can be locked as well.
	users, err := a.resolve(ctx, &t, usersFilter{locked: true}, usersFilter{locked: true, unenrolled: true})
	if err != nil {
		return err
	}
	if len(users) == 0 {
		a.say("Nobody there is locked.")
		return nil
	}
	return a.each(t, users, "%s is not locked.", "Unlocked", func(user string) error {
		return a.call(ctx, func(ctx context.Context, c *varlink.Connection) error {
			return admin.Unlock().Call(ctx, c, user)
		})
	})
}
