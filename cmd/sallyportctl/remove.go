package main

import (
	"context"

	"github.com/spf13/cobra"
	"github.com/varlink/go/varlink"

	account "sallyport/internal/api/iosallyportaccount"
)

func (a *app) remove() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "remove [DEVICE]",
		Short: "Remove a device, or two-factor login as a whole",
		Long: `Remove removes one of your devices, by its name or id, or the only one. With
--all it removes every device and the recovery codes. It asks for a code first.

For somebody who has lost phone and recovery codes root has sallyportctl
disable.`,
		Example: `  sallyportctl remove
  sallyportctl remove tablet
  sallyportctl remove --all`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			token := ""
			if len(args) > 0 {
				token = args[0]
			}
			if all && token != "" {
				return usageError{"--all removes every device: name none."}
			}
			return a.runRemove(cmd.Context(), token, all)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "remove every device and the recovery codes")
	return cmd
}

func (a *app) runRemove(ctx context.Context, token string, all bool) error {
	if token == "" && !all {
		st, err := a.secondFactor(ctx, "")
		if err != nil {
			return err
		}
		if len(st.Tokens) > 1 {
			return sentence("There are several devices: name one, or say --all. See which there are: sallyportctl status")
		}
	}
	code, err := a.ask(askCurrentCode)
	if err != nil {
		return err
	}
	err = a.call(ctx, func(ctx context.Context, c *varlink.Connection) error {
		return account.Remove().Call(ctx, c, nil, maybe(token), code)
	})
	if err != nil {
		return err
	}
	st, err := a.secondFactor(ctx, "")
	if err != nil {
		return err
	}
	if st.Enrolled {
		a.say("The device is removed; %d left.", len(st.Tokens))
	} else {
		a.say("Two-factor login is off for your account.")
	}
	return nil
}
