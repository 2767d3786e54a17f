package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sallyport/internal/doctor"
	"sallyport/internal/policy"
	"sallyport/internal/rollout"
)

func (a *app) doctor() *cobra.Command {
	var users, suppose []string
	var from string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Find what would lock people out, or let them past (root)",
		Long: `Doctor looks at all that stands between people and the question for a code: the
policy, PAM's stacks, sshd's own view of its configuration, owners and modes,
the records, the daemon and the clock. It changes nothing. For each finding it
says what is wrong, what would happen, and the command or the lines that mend
it. The exit status is 1 if there is a finding.

Where sshd_config has Match blocks it asks sshd about root and those who are
enrolled; --user names others. With --suppose it looks at the policy as "policy
set" would make it, before that is done. With --root it looks at a tree: at its
files, and at nothing that runs.`,
		Example: `  sallyportctl doctor
  sallyportctl doctor --user alice --from 192.0.2.7
  sallyportctl doctor --suppose enabled=true
  sallyportctl doctor --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			changes, err := supposed(suppose)
			if err != nil {
				return err
			}
			p := doctor.Patient{Root: a.root, Users: users, Source: from, Now: time.Now(), Suppose: changes}
			return a.runDoctor(cmd.Context(), p, asJSON)
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&users, "user", nil, "look at `USER` too (may be given again)")
	f.StringVar(&from, "from", "", "suppose that logins come from `ADDRESS`")
	f.StringArrayVar(&suppose, "suppose", nil, "suppose that the policy's setting `NAME=VALUE` was set (may be given again)")
	f.BoolVar(&asJSON, "json", false, "print JSON: a list of findings")
	return cmd
}

// supposed reads what --suppose says.
func supposed(settings []string) ([]policy.Change, error) {
	var changes []policy.Change
	for _, s := range settings {
		name, value, ok := strings.Cut(s, "=")
		if !ok {
			return nil, usageError{fmt.Sprintf("--suppose %q must be NAME=VALUE, such as enabled=true.", s)}
		}
		changes = append(changes, policy.Change{Name: name, Value: policy.Literal(value)})
	}
	return changes, nil
}

func (a *app) runDoctor(ctx context.Context, p doctor.Patient, asJSON bool) error {
	if err := needRoot("Doctor reads what only root may."); err != nil {
		return err
	}
	found, err := doctor.Examine(ctx, p)
	if err == nil {
		var waiting []doctor.Finding
		waiting, err = rollout.Overdue(p.Root, p.Now)
		found = append(found, waiting...)
	}
	if err != nil {
		return sentence(fmt.Sprintf("This cannot be looked at: %v.", err))
	}
	if asJSON {
		if found == nil {
			found = []doctor.Finding{}
		}
		err = a.writeJSON(found)
	} else {
		a.showFindings(found)
	}
	if err == nil && len(found) > 0 {
		return errSaid
	}
	return err
}

func (a *app) showFindings(all []doctor.Finding) {
	if len(all) == 0 {
		a.say("%s", a.in(green, "Nothing is wrong."))
		return
	}
	for _, f := range all {
		a.say("%s %s", a.in(yellow, effectWords(f.Effect)+":"), a.in(bold, f.ID))
		a.say("  %s", f.What)
		if at := findingPlace(f); at != "" {
			a.say("  It is %s.", at)
		}
		a.say("  %s", f.Outcome)
		a.showMend(f.Mend)
		a.say("")
	}
	if len(all) == 1 {
		a.say("1 finding.")
		return
	}
	a.say("%d findings.", len(all))
}

// effectWords is what a finding does, as a heading.
func effectWords(e doctor.Effect) string {
	switch e {
	case doctor.LocksOut:
		return "LOCKS PEOPLE OUT"
	case doctor.LetsPast:
		return "LETS PEOPLE PAST"
	default:
		return "WARNING"
	}
}

// findingPlace is where, for whom and in which services a finding is; "" for one that is everywhere.
func findingPlace(f doctor.Finding) string {
	var parts []string
	switch {
	case f.File != "" && f.Line > 0:
		parts = append(parts, fmt.Sprintf("at %s:%d", f.File, f.Line))
	case f.File != "":
		parts = append(parts, "in "+f.File)
	}
	if len(f.Services) > 0 {
		parts = append(parts, "in the service "+strings.Join(f.Services, ", "))
	}
	if len(f.Users) > 0 && len(f.Users) <= 5 {
		parts = append(parts, "for "+strings.Join(f.Users, ", "))
	}
	return strings.Join(parts, ", ")
}

// showMend shows what to do, so that it can be copied.
func (a *app) showMend(m doctor.Mend) {
	if m.Text != "" {
		a.say("  Mend: %s", m.Text)
	}
	if m.Command != "" {
		a.say("  Run: %s", m.Command)
	}
	for _, e := range m.Edits {
		switch {
		case e.New == "":
			a.say("  Take line %d out of %s:\n    - %s", e.Line, e.File, e.Old)
		case e.Old == "":
			a.say("  Put this in front of line %d of %s:\n    + %s", e.Line, e.File, e.New)
		default:
			a.say("  Change line %d of %s:\n    - %s\n    + %s", e.Line, e.File, e.Old, e.New)
		}
	}
}
