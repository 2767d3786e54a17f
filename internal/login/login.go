// Package login is one login as a state machine: facts and what was typed go in, the next step comes out. It does no
// I/O and reads no clock; its caller reads the facts before a step and stores what the step changed before the step's
// reply leaves (DESIGN §6).
package login

import (
	"io"
	"slices"
	"time"

	"sallyport/internal/audit"
	"sallyport/internal/clock"
	"sallyport/internal/enroll"
	"sallyport/internal/ledger"
	"sallyport/internal/policy"
	"sallyport/internal/vault"
)

// Request says who wants in, where and by which way. All strings are checked before they get here.
type Request struct {
	User    string
	UID     uint32
	Known   bool // the name service has this user
	Service string
	RHost   string
	TTY     string
	PID     int
	Methods []string // what sshd has accepted already (SSH_AUTH_INFO_0), and AuthSkipped
	Split   bool     // password and code arrive in one answer
	Silent  bool     // the host wants no messages (PAM_SILENT)
	Resume  string   // the Resume of an earlier step, when a login begins again
	// Self is set for a caller that is not trusted: it verifies for its own account, and what it says about source and
	// service is its own claim. Nothing is remembered on its word.
	Self bool
	// Program is set where nobody can hold a dialogue: one code is all that comes.
	Program bool
}

// AuthSkipped stands among the methods in the account phase of a login that PAM's auth phase did not see.
const AuthSkipped = "auth-skipped"

// PublicKey reports whether sshd has accepted a key. In the account phase sshd does not say so yet: there it is what has
// let somebody in past PAM's auth phase. What sshd has accepted only sshd can say, which runs as root.
func (r Request) PublicKey() bool {
	accepted := slices.Contains(r.Methods, "publickey") || r.Service == "sshd" && slices.Contains(r.Methods, AuthSkipped)
	return accepted && !r.Self
}

// Source is the key under which wrong codes are counted and sources are remembered.
func (r Request) Source() string {
	switch {
	case r.Self:
		return "self"
	case r.RHost == "":
		return "local"
	default:
		return r.RHost
	}
}

// overheard reports whether the program that holds the dialogue writes every message into the journal, as cockpit-session
// does (its prompts it only passes on). No message has a secret there.
func (r Request) overheard() bool { return r.Service == "cockpit" }

// Facts is all that a step depends on. Record is nil for a user who is not enrolled. A step changes Record and Account
// in place and says so in Step.SaveRecord and Step.SaveAccount.
type Facts struct {
	Now        time.Time
	Decision   policy.Decision
	Record     *vault.Record
	Account    *ledger.Account
	Sessions   Sessions
	Issuer     func() string // what authenticator apps show
	Quarantine time.Time     // steps up to here may have been used before the ledger began; zero: none
	Clock      clock.State   // what is known of the host's clock; nothing, where no daemon watches it
	Booted     time.Time     // clock.Booted of now
	Notify     func() bool   // whether the user is told where the host's clock is wrong; nil: it is not
	Rand       io.Reader

	// Missed is set by a step that counted a wrong code. The account must be kept then even where the record cannot be: on a full
	// disk guesses would not count otherwise.
	Missed bool
}

// Past is what is known of the codes that the user has used.
func (f *Facts) Past() enroll.Past {
	return enroll.Past{Account: f.Account, Quarantine: f.Quarantine, Window: f.Decision.Window}
}

// Enrolled reports whether the user has a second factor. One that waits for its first code is none.
func (f *Facts) Enrolled() bool { return f.Record != nil && len(f.Record.Tokens) > 0 }

// remembered reports whether this login is let in because a right code came from where it comes from lately.
func (f *Facts) remembered(r Request) bool {
	return !r.Self && f.Enrolled() && f.Account.Remembered(r.Service, r.Source(), f.Now, f.Decision.Remember)
}

