package main

import (
	"context"

	"github.com/spf13/cobra"
	"github.com/varlink/go/varlink"

	account "sallyport/internal/api/iosallyportaccount"
)

func (a *app) confirm() *cobra.Command {
	var user string
	cmd := &cobra.Command{
		Use:   "confirm ID",
		Short: "Finish a set-up by the device's first code",
		Long: `Confirm finishes what sallyportctl enroll --no-confirm began, and said the ID
of. It asks for the device's first code, or reads it from standard input.`,
		Example: `  sallyportctl confirm 0123456789abcdef0123456789abcdef
  echo 123456 | sallyportctl confirm 0123456789abcdef0123456789abcdef`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.finishSetup(cmd.Context(), user, args[0]) },
	}
	cmd.Flags().StringVar(&user, "user", "", "confirm it for `USER` (root, where the policy says admins_may_enroll)")
	return cmd
}

// confirmSetup gives a set-up its first code, and shows what comes of it.
func (a *app) confirmSetup(ctx context.Context, user, id, code string) error {
	var token string
	var codes []string
	err := a.call(ctx, func(ctx context.Context, c *varlink.Connection) (err error) {
		token, codes, err = account.Confirm().Call(ctx, c, maybe(user), id, code)
		return err
	})
	if err != nil {
		return err
	}
	a.say("The device %q is set up.", token)
	if len(codes) > 0 {
		a.showRecoveryCodes(codes)
	}
	return nil
}
