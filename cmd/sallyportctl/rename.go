package main

import (
	"context"

	"github.com/spf13/cobra"
	"github.com/varlink/go/varlink"

	account "sallyport/internal/api/iosallyportaccount"
)

func (a *app) rename() *cobra.Command {
	return &cobra.Command{
		Use:   "rename DEVICE NAME",
		Short: "Give one of your devices another name",
		Long: `Rename gives one of your devices, by its name or id, another name. The device
makes the same codes as before, so no code is asked for.`,
		Example: `  sallyportctl rename phone "old phone"`,
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			err := a.call(cmd.Context(), func(ctx context.Context, c *varlink.Connection) error {
				return account.Rename().Call(ctx, c, nil, args[0], args[1])
			})
			if err != nil {
				return err
			}
			a.say("The device is called %q now.", args[1])
			return nil
		},
	}
}
