package doctor

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"sallyport/internal/pamstack"
	"sallyport/internal/policy"
)

// checkStacks looks at every stack that has the module, and for those that should have it.
func (f *facts) checkStacks() []Finding {
	var all []Finding
	for _, s := range f.services {
		found := f.checkSources(s)
		lines := s.all
		if l := line(s.session); l != nil {
			lines = append(lines[:len(lines):len(lines)], *l)
		}
		for _, l := range lines {
			found = append(found, checkOptions(l)...)
			found = append(found, f.checkModule(l)...)
		}
		if len(found) == 0 { // what libpam cannot load it goes through in no order
			found = append(s.checkAuth(f.exempts(s.name)), s.checkAccount()...)
		}
		for i := range found {
			found[i].Services = []string{s.name}
		}
		all = append(all, found...)
	}
	return append(all, f.checkMissing()...)
}

// checkMissing finds services that rules name and that have no line of the module.
func (f *facts) checkMissing() []Finding {
	if f.policy == nil || !f.policy.Enabled {
		return nil
	}
	var all []Finding
	dirs := pamstack.In(f.etc())
	for i := range f.policy.Rules {
		r := &f.policy.Rules[i]
		if r.Require == "" || r.Require == policy.RequireNever {
			continue
		}
		for _, name := range r.Services {
			file := dirs.File(name)
			if f.protects(name) || file == "" || slices.Contains(f.policy.API.Services, name) {
				continue
			}
			all = append(all, Finding{
				ID: "pam-missing", Effect: LetsPast, File: file, Services: []string{name},
				What:    fmt.Sprintf("A rule requires a second factor of who logs in through %q (%s), and its PAM stack does not have the module.", name, place(r.File, r.Line)),
				Outcome: "Nobody is asked for a code there.",
				Mend:    f.insertLines(name),
			})
		}
	}
	if len(f.services) == 0 && len(all) == 0 {
		all = append(all, Finding{
			ID: "pam-nowhere", Effect: LetsPast, What: "No PAM stack has the module.", Outcome: "Nobody is asked for a code anywhere.",
			Mend: Mend{Text: "Put it where people log in; this shows how.", Command: "sallyportctl setup ssh --dry-run"},
		})
	}
	return all
}

// insertLines puts the module into a stack that has none.
func (f *facts) insertLines(name string) Mend {
	_, edits, err := Insertion(f.Patient, name)
	if err != nil {
		return text("Install Sallyport first.")
	}
	return Mend{Edits: edits}
}

// behindPassword is the number of the line, in the service's own file, before which an auth line belongs.
func (s service) behindPassword() int {
	at := 1
	for _, l := range s.auth.Lines {
		if isPassword(l) || at == 1 {
			at = l.Top + 1
		}
	}
	return at
}

// beforeAccount is the number of the line, in the service's own file, before which an account line belongs.
func (s service) beforeAccount() int {
	if len(s.account.Lines) > 0 {
		return s.account.Lines[0].Top
	}
	return s.behindPassword()
}

// checkSources finds faults in the files themselves: libpam refuses everybody, or takes what others wrote.
func (f *facts) checkSources(s service) []Finding {
	var all []Finding
	for _, stack := range []pamstack.Stack{s.auth, s.account} {
		for _, fault := range stack.Faults {
			if slices.ContainsFunc(all, func(g Finding) bool { return g.File == fault.File && g.Line == fault.Number }) {
				continue
			}
			all = append(all, Finding{
				ID: "pam-syntax", Effect: LocksOut, File: fault.File, Line: fault.Number,
				What:    fmt.Sprintf("PAM cannot read the stack of %s: %s.", s.name, fault.Text),
				Outcome: "Nobody can log in through it.",
				Mend:    faultMend(fault, stack),
			})
		}
		for _, file := range stack.Files {
			if found, bad := writable(file); bad && !slices.ContainsFunc(all, func(g Finding) bool { return g.File == file }) {
				all = append(all, found)
			}
		}
	}
	return all
}