// prompt is what asks for a code.
func (f *Facts) prompt() string {
	if f.Decision.Prompt != "" {
		return f.Decision.Prompt
	}
	return PromptCode
}

// refused adds what the policy has to say to who is refused.
func (s *Step) refused(f *Facts) {
	if f.Decision.Refused != "" && s.Ask == nil && s.Verdict != Granted && s.Verdict != NotRequired {
		s.tellError(f.Decision.Refused)
	}
}

// reach is by how many steps a code may be older than the newest accepted one and still be a replay.
func (f *Facts) reach() int64 { return 2 * int64(f.Decision.Window) }

func (f *Facts) limits() ledger.Limits {
	l := f.Decision.Lockout
	return ledger.Limits{Failures: l.Failures, Within: l.Within, Lock: l.Lock, LockMax: l.LockMax, UserFailures: l.UserFailures}
}

// Verdict ends a login. The zero value means that the dialogue goes on.
type Verdict int

// The verdicts and what the module makes of them (DESIGN §6).
const (
	Pending        Verdict = iota
	Granted                // PAM_SUCCESS
	Denied                 // PAM_AUTH_ERR
	Locked                 // PAM_MAXTRIES
	NotRequired            // PAM_IGNORE: the policy says that this login needs no code
	Unavailable            // PAM_AUTHINFO_UNAVAIL
	AccountRefused         // PAM_PERM_DENIED
	SessionRefused         // PAM_SESSION_ERR
)

func (v Verdict) String() string {
	names := [...]string{"pending", "granted", "denied", "locked", "not_required", "unavailable", "account_refused", "session_refused"}
	if v < 0 || int(v) >= len(names) {
		return "denied"
	}
	return names[v]
}

// Message is a line for the person who logs in.
type Message struct {
	Error bool
	Text  string
}

// Prompt is a question. Where Echo is false the answer is not shown as it is typed.
type Prompt struct {
	Text string
	Echo bool
}

// Step is what happens next: messages, then a question or, where Ask is nil, the verdict.
type Step struct {
	Tell    []Message
	Ask     *Prompt
	Verdict Verdict
	// PasswordLength is, for a split answer, the length in bytes of the password in front of the code; -1: not split.
	PasswordLength int
	Resume         string        // to be given back when the login has to begin again
	Until          time.Time     // with Locked: when the lock ends
	Events         []audit.Event // for the journal
	Missed         bool          // the answer was a code, and none of the user's
	Busy           bool          // with Unavailable: another process is the verifier; ask that one
	SaveRecord     bool          // Facts.Record must be durable before this step leaves; nil: as much has to be written
	SaveAccount    bool          // Facts.Account must be in the ledger before this step leaves
}

func ask(text string, echo bool) Step {
	return Step{Ask: &Prompt{Text: text, Echo: echo}, PasswordLength: -1}
}

func end(v Verdict) Step { return Step{Verdict: v, PasswordLength: -1} }

func (s *Step) tell(text string) { s.Tell = append(s.Tell, Message{Text: text}) }

// notify tells who is to know of it that the host's clock is wrong.
func (s *Step) notify(f *Facts) {
	if !f.Clock.Bad || f.Notify == nil || !f.Notify() {
		return
	}
	if advice := f.Clock.Advice(); advice != "" {
		s.tell(advice)
	}
}

func (s *Step) tellError(text string) { s.Tell = append(s.Tell, Message{Error: true, Text: text}) }

// Refuse is the step for a login that cannot be judged: something it depends on failed.
func Refuse(v Verdict, text string) Step {
	s := end(v)
	if text != "" {
		s.tellError(text)
	}
	return s
}

// Event fills in what the request says.
func (r Request) Event(kind audit.Kind) audit.Event {
	e := audit.Event{Kind: kind, User: r.User, UID: r.UID, Service: r.Service, Source: r.RHost, TTY: r.TTY, PID: r.PID}
	if r.Self {
		e.Asker = r.UID
	}
	return e
}
