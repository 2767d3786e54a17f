package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"sallyport/internal/policy"
)

func (a *app) policyShow() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Show the whole policy as it is put together from its files",
		Long: `Show prints what all files of the policy together say, and for each setting the
file and line where it stands. Rules and delegates are in the order in which
they count.`,
		Example: `  sallyportctl policy show
  sallyportctl policy show --json`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			p, err := policy.Load(a.root)
			if err != nil {
				return err
			}
			w := wholePolicy(p)
			if asJSON {
				return a.writeJSON(w)
			}
			return a.showPolicy(w)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON: settings, rules, delegates")
	return cmd
}

// whole is a policy in JSON.
type whole struct {
	Settings  []setting `json:"settings"`
	Rules     []block   `json:"rules"`
	Delegates []block   `json:"delegates"`
}

// block is a rule or a delegate: where it begins, and what it says.
type block struct {
	File     string    `json:"file"`
	Line     int       `json:"line"`
	Settings []setting `json:"settings"`
}

func wholePolicy(p *policy.Policy) whole {
	w := whole{Settings: settings(p.Settings()), Rules: []block{}, Delegates: []block{}}
	for i := range p.Rules {
		r := &p.Rules[i]
		w.Rules = append(w.Rules, block{r.File, r.Line, settings(r.Settings())})
	}
	for i := range p.Delegates {
		d := &p.Delegates[i]
		w.Delegates = append(w.Delegates, block{d.File, d.Line, settings(d.Settings())})
	}
	return w
}

// showPolicy prints a policy as TOML, with what stands where in comments.
func (a *app) showPolicy(p whole) error {
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	for _, s := range p.Settings {
		fmt.Fprintf(w, "%s\t= %s\t# %s\n", s.Name, s.Value, s.origin())
	}
	blocks := func(name string, all []block) {
		for _, b := range all {
			fmt.Fprintf(w, "\n[[%s]]\t\t# %s:%d\n", name, b.File, b.Line)
			for _, s := range b.Settings {
				fmt.Fprintf(w, "%s\t= %s\n", s.Name, s.Value)
			}
		}
	}
	blocks("rule", p.Rules)
	blocks("delegate", p.Delegates)
	return w.Flush()
}
