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
	var l explainedLogin
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "explain USER",
		Short: "Say what holds for a login, and which rules say so",
		Long: `Explain says for each setting what holds for a login, in which file and line it
stands, and why the rules before that did not give it.`,
		Example: `  sallyportctl policy explain alice --service sshd --from 10.1.2.3
  sallyportctl policy explain alice --publickey --at "2027-03-01 22:30"
  sallyportctl policy explain root --service login --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			l.user = args[0]
			return a.runPolicyExplain(l, asJSON)
		},
	}
	f := cmd.Flags()
	f.StringVar(&l.service, "service", "sshd", "the PAM `SERVICE` of the login")
	f.StringVar(&l.from, "from", "", "the `ADDRESS` that it comes from; without it: a local login")
	f.BoolVar(&l.publickey, "publickey", false, "sshd has accepted a key already")
	f.StringVar(&l.at, "at", "", "the `TIME` of the login, such as \"2027-03-01 22:30\"; without it: now")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// explainedLogin is the login that is to be explained, as it was typed.
type explainedLogin struct {
	user, service, from, at string
	publickey               bool
}

// request is the login as the policy is asked about it, and when it would be.
func (l explainedLogin) request() (policy.Request, time.Time, error) {
	// What the daemon would not take is no login that anybody could have.
	if _, err := (wire.Request{Kind: wire.Begin, User: l.user, Service: l.service, RHost: l.from, PID: 1}).Packet().Encode(); err != nil {
		return policy.Request{}, time.Time{}, usageError{fmt.Sprintf("No login has the user %q, the service %q and the source %q.", l.user, l.service, l.from)}
	}
	at := time.Now()
	if l.at != "" {
		var err error
		if at, err = parseTime(l.at); err != nil {
			return policy.Request{}, at, err
		}
	}
	groups := func() ([]string, error) { return verifier.NSS{}.Groups(l.user) }
	return policy.Request{User: l.user, Groups: groups, Service: l.service, Source: l.from, PublicKey: l.publickey}, at, nil
}

// parseTime reads a time as people write it, of the host's time zone where it names none.
func parseTime(text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usageError{fmt.Sprintf("%q is no time: write \"2027-03-01 22:30\".", text)}
}

func (a *app) runPolicyExplain(l explainedLogin, asJSON bool) error {
	request, at, err := l.request()
	if err != nil {
		return err
	}
	p, err := policy.Load(a.root)
	if err != nil {
		return err
	}
	explained, err := p.Explain(request, at)
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
