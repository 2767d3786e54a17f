package doctor

import (
	"fmt"
	"slices"
	"strings"

	"sallyport/internal/pamstack"
)

// checkAuth looks at where the module's auth line stands, and at what it counts for. exempts says that the policy asks
// nothing of some.
func (s service) checkAuth(exempts bool) []Finding {
	ours := line(s.auth)
	if ours == nil {
		return []Finding{{
			ID: "pam-no-auth", Effect: LocksOut, File: s.all[0].File, Line: s.all[0].Number,
			What:    fmt.Sprintf("The stack of %s has an account line of the module and no auth line.", s.name),
			Outcome: "Nobody is asked for a code, and whoever needs one is refused.",
			Mend:    Mend{Edits: []Edit{{File: s.file, Line: s.behindPassword(), New: "auth     required  " + s.all[0].Module}}},
		}}
	}
	at := Finding{File: ours.File, Line: ours.Number}
	if overruled(s.auth) {
		at.ID, at.Effect = "pam-not-required", LetsPast
		at.What = fmt.Sprintf("The control %q lets somebody in whom the module has refused.", ours.Control.Text)
		at.Outcome = "A wrong code is as good as a right one."
		at.Mend = Mend{Edits: []Edit{required(*ours)}}
		return []Finding{at}
	}
	if by := missed(s.auth); by != nil {
		at.ID, at.Effect = "pam-bypassed", LetsPast
		at.File, at.Line = by.File, by.Number
		at.What = fmt.Sprintf("%q leads past the module's line (%s).", by.Text, place(ours.File, ours.Number))
		at.Outcome = "Whom that line lets in is not asked for a code."
		at.Mend = s.aroundBypass(*by, *ours)
		return []Finding{at}
	}
	if found := append(checkSkipped("pam-skips", s.auth), s.checkPasswordCounts()...); len(found) > 0 {
		return found
	}
	if exempts && lostWithoutCode(s.auth) {
		at.ID, at.Effect = "pam-nothing-else", LocksOut
		at.What = fmt.Sprintf("In the stack of %s nothing but the module can let anybody in.", s.name)
		at.Outcome = "Whoever needs no code is refused."
		at.Mend = Mend{
			Text:  "Only where something else has been proven before this stack, such as a key (AuthenticationMethods publickey,keyboard-interactive):",
			Edits: []Edit{{File: ours.File, Line: ours.Number + 1, New: "auth     required  pam_permit.so"}},
		}
		return []Finding{at}
	}
	return s.checkOrder(at, *ours)
}

// checkOrder looks at whether the module comes behind the password, or in front of it with split_password.
func (s service) checkOrder(at Finding, ours pamstack.Line) []Finding {
	first := slices.IndexFunc(s.auth.Lines, isPassword)
	here := slices.IndexFunc(s.auth.Lines, isOurs)
	if first < 0 {
		return nil
	}
	at.Effect = Warns
	switch {
	case s.split() && first < here:
		at.ID, at.What = "pam-split-late", "The option split_password is for a line in front of the password's; this one is behind it."
		at.Outcome = "People are asked for their password twice."
		at.Mend = Mend{Edits: []Edit{{File: ours.File, Line: ours.Number, Old: ours.Text, New: without(ours.Text, "split_password")}}}
	case !s.split() && here < first:
		at.ID, at.What = "pam-before-password", "The module stands in front of the password."
		at.Outcome = "Whoever knows a name is asked for the code, sees who has one, and can use up the attempts."
		at.Mend = s.move(ours, s.behindPassword())
	case !s.split() && askedInVain(s.auth) && s.endOnWrongPassword() != nil:
		at.ID, at.What = "pam-asked-in-vain", "The module asks for a code even when the password was wrong."
		at.Outcome = "Whoever knows a name sees who has a second factor, and can use up the attempts."
		at.Mend = Mend{Edits: s.endOnWrongPassword()}
	default:
		return nil
	}
	return []Finding{at}
}

// endOnWrongPassword makes the password's lines end the stack. Those in a substack cannot: whatever ends there, libpam
// goes on behind it.
func (s service) endOnWrongPassword() []Edit {
	var edits []Edit
	for _, l := range s.auth.Lines {
		if !l.InSubstack() && isPassword(l) && l.Control.Text == "required" {
			edits = append(edits, Edit{File: l.File, Line: l.Number, Old: l.Text, New: strings.Replace(l.Text, "required", "requisite", 1)})
		}
	}
	return edits
}

// move puts a line of the service's own file in front of another one.
func (s service) move(l pamstack.Line, before int) Mend {
	if l.File != s.file {
		return text("Take the line out of %s, and put it into %s.", place(l.File, l.Number), place(s.file, before))
	}
	return Mend{Edits: []Edit{{File: l.File, Line: l.Number, Old: l.Text}, {File: s.file, Line: before, New: l.Text}}}
}

