package doctor

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"sallyport/internal/sshdconfig"
)

// sshdFacts is what sshd says of itself.
type sshdFacts struct {
	directives []sshdconfig.Directive
	all        sshdconfig.Settings // for a user of whom nothing is known
	classes    []class
}

// class is users for whom sshd has the same settings.
type class struct {
	users []string // those looked at
	every bool     // and everybody else
	sshdconfig.Settings
}

// checkSSHD looks at whether sshd asks PAM, and lets PAM ask.
func (f *facts) checkSSHD(ctx context.Context) []Finding {
	var err error
	if f.sshd, err = f.readSSHD(ctx); errors.Is(err, sshdconfig.ErrNone) || errors.Is(err, os.ErrNotExist) {
		f.sshd = nil
		return nil // its stack is there, and it is not
	}
	if err != nil {
		found := f.unreadableSSHD(err)
		f.sshd = nil
		return []Finding{found}
	}
	var all []Finding
	for _, c := range f.sshd.classes {
		if f.asksAny(c, false) || f.asksAny(c, true) {
			all = append(all, f.checkClass(c)...)
		}
		all = append(all, f.checkRoot(c)...)
	}
	return all
}

func (f *facts) unreadableSSHD(err error) Finding {
	const question = "kbdinteractiveauthentication"
	first := slices.IndexFunc(f.sshd.directives, func(d sshdconfig.Directive) bool { return d.Keyword == question && !d.Matched })
	if strings.Contains(err.Error(), "AuthenticationMethods cannot be satisfied") && first >= 0 && f.sshd.directives[first].Value == "no" {
		f.sshd.all = sshdconfig.Settings{question: "no"}
		return f.sshdFinding(class{every: true, Settings: f.sshd.all}, "sshd-kbdinteractive", LocksOut, question, "KbdInteractiveAuthentication yes",
			"sshd cannot ask questions, and AuthenticationMethods wants it to.", "At its next start nobody can log in over SSH.")
	}
	found := Finding{
		ID: "sshd-config", Effect: LocksOut, File: f.etc() + sshdconfig.Path, What: fmt.Sprintf("sshd does not take its configuration: %v.", err),
		Outcome: "At its next start nobody can log in over SSH.", Mend: text("Put the line right that `sshd -t` names."),
	}
	if errors.Is(err, sshdconfig.ErrNotStarted) {
		found.Effect, found.What = Warns, "sshd's configuration cannot be looked at: it has not been started yet, and its directory /run/sshd is not there."
		found.Outcome, found.Mend = "What is wrong with it is not found.", run("mkdir -p -m 0755 /run/sshd")
	}
	return found
}

// readSSHD asks sshd for what it has for everybody, and where there are Match blocks for each user of the sample.
func (f *facts) readSSHD(ctx context.Context) (*sshdFacts, error) {
	s := new(sshdFacts)
	var err error
	if s.directives, err = sshdconfig.Read(f.etc()); err != nil {
		return nil, err
	}
	if s.all, err = sshdconfig.Test(ctx, f.etc(), anybody, f.Source); err != nil {
		return s, err
	}
	s.classes = []class{{every: true, Settings: s.all}}
	matches := slices.ContainsFunc(s.directives, func(d sshdconfig.Directive) bool { return d.Keyword == "match" })
	for _, user := range f.sample() {
		own := s.all
		if matches {
			if own, err = sshdconfig.Test(ctx, f.etc(), user, f.Source); err != nil {
				return s, err
			}
		}
		i := slices.IndexFunc(s.classes, func(c class) bool { return maps.Equal(c.Settings, own) })
		if i < 0 {
			i = len(s.classes)
			s.classes = append(s.classes, class{Settings: own})
		}
		s.classes[i].users = append(s.classes[i].users, user)
	}
	return s, nil
}

// asksAny reports whether somebody of the class is to be asked for a code, having shown a key or not.
func (f *facts) asksAny(c class, key bool) bool {
	asks := func(user string) bool { return f.asks(login{user, "sshd", key}) }
	return c.every && asks(anybody) || slices.ContainsFunc(c.users, asks)
}

