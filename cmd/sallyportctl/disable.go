package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/varlink/go/varlink"

	admin "sallyport/internal/api/iosallyportadmin"
)

func (a *app) disable() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "disable USER...",
		Short: "Remove users' second factors, so that they set them up again (root)",
		Long: `Disable removes the second factors of users: devices, recovery codes and locks.
It is the way to help somebody who has lost the phone; the user sets it up
again. Delegates may do it to the accounts that the policy gives them.

It asks first. Without a terminal to ask on it needs --yes.`,
		Example: `  sallyportctl disable alice
  sallyportctl disable --yes alice bob`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, users []string) error {
			if !yes {
				if err := a.agree(fmt.Sprintf("Remove the second factor of %s?", strings.Join(users, ", "))); err != nil {
					return err
				}
			}
			return a.each(users, "%s can set up a new second factor now.", func(user string) error {
				return a.call(cmd.Context(), func(ctx context.Context, c *varlink.Connection) error {
					return admin.Disable().Call(ctx, c, user)
				})
			})
		},
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return cmd
}

// each does something to several users. Where it fails for one it goes on with the others, and says so.
func (a *app) each(users []string, done string, do func(user string) error) error {
	failed := false
	for _, user := range users {
		if err := do(user); err != nil {
			failed = true
			a.fail(fmt.Errorf("%s: %w", user, err))
			continue
		}
		a.say(done, user)
	}
	if failed {
		return errSaid
	}
	return nil
}
