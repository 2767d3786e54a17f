package verifier

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"sallyport/internal/audit"
	"sallyport/internal/clock"
	"sallyport/internal/disk"
	"sallyport/internal/ledger"
	"sallyport/internal/login"
	"sallyport/internal/policy"
	"sallyport/internal/session"
	"sallyport/internal/vault"
	"sallyport/internal/wire"
)

// lockWait is how long the Go half waits for the ledger's lock: other Go halves hold it for one step each, the daemon
// for life.
const lockWait = 400 * time.Millisecond

// ServeEmbedded serves one connection of the module in place of the daemon, on the same files.
func ServeEmbedded(root disk.Root, conn *wire.Conn) error {
	log := audit.Open(io.Discard)
	p, err := policy.Load(root)
	if err == nil && p.Enabled && p.OnDaemonFailure != policy.FailureVerify {
		err = errors.New("the daemon is away, and on_daemon_failure is \"deny\"")
	}
	if err != nil {
		log.Record(audit.Event{Kind: audit.Unavailable, Reason: err.Error()})
		return errors.Join(err, reply(conn, login.Refuse(login.Unavailable, login.TextUnavailable)))
	}
	files := &disk.OS{}
	v := New(Config{
		Policy:  p,
		Records: vault.Open(files, root, vault.LoadKeys(files, root, "")),
		Ledgers: PerStep{Root: root, Files: files, Log: log, Now: time.Now, Wait: lockWait},
		Leaders: session.Passing{Processes: session.Kernel{}, Pace: briefPace(), Now: time.Now},
		Users:   NSS{},
		Audit:   log,
		Now:     time.Now,
		Booted:  clock.Booted,
		Rand:    rand.Reader,
	})
	return v.ServePackets(Caller{UID: uint32(os.Geteuid()), PID: int32(os.Getppid())}, conn)
}

// briefPace fits into the time that the module has for an answer.
func briefPace() session.Pace {
	return session.Pace{Notice: 250 * time.Millisecond, Term: 5 * time.Second}
}

// PerStep opens the ledger for one step, and waits so long for its lock.
type PerStep struct {
	Root  disk.Root
	Files disk.FS // for the saved copy
	Log   audit.Log
	Now   func() time.Time
	Wait  time.Duration
}

// Borrow takes the ledger's lock until the step is over.
func (s PerStep) Borrow() (Ledger, func(), error) {
	warn := func(format string, args ...any) {
		s.Log.Record(audit.Event{Kind: audit.SavedCopyStale, Reason: fmt.Sprintf(format, args...)})
	}
	l, err := ledger.Open(ledger.Options{Root: s.Root, FS: s.Files, Now: s.Now(), Wait: s.Wait, Warn: warn})
	if err != nil {
		return nil, nil, err
	}
	return l, func() { _ = l.Close() }, nil // what was put is stored; the lock goes with the file
}