// sshdStack is sshd's own PAM stack.
func (f *facts) sshdStack() service {
	return f.services[slices.IndexFunc(f.services, func(s service) bool { return s.name == "sshd" })]
}

// checkClass looks at one set of settings. What follows from a finding is none of its own.
func (f *facts) checkClass(c class) []Finding {
	stack := f.sshdStack()
	if !c.Is("usepam", "yes") {
		return []Finding{f.sshdFinding(c, "sshd-usepam", LetsPast, "usepam", "UsePAM yes",
			"sshd does not ask PAM.", "Nobody is asked for a code over SSH.")}
	}
	if !c.Is("kbdinteractiveauthentication", "yes") && (!stack.split() || !c.Is("passwordauthentication", "yes")) {
		return []Finding{f.sshdFinding(c, "sshd-kbdinteractive", LocksOut, "kbdinteractiveauthentication", "KbdInteractiveAuthentication yes",
			"sshd cannot ask questions.", "Whoever needs a code is never asked for it, and refused.")}
	}
	var all []Finding
	if c.Is("permitemptypasswords", "yes") {
		all = append(all, f.sshdFinding(c, "sshd-empty-passwords", LetsPast, "permitemptypasswords", "PermitEmptyPasswords no",
			"sshd lets accounts without a password in.", "A code alone is enough there, and where none is needed nothing is."))
	}
	return append(all, f.checkMethods(c, stack)...)
}

// checkMethods looks at each way to log in: whether it leads to the code.
func (f *facts) checkMethods(c class, stack service) []Finding {
	var all []Finding
	seen := map[string]bool{}
	add := func(found Finding) {
		if !seen[found.ID] {
			seen[found.ID] = true
			all = append(all, found)
		}
	}
	for _, list := range c.Methods() {
		way := strings.Join(list, ",")
		proven := sshdconfig.Has(list, "publickey") || sshdconfig.Has(list, "hostbased") || sshdconfig.Has(list, "gssapi-with-mic")
		switch {
		case sshdconfig.Has(list, "password") && !stack.split():
			add(f.sshdFinding(c, "sshd-password", LocksOut, f.passwordKeyword(c), f.passwordMend(c),
				"sshd takes passwords by the method \"password\", which has no room for the question for a code.",
				"A client that logs in that way, as many SFTP programs do, is refused whenever a code is needed."))
		case sshdconfig.Has(list, "keyboard-interactive") || sshdconfig.Has(list, "password"):
			if !proven && !sshdconfig.Has(list, "password") && !stack.asksPassword() && line(stack.auth) != nil {
				add(f.sshdFinding(c, "sshd-code-alone", LetsPast, "authenticationmethods", "AuthenticationMethods publickey,keyboard-interactive",
					"The stack of sshd asks for no password, and sshd lets people in by it alone.",
					"A code is enough to log in, and where none is needed nothing is."))
			}
		case !f.asksAny(c, sshdconfig.Has(list, "publickey")): // the policy says so
		case line(stack.account) != nil:
			add(f.sshdFinding(c, "sshd-key-refused", LocksOut, "authenticationmethods", f.methodsMend(c),
				fmt.Sprintf("sshd lets people log in by %s alone, which never leads to the question for a code.", way),
				"Whoever needs a code and logs in that way is refused by the account line."))
		default:
			add(f.sshdFinding(c, "sshd-key-past", LetsPast, "authenticationmethods", f.methodsMend(c),
				fmt.Sprintf("sshd lets people log in by %s alone, and no account line of the module holds them up.", way),
				"Whoever has a key is not asked for a code."))
		}
	}
	return all
}

// methodsMend is the line that has every way lead to the code.
func (f *facts) methodsMend(c class) string {
	ways := []string{"keyboard-interactive"}
	if !f.sshdStack().asksPassword() {
		ways = nil
	}
	for keyword, method := range sshdconfig.MethodSwitches() {
		if c.Is(keyword, "yes") && method != "password" && method != "keyboard-interactive" {
			ways = append(ways, method+",keyboard-interactive")
		}
	}
	slices.Sort(ways)
	return "AuthenticationMethods " + strings.Join(ways, " ")
}

