package main

import (
	"context"

	"github.com/spf13/cobra"
	"github.com/varlink/go/varlink"

	account "sallyport/internal/api/iosallyportaccount"
)

func (a *app) recoveryCodes() *cobra.Command {
	return &cobra.Command{
		Use:   "recovery-codes",
		Short: "Replace your recovery codes by new ones",
		Long: `Recovery-codes replaces your recovery codes by new ones, which are shown once;
the old ones stop working. It asks for a code first. How many are left says
sallyportctl status.`,
		Example: `  sallyportctl recovery-codes`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			code, err := a.ask(askCurrentCode)
			if err != nil {
				return err
			}
			var codes []string
			err = a.call(cmd.Context(), func(ctx context.Context, c *varlink.Connection) (err error) {
				codes, err = account.RecoveryCodes().Call(ctx, c, nil, code)
				return err
			})
			if err != nil {
				return err
			}
			a.showRecoveryCodes(codes)
			return nil
		},
	}
}
