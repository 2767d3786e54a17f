package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/varlink/go/varlink"

	admin "sallyport/internal/api/iosallyportadmin"
)

func (a *app) export() *cobra.Command {
	var yes, asJSON bool
	cmd := &cobra.Command{
		Use:   "export USER",
		Short: "Show the secrets of a user's devices, as otpauth URIs (root)",
		Long: `Export shows the secrets of one user's devices, one otpauth URI to a line, as
sallyportctl import otpauth and other programs take them. Whoever sees them can
make the user's codes, so it asks first, and it stands in the journal. Recovery
codes cannot be shown: only what checks them is kept.

To move all users to another host: sallyportctl vault backup.`,
		Example: `  sallyportctl export alice
  sallyportctl export --yes alice >/root/alice.key`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !yes {
				if err := a.agree(fmt.Sprintf("Show the secrets of %q? Whoever sees them can make the codes.", args[0])); err != nil {
					return err
				}
			}
			var p admin.Portable
			err := a.call(cmd.Context(), func(ctx context.Context, c *varlink.Connection) (err error) {
				p, err = admin.Export().Call(ctx, c, args[0])
				return err
			})
			if err != nil {
				return err
			}
			return a.showExport(p, asJSON)
		},
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON: user and devices, with clock offsets too")
	return cmd
}

// exported is a user's devices in JSON.
type exported struct {
	User    string           `json:"user"`
	Devices []exportedDevice `json:"devices"`
}

type exportedDevice struct {
	Label  string `json:"label"`
	URI    string `json:"uri"`
	Offset int64  `json:"offset"` // of totp, in steps
}

func (a *app) showExport(p admin.Portable, asJSON bool) error {
	e := exported{p.User, make([]exportedDevice, len(p.Devices))}
	for i, d := range p.Devices {
		e.Devices[i] = exportedDevice{d.Label, d.Uri, d.Offset}
	}
	if asJSON {
		return a.writeJSON(e)
	}
	for _, d := range e.Devices {
		a.say("# %s\n%s", d.Label, d.URI)
	}
	return nil
}