// passwordKeyword is where the method "password" comes from, and passwordMend what is to stand there.
func (f *facts) passwordKeyword(c class) string {
	if !c.Is("authenticationmethods", "any") {
		return "authenticationmethods"
	}
	return "passwordauthentication"
}

func (f *facts) passwordMend(c class) string {
	if !c.Is("authenticationmethods", "any") {
		return f.methodsMend(c)
	}
	return "PasswordAuthentication no"
}

// sshdFinding is a finding about one keyword. The mend stands in its place, or in front of everything, where it counts
// first (sshd_config(5)).
func (f *facts) sshdFinding(c class, id string, effect Effect, keyword, mend, what, outcome string) Finding {
	found := Finding{ID: id, Effect: effect, What: what, Outcome: outcome, Services: []string{"sshd"}, File: f.etc() + sshdconfig.Path}
	edit := Edit{File: f.etc() + sshdconfig.Path, Line: 1, New: mend}
	if !c.every {
		found.Users = c.users
	}
	for _, d := range f.sshd.directives {
		differs := !c.every && c.Settings[keyword] != f.sshd.all[keyword]
		if d.Keyword == keyword && d.Matched == differs && strings.EqualFold(strings.Join(strings.Fields(d.Value), " "), c.Settings[keyword]) {
			found.File, found.Line = d.File, d.Line
			edit = Edit{File: d.File, Line: d.Line, Old: d.Text, New: mend}
			break
		}
	}
	found.Mend = Mend{Edits: []Edit{edit}}
	return found
}

// rootMayLogIn reports whether root can come in over SSH at all.
func (f *facts) rootMayLogIn() bool {
	return f.sshd == nil || !f.rootClass().Is("permitrootlogin", "no")
}

func (f *facts) rootClass() class {
	return f.sshd.classes[slices.IndexFunc(f.sshd.classes, func(c class) bool { return slices.Contains(c.users, "root") })]
}

// checkRoot looks at what PermitRootLogin leaves of root's ways in.
func (f *facts) checkRoot(c class) []Finding {
	if !slices.Contains(c.users, "root") || !c.Is("usepam", "yes") {
		return nil
	}
	c.users, c.every = []string{"root"}, false
	asked := f.asks(login{user: "root", service: "sshd"})
	switch c.Settings["permitrootlogin"] {
	case "yes":
		if !asked && !f.enrolled["root"] && slices.ContainsFunc(c.Methods(), func(l []string) bool { return !sshdconfig.Has(l, "publickey") }) {
			return []Finding{f.rootFinding(c, "sshd-root-password", LetsPast, "PermitRootLogin prohibit-password",
				"root may log in over SSH with a password, and is asked for no code.", "Whoever guesses root's password is in.")}
		}
	case "without-password", "prohibit-password":
		alone := slices.ContainsFunc(c.Methods(), func(l []string) bool {
			return !sshdconfig.Has(l, "keyboard-interactive") && !sshdconfig.Has(l, "password")
		})
		if !alone && f.rootHasKeys() {
			return []Finding{f.rootFinding(c, "sshd-root-refused", LocksOut, "PermitRootLogin yes",
				"root logs in over SSH with a key, which AuthenticationMethods has followed by keyboard-interactive, and PermitRootLogin prohibit-password forbids root that.",
				"root cannot log in over SSH.")}
		}
	}
	return nil
}

func (f *facts) rootFinding(c class, id string, effect Effect, mend, what, outcome string) Finding {
	found := f.sshdFinding(c, id, effect, "permitrootlogin", mend, what, outcome)
	if found.Line == 0 { // "prohibit-password" is printed as "without-password"
		for _, d := range f.sshd.directives {
			if d.Keyword == "permitrootlogin" {
				found.File, found.Line = d.File, d.Line
				found.Mend = Mend{Edits: []Edit{{File: d.File, Line: d.Line, Old: d.Text, New: mend}}}
				break
			}
		}
	}
	return found
}

// rootHasKeys reports whether there are keys that let root in.
func (f *facts) rootHasKeys() bool {
	home := "/root"
	if u, ok := f.people.find("root"); ok {
		home = u.home
	}
	st, err := os.Stat(f.path(home + "/.ssh/authorized_keys"))
	return err == nil && st.Size() > 0
}
