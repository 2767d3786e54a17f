package main

import (
	"errors"

	"github.com/spf13/cobra"

	"sallyport/internal/policy"
)

func (a *app) policyCheck() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Find what is wrong with the policy",
		Long: `Check reads the policy as the daemon would. It prints every problem with its
file and line, warns of what lets people past or locks them out, and says how
likely it is that somebody who knows a password guesses in. The exit status is 1
if there is a problem: the daemon would refuse that policy.`,
		Example: `  sallyportctl policy check
  sallyportctl policy check --json`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return a.runPolicyCheck(asJSON) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON: problems, warnings, chances")
	return cmd
}

// checkResult is what a check found.
type checkResult struct {
	Problems []finding `json:"problems"`
	Warnings []finding `json:"warnings"`
	Chances  *chances  `json:"guessing_chance_per_year,omitempty"` // absent: there are problems
}

type finding struct {
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
	Text string `json:"text"`
	Hint string `json:"hint,omitempty"`
}

// chances are from 0 to 1, for one device with codes of six digits.
type chances struct {
	Anywhere float64 `json:"anywhere"` // with the password, from any number of sources
	Near     float64 `json:"near"`     // with the password, from a source that the user logs in from
}

func (a *app) runPolicyCheck(asJSON bool) error {
	r := checkResult{Problems: []finding{}, Warnings: []finding{}}
	p, err := policy.Load(a.root)
	var problems policy.Problems
	switch {
	case errors.As(err, &problems):
		r.Problems = findings(problems)
	case err != nil:
		return err
	default:
		r.Warnings = findings(p.Warnings())
		const digits, tokens = 6, 1
		r.Chances = &chances{p.GuessChance(digits, tokens), p.GuessChanceNear(digits, tokens)}
	}
	if asJSON {
		err = a.writeJSON(r)
	} else {
		a.showCheck(problems, p, r.Chances)
		err = nil
	}
	if err == nil && len(r.Problems) > 0 {
		return errSaid
	}
	return err
}

func findings(problems []policy.Problem) []finding {
	all := make([]finding, len(problems))
	for i, p := range problems {
		all[i] = finding{p.File, p.Line, p.Text, p.Hint}
	}
	return all
}

func (a *app) showCheck(problems policy.Problems, p *policy.Policy, c *chances) {
	for _, problem := range problems {
		a.say("%s", problem)
	}
	if len(problems) > 0 {
		a.say("%s", a.in(yellow, "The daemon would refuse this policy."))
		return
	}
	for _, warning := range p.Warnings() {
		if warning.File == "" {
			a.say("warning: %s %s", warning.Text, warning.Hint)
			continue
		}
		a.say("%s", warning)
	}
	a.say("%s", a.in(green, "The policy can be used."))
	a.say("Within a year, somebody who knows a password guesses a code with a chance of %s;\n"+
		"of %s from where the user logs in from too (one device, six digits).", percent(c.Anywhere), percent(c.Near))
}
