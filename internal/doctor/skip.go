package doctor

import (
	"fmt"
	"path/filepath"
	"slices"

	"sallyport/internal/pamstack"
)

// checkSkipped finds what the module's line leads past when the code was right: libpam asks nothing behind it then.
func checkSkipped(id string, s pamstack.Stack) []Finding {
	ours := line(s)
	skipped := skippedBy(s, slices.IndexFunc(s.Lines, isOurs))
	if ours == nil || skipped == nil {
		return nil
	}
	at := Finding{ID: id, Effect: LetsPast, File: ours.File, Line: ours.Number}
	at.What = fmt.Sprintf("When the code was right, the control %q leads past %q (%s).", ours.Control.Text, skipped.Text, place(skipped.File, skipped.Number))
	at.Outcome = "Whom that line would have refused gets in."
	at.Mend = Mend{Edits: []Edit{required(*ours)}}
	return []Finding{at}
}

// skippedBy is the first line that can refuse somebody and is not called where line number here says yes, as all others do.
func skippedBy(s pamstack.Stack, here int) *pamstack.Line {
	for i := range s.Lines {
		l := &s.Lines[i]
		if i <= here || here < 0 || !canRefuse(*l) {
			continue
		}
		w := pamstack.Walk{Stack: s, May: yes, Watch: func(o pamstack.Line) bool { return o.File == l.File && o.Number == l.Number }}
		if slices.ContainsFunc(w.Ends(), func(e pamstack.End) bool { return e.Passed() && !e.Called && e.Missed == here }) {
			return l
		}
	}
	return nil
}

// canRefuse reports whether a line asks something, the answer to which counts.
func canRefuse(l pamstack.Line) bool {
	return l.Calls() && filepath.Base(l.Module) != "pam_deny.so" && filepath.Base(l.Module) != "pam_permit.so" && l.Control.Matters()
}

func yes(l pamstack.Line) []pamstack.Code {
	if l.Is("pam_deny.so") {
		return []pamstack.Code{pamstack.AuthErr}
	}
	return []pamstack.Code{pamstack.Success}
}

// checkPasswordCounts finds a password that need not be right. What else may let somebody in is not counted: only lines that could
// refuse say yes here.
func (s service) checkPasswordCounts() []Finding {
	first := slices.IndexFunc(s.auth.Lines, isPassword)
	if first < 0 {
		return nil
	}
	w := pamstack.Walk{Stack: s.auth, Watch: isPassword, May: func(l pamstack.Line) []pamstack.Code {
		switch {
		case isPassword(l), l.Is("pam_deny.so"), l.Is("pam_rootok.so"):
			return []pamstack.Code{pamstack.AuthErr}
		case isOurs(l), l.Is("pam_permit.so"), l.Control.Of(pamstack.AuthErr).Refuses():
			return []pamstack.Code{pamstack.Success}
		default:
			return []pamstack.Code{pamstack.AuthErr}
		}
	}}
	if !slices.ContainsFunc(w.Ends(), func(e pamstack.End) bool { return e.Passed() && e.Called }) {
		return nil
	}
	l := s.auth.Lines[first]
	return []Finding{{
		ID: "pam-password-optional", Effect: LetsPast, File: l.File, Line: l.Number,
		What:    fmt.Sprintf("With the control %q a wrong password refuses nobody.", l.Control.Text),
		Outcome: "A code alone is enough to get in.",
		Mend:    Mend{Edits: []Edit{replaced(l, "requisite")}},
	}}
}
