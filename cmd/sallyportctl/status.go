package main

import (
	"context"

	"github.com/spf13/cobra"
	"github.com/varlink/go/varlink"

	account "sallyport/internal/api/iosallyportaccount"
)

func (a *app) statusCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status [USER]",
		Short: "Show how your second factor stands; root: somebody's",
		Example: `  sallyportctl status
  sallyportctl status alice --json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			user := ""
			if len(args) > 0 {
				user = args[0]
			}
			st, err := a.secondFactor(cmd.Context(), user)
			if err != nil {
				return err
			}
			if asJSON {
				return a.writeJSON(st)
			}
			a.showStatus(st)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON: io.sallyport.Account's SecondFactor")
	return cmd
}

// secondFactor asks how a second factor stands; of the caller where user is empty.
func (a *app) secondFactor(ctx context.Context, user string) (st account.SecondFactor, err error) {
	err = a.call(ctx, func(ctx context.Context, c *varlink.Connection) (err error) {
		st, err = account.Status().Call(ctx, c, maybe(user))
		return err
	})
	return st, err
}
