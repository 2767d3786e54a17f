// Package policy says, for each login, what Sallyport asks for: whether a code
// is needed, how many wrong ones are borne, how many sessions a user may have.
//
// A policy is read from TOML files, each of which may replace what the ones
// before it say: the vendor's defaults, the main file, the drop-ins (see Load).
// It is read-only once parsed, so any number of goroutines may ask it.
package policy

import (
	"net/netip"
	"slices"
	"time"
)

// Policy is what all files together say.
type Policy struct {
	Enabled         bool        // the host-wide switch
	Issuer          string      // shown by authenticator apps; empty: the host name
	OnDaemonFailure FailureMode // what the module does when the daemon cannot be reached
	AdminsMayEnroll bool        // whether root may set up a second factor for somebody else
	Login           Login
	Codes           Codes
	Lockout         Lockout
	Sessions        Sessions
	Clock           Clock
	API             API
	Delegates       []Delegate // in the order of the files
	Rules           []Rule     // in the order in which they are tried

	mark    string            // see RememberMark
	origins map[string]origin // where a table's setting was written; none: the default
}

// origin is a place in a policy file.
type origin struct {
	file string
	line int // from 1
}

// FailureMode is the value of on_daemon_failure.
type FailureMode string

// The values of on_daemon_failure.
const (
	FailureVerify FailureMode = "verify" // the module verifies by itself
	FailureDeny   FailureMode = "deny"   // whoever needs a code is refused
)

// Require says which logins need a code.
type Require string

// The values of require.
const (
	RequireNever      Require = "never"       // nobody is asked
	RequireIfEnrolled Require = "if-enrolled" // who has a second factor is asked, others are let in
	RequireEnroll     Require = "enroll"      // who has none sets it up in the login
	RequireAlways     Require = "always"      // who has none is refused
)

// Login is the table [login].
type Login struct {
	Trusted Members // besides root: whose programs may verify for others
}

// Codes is the table [codes].
type Codes struct {
	Window   int // time steps accepted before and after now
	Attempts int // prompts in one login
}

// Lockout is the table [lockout].
type Lockout struct {
	Failures     int           // wrong codes from one source ...
	Within       time.Duration // ... in this time begin a lock
	Lock         time.Duration // the first lock; each repeat doubles it
	LockMax      time.Duration // the longest lock
	UserFailures int           // wrong codes for one user from all sources in 24 hours
}

// Sessions is the table [sessions].
type Sessions struct {
	Limit    int // sessions that a user may have; 0: not limited
	Join     Join
	Excess   Excess
	Logout   Logout
	Services []string // PAM services whose sessions count
}

// Join says which logins share a session.
type Join string

// The values of sessions.join.
const (
	JoinSource Join = "source" // those from the same host
	JoinNever  Join = "never"  // none: each login counts
)

// Excess says what happens to a session beyond the limit.
type Excess string

// The values of sessions.excess.
const (
	ExcessDeny     Excess = "deny"     // the new one is refused
	ExcessDisplace Excess = "displace" // the oldest one is ended
	ExcessAsk      Excess = "ask"      // the person who logs in decides
)

// Logout says what the end of one window of a session ends.
type Logout string

// The values of sessions.logout.
const (
	LogoutOne Logout = "one" // that window
	LogoutAll Logout = "all" // all windows of the session
)

// Clock is the table [clock].
type Clock struct {
	Warn    time.Duration // the error of the clock from which on it is warned about
	Servers []string      // NTP servers to ask: host, address, or either with :port
	Notify  Members       // who sees the warning at login
}

// API is the table [api]: services that are programs, not people.
type API struct {
	Services []string
	Enabled  bool // whether they need a code too
}

// Delegate is one [[delegate]]: who may do what with whose second factor.
type Delegate struct {
	File string
	Line int // of [[delegate]]
	Who  Members
	Over Members
	// Owners is a file that says whose each account is: the delegate's are those whose owner has the delegate's own
	// name. Empty: there is none.
	Owners string
	May    []string // "list", "disable", "unlock", "sessions"

	lines map[string]int // where each key was written
}

// Rule is one [[rule]]. The zero value of a matcher matches everything; the
// zero value of a setting counts only where the rule sets it.
type Rule struct {
	File string
	Line int // of [[rule]]

	Services  []string
	Users     Members
	From      []netip.Prefix
	PublicKey *bool // whether sshd has accepted a key
	Between   Hours

	Require  Require
	Until    time.Time // with RequireEnroll: optional before; zero: never optional
	Remember time.Duration
	Prompt   string // what asks for the code; ends in a blank
	Message  string // above the first prompt
	Refused  string // to who is refused
	Window   int
	Attempts int
	Limit    int
	Join     Join
	Excess   Excess
	Logout   Logout

	sets  setting        // what the rule sets
	lines map[string]int // where each key was written
}

// setting is a set of the settings that a rule may make.
type setting uint16

const (
	setRequire setting = 1 << iota // until belongs to it
	setRemember
	setPrompt
	setMessage
	setRefused
	setWindow
	setAttempts
	setLimit
	setJoin
	setExcess
	setLogout
	setAll setting = 1<<iota - 1

	setTexts = setPrompt | setMessage | setRefused
)

// defaultPolicy is the policy of a host without any policy file.
func defaultPolicy() *Policy {
	return &Policy{
		Enabled:         true,
		OnDaemonFailure: FailureVerify,
		Codes:           Codes{Window: 1, Attempts: 3},
		Lockout: Lockout{
			Failures:     5,
			Within:       10 * time.Minute,
			Lock:         5 * time.Minute,
			LockMax:      24 * time.Hour,
			UserFailures: 20,
		},
		Sessions: Sessions{
			Limit:    1,
			Join:     JoinSource,
			Excess:   ExcessDisplace,
			Logout:   LogoutOne,
			Services: []string{"sshd", "login", "cockpit", "gdm-password", "lightdm", "xrdp-sesman"},
		},
		Clock:   Clock{Warn: 5 * time.Second, Notify: Members{"@sudo"}},
		origins: make(map[string]origin),
	}
}

// isAPI reports whether the service is a program rather than a person.
func (p *Policy) isAPI(service string) bool {
	return slices.Contains(p.API.Services, service)
}
