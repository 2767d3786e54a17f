package main

import (
	"context"

	"github.com/spf13/cobra"
	"github.com/varlink/go/varlink"

	admin "sallyport/internal/api/iosallyportadmin"
)

func (a *app) unlock() *cobra.Command {
	return &cobra.Command{
		Use:   "unlock USER...",
		Short: "Let users try again who gave too many wrong codes (root)",
		Long: `Unlock ends the locks of users and forgets their wrong codes. Delegates may do
it to the accounts that the policy gives them.`,
		Example: `  sallyportctl unlock alice`,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, users []string) error {
			return a.each(users, "%s is not locked.", func(user string) error {
				return a.call(cmd.Context(), func(ctx context.Context, c *varlink.Connection) error {
					return admin.Unlock().Call(ctx, c, user)
				})
			})
		},
	}
}
