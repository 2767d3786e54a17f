package main

import (
	"context"
	"encoding/json"
	"os"

	"github.com/spf13/cobra"
	"github.com/varlink/go/varlink"

	admin "sallyport/internal/api/iosallyportadmin"
)

func (a *app) policyStatus() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show whether two-factor login is on, and for programs too (root)",
		Long:  `Status asks the daemon which policy it runs: both switches, and the issuer.`,
		Example: `  sallyportctl policy status
  sallyportctl policy status --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := a.runningPolicy(cmd.Context())
			if err != nil {
				return err
			}
			s := switchesOf(p)
			if asJSON {
				return a.writeJSON(s)
			}
			a.showSwitches(s, p)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON: enabled, api_enabled, api_services, issuer, shown_issuer")
	return cmd
}

// runningPolicy asks the daemon for the settings that it runs with.
func (a *app) runningPolicy(ctx context.Context) (map[string]setting, error) {
	all := make(map[string]setting)
	err := a.call(ctx, func(ctx context.Context, c *varlink.Connection) error {
		settings, _, _, err := admin.Policy().Call(ctx, c)
		for _, s := range settings {
			all[s.Name] = setting{Name: s.Name, Value: s.Value, File: s.File, Line: int(s.Line), Why: s.Why}
		}
		return err
	})
	return all, err
}

// switches is how the host-wide switches stand, in JSON.
type switches struct {
	Enabled     bool     `json:"enabled"`
	APIEnabled  bool     `json:"api_enabled"`
	APIServices []string `json:"api_services"`
	issuerJSON
}

func switchesOf(p map[string]setting) switches {
	s := switches{
		Enabled:     p[settingEnabled].Value == "true",
		APIEnabled:  p[settingAPI].Value == "true",
		APIServices: []string{},
		issuerJSON:  issuerOf(p),
	}
	// A TOML list of service names is JSON, too.
	_ = json.Unmarshal([]byte(p[settingServices].Value), &s.APIServices)
	return s
}

// issuerJSON is the issuer as it is set, and as authenticator apps show it.
type issuerJSON struct {
	Issuer string `json:"issuer"`
	Shown  string `json:"shown_issuer"`
}

func issuerOf(p map[string]setting) issuerJSON {
	var i issuerJSON
	_ = json.Unmarshal([]byte(p[settingIssuer].Value), &i.Issuer) // a TOML string that can be printed is JSON, too
	i.Shown = i.Issuer
	if i.Shown == "" {
		i.Shown, _ = os.Hostname() // without a name there is nothing to show
	}
	return i
}
