package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"
)

// What the two switches of the policy are called in its tables.
const (
	settingEnabled  = "enabled"
	settingAPI      = "api.enabled"
	settingServices = "api.services"
	settingIssuer   = "issuer"
)

func (a *app) policyEnable() *cobra.Command {
	return &cobra.Command{
		Use:   "enable",
		Short: "Switch two-factor login on (root)",
		Long: `Enable switches two-factor login on, for this host: users can set it up, and
who has is asked for codes again.`,
		Example: `  sallyportctl policy enable`,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.runSwitch(cmd.Context(), true) },
	}
}

func (a *app) policyDisable() *cobra.Command {
	return &cobra.Command{
		Use:   "disable",
		Short: "Switch two-factor login off (root)",
		Long: `Disable switches two-factor login off, for this host: nobody is asked for a
code, and nobody can set one up. What has been set up is kept, and works again
once "policy enable" is given.`,
		Example: `  sallyportctl policy disable`,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.runSwitch(cmd.Context(), false) },
	}
}

func (a *app) runSwitch(ctx context.Context, on bool) error {
	changed, err := a.switchTo(ctx, settingEnabled, on)
	if err != nil {
		return err
	}
	a.say("%s", switchSentence(on, changed))
	return nil
}

func (a *app) policyAPI() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "api",
		Short: "Say whether programs need a code, too",
		Long: `The services in api.services are programs that log in with a user's name and
password. With the switch on they must give the user's code: in Verify, or
behind the password (the module's option split_password). With it off they are
not asked.`,
		Example: `  sallyportctl policy api enable
  sallyportctl policy api disable`,
		Args: cobra.NoArgs,
		RunE: needSubcommand,
	}
	for _, on := range []bool{true, false} {
		use, short := "disable", "Let programs in without a code (root)"
		if on {
			use, short = "enable", "Have programs give a code (root)"
		}
		cmd.AddCommand(&cobra.Command{
			Use:     use,
			Short:   short,
			Example: "  sallyportctl policy api " + use,
			Args:    cobra.NoArgs,
			RunE:    func(cmd *cobra.Command, _ []string) error { return a.runAPISwitch(cmd.Context(), on) },
		})
	}
	return cmd
}

func (a *app) runAPISwitch(ctx context.Context, on bool) error {
	changed, err := a.switchTo(ctx, settingAPI, on)
	if err != nil {
		return err
	}
	p, err := a.runningPolicy(ctx)
	if err != nil {
		return err
	}
	a.say("%s", apiSentence(on, changed))
	if p[settingServices].Value == "[]" {
		a.say("No service is a program's yet. To name them: sallyportctl policy set %s '[\"SERVICE\"]'", settingServices)
	}
	return nil
}

// switchTo has a switch be on or off, and reports whether it was not.
func (a *app) switchTo(ctx context.Context, name string, on bool) (changed bool, err error) {
	value := strconv.FormatBool(on)
	changed, now, err := a.set(ctx, name, &value)
	if err == nil && now.Value != value {
		err = sentence(fmt.Sprintf("%s is %s still.", name, now.Value))
	}
	return changed, err
}