// faultMend takes the line out, unless it is one of ours.
func faultMend(fault pamstack.Fault, stack pamstack.Stack) Mend {
	i := slices.IndexFunc(stack.Lines, func(l pamstack.Line) bool { return isOurs(l) && l.File == fault.File && l.Number == fault.Number })
	if i < 0 {
		return text("Put that line right; pam.conf(5) says how.")
	}
	return Mend{Edits: []Edit{required(stack.Lines[i])}}
}

// required is the line with the control "required".
func required(l pamstack.Line) Edit { return replaced(l, "required") }

// replaced is the line with another control.
func replaced(l pamstack.Line, control string) Edit {
	return Edit{File: l.File, Line: l.Number, Old: l.Text, New: strings.Replace(l.Text, l.Control.Text, control, 1)}
}

// checkOptions finds options that the module does not know.
func checkOptions(l pamstack.Line) []Finding {
	for _, arg := range l.Args {
		if arg == "split_password" || arg == "debug" || strings.HasPrefix(arg, "root=/") {
			continue
		}
		return []Finding{{
			ID: "pam-option", Effect: LocksOut, File: l.File, Line: l.Number,
			What:    fmt.Sprintf("The module does not know the option %q.", arg),
			Outcome: "It refuses everybody, so that the mistake is seen.",
			Mend:    Mend{Edits: []Edit{{File: l.File, Line: l.Number, Old: l.Text, New: without(l.Text, arg)}}},
		}}
	}
	return nil
}

// without takes a word off the end of a line, with the blank before it.
func without(text, word string) string {
	i := strings.LastIndex(text, word)
	return strings.TrimSpace(strings.TrimRight(text[:i], " \t") + text[i+len(word):])
}

// failures are what the module returns for a login that must not be.
func failures() []pamstack.Code {
	return []pamstack.Code{pamstack.AuthErr, "maxtries", "authinfo_unavail", "perm_denied", "service_err", "module_unknown"}
}

// may is what lines return: ours one of the codes given, others whatever makes a difference.
func may(ours ...pamstack.Code) func(pamstack.Line) []pamstack.Code {
	return func(l pamstack.Line) []pamstack.Code {
		switch filepath.Base(l.Module) {
		case moduleName:
			return ours
		case "pam_deny.so":
			return []pamstack.Code{pamstack.AuthErr}
		case "pam_permit.so":
			return []pamstack.Code{pamstack.Success}
		case "pam_rootok.so": // who is root already needs no code
			return []pamstack.Code{pamstack.AuthErr}
		}
		return pamstack.Possible(l)
	}
}

// ends are the ways through a stack on which the module returns one of some codes.
func ends(s pamstack.Stack, ours ...pamstack.Code) []pamstack.End {
	return pamstack.Walk{Stack: s, May: may(ours...), Watch: isOurs}.Ends()
}

// missed finds the line that lets somebody in without the module having been called.
func missed(s pamstack.Stack) *pamstack.Line {
	for _, e := range ends(s, append(failures(), pamstack.Success, pamstack.Ignore)...) {
		if e.Passed() && !e.Called && e.Missed >= 0 {
			return &s.Lines[e.Missed]
		}
	}
	return nil
}

// overruled reports whether somebody gets in whom the module has refused.
func overruled(s pamstack.Stack) bool {
	return slices.ContainsFunc(ends(s, failures()...), func(e pamstack.End) bool { return e.Passed() && e.Called })
}

// lostWithoutCode reports whether nobody gets in of whom the module asks nothing, whatever else goes right.
func lostWithoutCode(s pamstack.Stack) bool {
	return !slices.ContainsFunc(ends(s, pamstack.Ignore), pamstack.End.Passed)
}

// askedInVain reports whether the module is called when the password was wrong.
func askedInVain(s pamstack.Stack) bool {
	return slices.ContainsFunc(ends(s, pamstack.Success), func(e pamstack.End) bool { return e.Called && e.Refused })
}
