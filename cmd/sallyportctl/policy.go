package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"sallyport/internal/policy"
)

func (a *app) policy() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "policy",
		Short: "Check, explain, show and change the policy",
		Long: `Check, explain and show read the policy's files themselves, so they work before
a change counts, and without the daemon. The others ask the daemon, as root:
what they change goes into sallyport.d/50-managed.toml, and holds at once.`,
		Example: `  sallyportctl policy status
  sallyportctl policy check
  sallyportctl policy explain alice --service sshd --from 192.0.2.7`,
		Args: cobra.NoArgs,
		RunE: needSubcommand,
	}
	cmd.AddCommand(
		a.policyCheck(), a.policyExplain(), a.policyShow(),
		a.policyStatus(), a.policyEnable(), a.policyDisable(), a.policyAPI(), a.policySet(), a.policyUnset(),
	)
	return cmd
}

// needSubcommand is what a command does that only groups others.
func needSubcommand(cmd *cobra.Command, _ []string) error {
	return usageError{fmt.Sprintf("%s needs a command.", cmd.CommandPath())}
}

// setting is a policy's setting in JSON.
type setting struct {
	Name    string    `json:"name"`
	Value   string    `json:"value"` // as TOML
	File    string    `json:"file,omitempty"`
	Line    int       `json:"line,omitempty"`
	Why     string    `json:"why"`
	Skipped []skipped `json:"skipped,omitempty"`
}

type skipped struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Why  string `json:"why"`
}

func settings(from []policy.Setting) []setting {
	all := make([]setting, len(from))
	for i, s := range from {
		all[i] = setting{Name: s.Name, Value: s.Value, File: s.File, Line: s.Line, Why: s.Why}
		for _, r := range s.Skipped {
			all[i].Skipped = append(all[i].Skipped, skipped{r.File, r.Line, r.Why})
		}
	}
	return all
}

// origin is where a setting comes from: "default", or "FILE:LINE".
func (s setting) origin() string {
	if s.File == "" {
		return s.Why
	}
	return fmt.Sprintf("%s:%d", s.File, s.Line)
}