// aroundBypass keeps a line from leading past ours.
func (s service) aroundBypass(by, ours pamstack.Line) Mend {
	if by.File != ours.File && ours.File == s.file && isPassword(by) {
		// Inside a substack a line ends that and no more.
		include := pamstack.Line{File: s.file, Number: by.Top}
		old := s.source(include.Number)
		words := strings.Fields(old)
		if len(words) > 0 {
			return Mend{Edits: []Edit{{File: s.file, Line: by.Top, Old: old, New: "auth       substack     " + words[len(words)-1]}}}
		}
	}
	if n := by.Control.Of(pamstack.Success).Jump(); n > 0 && by.File == ours.File {
		if edits := behindLanding(s.auth, by, ours, n); edits != nil {
			return Mend{Text: "Have the module called behind what that line jumps to:", Edits: edits}
		}
	} else if by.File == ours.File && isPassword(by) {
		return Mend{
			Text:  "Let that line go on to the module when the password is right, and end the stack when it is not:",
			Edits: jumpTo(s.auth, by, ours),
		}
	}
	return text("Take that line out, or put it behind the module's. If those whom it lets in need no code, say so in the policy instead (require = \"never\").")
}

// behindLanding moves our line behind the one that others jump to, and has them jump over one line less.
func behindLanding(s pamstack.Stack, by, ours pamstack.Line, jump int) []Edit {
	from := slices.IndexFunc(s.Lines, func(l pamstack.Line) bool { return l.File == by.File && l.Number == by.Number })
	here, landing := slices.IndexFunc(s.Lines, isOurs), from+1+jump
	if landing >= len(s.Lines) || s.Lines[landing].File != ours.File {
		return nil
	}
	edits := []Edit{
		{File: ours.File, Line: ours.Number, Old: ours.Text},
		{File: ours.File, Line: s.Lines[landing].Number + 1, New: ours.Text},
	}
	for i, l := range s.Lines[:here] {
		n := l.Control.Of(pamstack.Success).Jump()
		if l.File != ours.File || i+n < here {
			continue
		}
		less := "success=ok"
		if n > 1 {
			less = fmt.Sprintf("success=%d", n-1)
		}
		edits = append(edits, Edit{File: l.File, Line: l.Number, Old: l.Text, New: strings.Replace(l.Text, fmt.Sprintf("success=%d", n), less, 1)})
	}
	return edits
}

// jumpTo is Debian's way: over what refuses, to what gives the stack a good start, to our line.
func jumpTo(s pamstack.Stack, by, ours pamstack.Line) []Edit {
	edits := []Edit{
		{File: ours.File, Line: ours.Number, New: "auth requisite pam_deny.so"},
		{File: ours.File, Line: ours.Number, New: "auth required pam_permit.so"},
	}
	here := slices.IndexFunc(s.Lines, isOurs)
	for i, l := range s.Lines[:here] {
		if l.File != by.File || l.Control.Text != by.Control.Text || !isPassword(l) {
			continue
		}
		over := here - i // the lines between, and pam_deny
		control := fmt.Sprintf("[success=%d new_authtok_reqd=%d default=ignore]", over, over)
		edits = append(edits, Edit{File: l.File, Line: l.Number, Old: l.Text, New: strings.Replace(l.Text, l.Control.Text, control, 1)})
	}
	return edits
}

// checkAccount looks at whether a login that skipped the code is refused.
func (s service) checkAccount() []Finding {
	ours, auth := line(s.account), line(s.auth)
	switch {
	case ours == nil && auth != nil && keyLogins(s.name):
		return []Finding{{
			ID: "pam-no-account", Effect: LetsPast, File: auth.File, Line: auth.Number,
			What:    fmt.Sprintf("The stack of %s has an auth line of the module and no account line.", s.name),
			Outcome: "A login that skips the auth part, as one with a key does, is not held up.",
			Mend:    Mend{Edits: []Edit{{File: s.file, Line: s.beforeAccount(), New: "account  required  " + auth.Module}}},
		}}
	case ours == nil || auth == nil:
		return nil
	}
	at := Finding{File: ours.File, Line: ours.Number}
	if skipsAuth(s.name) {
		at.ID, at.Effect = "pam-account-sudo", LocksOut
		at.What = fmt.Sprintf("The stack of %s has an account line of the module.", s.name)
		at.Outcome = "While its timestamp is fresh, sudo calls account without auth: whoever needs a code is refused then."
		at.Mend = Mend{Edits: []Edit{{File: ours.File, Line: ours.Number, Old: ours.Text}}}
		return []Finding{at}
	}
	if overruled(s.account) {
		at.ID, at.Effect = "pam-account-not-required", LetsPast
		at.What = fmt.Sprintf("The control %q lets somebody in whom the module's account line has refused.", ours.Control.Text)
		at.Outcome = "A login that skipped the code is not held up."
		at.Mend = Mend{Edits: []Edit{required(*ours)}}
		return []Finding{at}
	}
	if by := missed(s.account); by != nil {
		at.ID, at.Effect = "pam-account-bypassed", LetsPast
		at.What = fmt.Sprintf("%q, at %s, leads past the module's account line.", by.Text, place(by.File, by.Number))
		at.Outcome = "A login that skipped the code is not held up, where that line ends the stack."
		at.Mend = s.move(*ours, s.account.Lines[0].Top)
		return []Finding{at}
	}
	return checkSkipped("pam-account-skips", s.account)
}
