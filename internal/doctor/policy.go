package doctor

import (
	"fmt"
	"slices"

	"sallyport/internal/policy"
)

// checkPolicy reports what policy check does, save what a finding about a file says already.
func (f *facts) checkPolicy(already []Finding) []Finding {
	var all []Finding
	for _, p := range f.problems {
		if slices.ContainsFunc(already, func(g Finding) bool { return g.File == p.File || g.What == p.Text }) {
			continue
		}
		all = append(all, Finding{
			ID: "policy-problem", Effect: LocksOut, What: p.Text, File: p.File, Line: p.Line,
			Outcome: "A daemon that runs keeps the policy that it has; one that starts does not take this, and whoever needs a code is refused.",
			Mend:    hint(p),
		})
	}
	if f.policy == nil {
		return all
	}
	for _, p := range f.policy.Warnings() {
		all = append(all, Finding{
			ID: "policy-warning", Effect: Warns, What: p.Text, File: p.File, Line: p.Line,
			Outcome: "The policy does what it says, and hardly anybody wants that.", Mend: hint(p),
		})
	}
	return all
}

func hint(p policy.Problem) Mend {
	if p.Hint == "" {
		return text("Change it, and look again: `sallyportctl policy check`.")
	}
	return Mend{Text: fmt.Sprintf("%s Then: `sallyportctl policy check`.", p.Hint)}
}
