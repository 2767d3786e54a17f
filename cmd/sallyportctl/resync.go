package main

import (
	"context"

	"github.com/spf13/cobra"
	"github.com/varlink/go/varlink"

	account "sallyport/internal/api/iosallyportaccount"
)

func (a *app) resync() *cobra.Command {
	var user string
	cmd := &cobra.Command{
		Use:   "resync [DEVICE]",
		Short: "Bring a device whose codes are refused into step again",
		Long: `Resync asks for two codes that a device shows one after the other, or reads them
from standard input, one to a line. From them it finds how far the device's
clock or counter is off. Name the device where there are several.`,
		Example: `  sallyportctl resync
  sallyportctl resync tablet`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			token := ""
			if len(args) > 0 {
				token = args[0]
			}
			code1, err := a.ask(askFirstCode)
			if err != nil {
				return err
			}
			code2, err := a.ask(askSecondCode)
			if err != nil {
				return err
			}
			err = a.call(cmd.Context(), func(ctx context.Context, c *varlink.Connection) error {
				return account.Resync().Call(ctx, c, maybe(user), maybe(token), code1, code2)
			})
			if err != nil {
				return err
			}
			a.say("The device is in step again.")
			return nil
		},
	}
	cmd.Flags().StringVar(&user, "user", "", "do it for `USER` (root)")
	return cmd
}
