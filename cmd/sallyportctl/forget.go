package main

import (
	"context"

	"github.com/spf13/cobra"
	"github.com/varlink/go/varlink"

	account "sallyport/internal/api/iosallyportaccount"
)

func (a *app) forget() *cobra.Command {
	return &cobra.Command{
		Use:   "forget [USER]",
		Short: "Have your next login ask for a code, wherever it comes from; root: somebody's",
		Long: `Forget ends what the policy's setting remember does: where logins from a source
are not asked for a code again for some time, the next one is. It locks nobody
out, and ends no session.`,
		Example: `  sallyportctl forget
  sallyportctl forget alice`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			user := ""
			if len(args) > 0 {
				user = args[0]
			}
			err := a.call(cmd.Context(), func(ctx context.Context, c *varlink.Connection) error {
				return account.Forget().Call(ctx, c, maybe(user))
			})
			if err != nil {
				return err
			}
			a.say("No login is remembered any more: the next one is asked for a code again.")
			return nil
		},
	}
}
