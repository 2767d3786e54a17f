package main

import (
	"context"

	"github.com/spf13/cobra"
	"github.com/varlink/go/varlink"

	admin "sallyport/internal/api/iosallyportadmin"
	"sallyport/internal/policy"
)

func (a *app) policySet() *cobra.Command {
	return &cobra.Command{
		Use:   "set NAME VALUE",
		Short: "Change a setting of the policy's tables (root)",
		Long: `Set has the daemon write a setting into sallyport.d/50-managed.toml, and it
holds at once. Names are those that "policy show" prints. Values are TOML; a
word that is none is taken as a string.

Nothing is changed where the policy would have problems, or where a file that is
read after that one sets the same.`,
		Example: `  sallyportctl policy set codes.window 2
  sallyportctl policy set sessions.excess deny
  sallyportctl policy set clock.servers '["ntp.example.org", "192.0.2.1"]'`,
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: completeSetting,
		RunE: func(cmd *cobra.Command, args []string) error {
			value := policy.Literal(args[1])
			return a.runPolicySet(cmd.Context(), args[0], &value)
		},
	}
}

func (a *app) policyUnset() *cobra.Command {
	return &cobra.Command{
		Use:   "unset NAME",
		Short: `Take back what "policy set" changed (root)`,
		Long: `Unset has the daemon take a setting out of sallyport.d/50-managed.toml. What the
other files say holds again, or the default.`,
		Example: `  sallyportctl policy unset codes.window`,
		Args:    cobra.ExactArgs(1),

		ValidArgsFunction: completeSetting,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.runPolicySet(cmd.Context(), args[0], nil) },
	}
}

// completeSetting offers the names of settings.
func completeSetting(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return policy.SettingNames(), cobra.ShellCompDirectiveNoFileComp
}

func (a *app) runPolicySet(ctx context.Context, name string, value *string) error {
	changed, s, err := a.set(ctx, name, value)
	if err != nil {
		return err
	}
	if changed {
		a.say("%s is %s now (%s).", s.Name, s.Value, s.origin())
	} else {
		a.say("%s is %s already (%s).", s.Name, s.Value, s.origin())
	}
	return nil
}

// set has the daemon change one setting, or take it back where value is nil. It gives the setting as it is now, and
// whether it is not what it was.
func (a *app) set(ctx context.Context, name string, value *string) (changed bool, s setting, err error) {
	err = a.call(ctx, func(ctx context.Context, c *varlink.Connection) error {
		names, now, err := admin.Set().Call(ctx, c, map[string]*string{name: value})
		for _, n := range now {
			s = setting{Name: n.Name, Value: n.Value, File: n.File, Line: int(n.Line), Why: n.Why}
		}
		changed = len(names) > 0
		return err
	})
	return changed, s, err
}
