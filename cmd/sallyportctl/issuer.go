package main

import (
	"strconv"

	"github.com/spf13/cobra"
)

func (a *app) issuer() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "issuer [NAME]",
		Short: "Show or set the name that authenticator apps show (root)",
		Long: `Issuer shows the name under which authenticator apps list this host's accounts,
or sets it. The empty name "" is the host's. New set-ups use it; apps that are
set up already keep what they have.`,
		Example: `  sallyportctl issuer
  sallyportctl issuer "Example Hosting"
  sallyportctl issuer ""`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			changed := false
			if len(args) > 0 {
				value := strconv.Quote(args[0])
				var err error
				if changed, _, err = a.set(cmd.Context(), settingIssuer, &value); err != nil {
					return err
				}
			}
			p, err := a.runningPolicy(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				return a.writeJSON(issuerOf(p))
			}
			a.say("%s", issuerSentence(issuerOf(p), changed))
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON: issuer, shown_issuer")
	return cmd
}
