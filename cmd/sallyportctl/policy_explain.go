package main

import (
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"sallyport/internal/policy"
	"sallyport/internal/verifier"
	"sallyport/internal/wire"
)

func (a *app) policyExplain() *cobra.Command {
	var service, from string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "explain USER",
		Short: "Say what holds for a login, and which rules say so",
		Long: `Explain says for each setting what holds for a login, in which file and line it
stands, and why the rules before that did not give it.`,
		Example: `  sallyportctl policy explain alice --service sshd --from 10.1.2.3
  sallyportctl policy explain root --service login --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return a.runPolicyExplain(args[0], service, from, asJSON) },
	}
	f := cmd.Flags()
	f.StringVar(&service, "service", "sshd", "the PAM `SERVICE` of the login")
	f.StringVar(&from, "from", "", "the `ADDRESS` that it comes from; without it: a local login")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) runPolicyExplain(user, service, from string, asJSON bool) error {
	// What the daemon would not take is no login that anybody could have.
	if _, err := (wire.Request{Kind: wire.Begin, User: user, Service: service, RHost: from, PID: 1}).Packet().Encode(); err != nil {
		return usageError{fmt.Sprintf("No login has the user %q, the service %q and the source %q.", user, service, from)}
	}
	p, err := policy.Load(a.root)
	if err != nil {
		return err
	}
	groups := func() ([]string, error) { return verifier.NSS{}.Groups(user) }
	explained, err := p.Explain(policy.Request{User: user, Groups: groups, Service: service, Source: from}, time.Now())
	if err != nil {
		return sentence(fmt.Sprintf("Such a login would be refused: %v.", err))
	}
	all := settings(explained)
	if asJSON {
		return a.writeJSON(all)
	}
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	for _, s := range all {
		fmt.Fprintf(w, "%s\t= %s\t%s\n", s.Name, s.Value, s.origin())
		for _, r := range s.Skipped {
			fmt.Fprintf(w, "\t\tnot %s:%d, %s\n", r.File, r.Line, r.Why)
		}
	}
	return w.Flush()
}
