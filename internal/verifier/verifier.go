// Package verifier puts policy, vault, ledger and the pure packages login and enroll together: it reads the facts,
// has them judged, stores what changed and only then answers. The daemon runs one for its life; the module's Go half
// runs one for a login while the daemon is away (DESIGN §1.1, §1.2).
package verifier

import (
	"io"
	"os"
	"sync/atomic"
	"time"

	"sallyport/internal/audit"
	"sallyport/internal/clock"
	"sallyport/internal/ledger"
	"sallyport/internal/otp"
	"sallyport/internal/policy"
	"sallyport/internal/session"
	"sallyport/internal/vault"
)

// Records is what the verifier needs of the vault: one durable record a user. Get returns an error that wraps
// vault.ErrNotEnrolled where there is none for this user with this uid, Read where there is none for the user; Put and
// Delete are durable when they return. Feign does the work of a Put, and keeps nothing: for who has no record, so that
// the time does not tell.
type Records interface {
	Get(user string, uid uint32) (*vault.Record, error)
	Read(user string) (*vault.Record, error)
	Put(*vault.Record) error
	Delete(user string) error
	Feign() error
}

// Ledger is what the verifier needs of the ledger.
type Ledger interface {
	Get(user string) (*ledger.Account, error)
	Put(user string, a *ledger.Account) error
	Quarantine() time.Time
	Remembering(mark string) (turn uint64, err error)
	// Save makes durable what is in the ledger.
	Save(clean bool, now time.Time) error

	// Windows are the user's or, where user is empty, everybody's by user; the oldest first.
	Windows(user string) ([]ledger.Window, error)
	PutWindows(...ledger.Window) error
	DeleteWindow(user, id string) (was bool, err error)
}

// Leaders is what the verifier needs of the processes that lead sessions.
type Leaders interface {
	session.Processes
	// Hold takes hold of a window's leader, and calls gone when that has ended. It fails with session.ErrGone where it
	// has ended already.
	Hold(w ledger.Window, gone func()) error
	// Forget lets go of it.
	Forget(ledger.Window)
	// End begins to end windows that are marked as ending.
	End([]ledger.Window)
}

// Ledgers lends the ledger for one step. The daemon, which holds it for life, lends it at once; the Go half takes the
// file's lock for the step, so that nobody waits while a person types. Borrow fails with ledger.ErrHeld where another
// process has it.
type Ledgers interface {
	Borrow() (l Ledger, giveBack func(), err error)
}

// Directory is the host's user database (NSS).
type Directory interface {
	// Lookup returns the user's uid. An error that wraps ErrUnknownUser means that there is no such user; any other
	// means that the question was not answered.
	Lookup(user string) (uid uint32, err error)
	Groups(user string) ([]string, error)
	// Name returns the user's name, or an error that wraps ErrUnknownUser.
	Name(uid uint32) (string, error)
}

// Clock is who watches the host's clock, of which codes tell much (DESIGN §8). It waits for nothing.
type Clock interface {
	State() clock.State
	// Accepted is called with what a right code said of two clocks.
	Accepted(user string, s clock.Sample)
	// Refused is called with a code that was not right. s has the time; which step of which key it belongs to, if any,
	// is found out where no login waits for it.
	Refused(user string, keys []otp.Key, code string, s clock.Sample)
}

// Config is what a verifier works with.
type Config struct {
	Policy  *policy.Policy
	Records Records
	Ledgers Ledgers
	Leaders Leaders
	Users   Directory
	Recent  Directory // for logins: Users, which may be two seconds late; nil: Users
	Audit   audit.Log
	Clock   Clock // nil: nobody watches the host's clock
	Now     func() time.Time
	Booted  func() time.Time // clock.Booted; nil: how the clock was set is not known
	Rand    io.Reader
}

// Verifier judges logins and changes second factors. It is safe for concurrent use.
type Verifier struct {
	Config
	policy atomic.Pointer[policy.Policy]
	locks  userLocks
	// unlocksKept is that the ledger's copy has no lock that an unlock of this process has ended.
	unlocksKept atomic.Bool
}

// New makes a verifier.
func New(c Config) *Verifier {
	if c.Recent == nil {
		c.Recent = c.Users
	}
	v := &Verifier{Config: c}
	v.policy.Store(c.Policy)
	return v
}

// Policy is the policy in force.
func (v *Verifier) Policy() *policy.Policy { return v.policy.Load() }

// SetPolicy puts a policy in force, from the next step of every login on. What an earlier one remembered is forgotten
// first, where this one remembers other logins; where that fails, the earlier one stays.
func (v *Verifier) SetPolicy(p *policy.Policy) error {
	l, giveBack, err := v.Ledgers.Borrow()
	if err != nil {
		return err
	}
	defer giveBack()
	if _, err := l.Remembering(p.RememberMark()); err != nil {
		return err
	}
	v.policy.Store(p)
	return nil
}

// issuer is what authenticator apps show: the policy's, or the host's name.
func (v *Verifier) issuer(p *policy.Policy) string {
	if p.Issuer != "" {
		return p.Issuer
	}
	if name, err := os.Hostname(); err == nil && name != "" {
		return name
	}
	return "Sallyport"
}
