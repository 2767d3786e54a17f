package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"sallyport/internal/audit"
	"sallyport/internal/clock"
	"sallyport/internal/clock/monitor"
	"sallyport/internal/disk"
	"sallyport/internal/ledger"
	"sallyport/internal/passwd"
	"sallyport/internal/policy"
	"sallyport/internal/server"
	"sallyport/internal/session"
	"sallyport/internal/session/logind"
	"sallyport/internal/vault"
	"sallyport/internal/verifier"
)

// daemon is the verifier with what it works on, behind its sockets.
type daemon struct {
	root      disk.Root
	log       audit.Log
	ledger    *ledger.Ledger
	vault     *vault.Vault
	verifier  *verifier.Verifier
	monitor   *monitor.Monitor
	sessions  *session.Registry
	server    *server.Server
	listeners server.Listeners
	setBack   chan struct{} // the clock was

	mu         sync.Mutex // one reload at a time
	rejected   error      // what is wrong with the policy on disk; nil: it is the one in force
	keyProblem error      // why the vault's keys cannot be read; nil: they can
}

// start gets everything ready to serve. What it opened is closed again where it fails; the process ends then, too.
func start(root disk.Root, log audit.Log) (*daemon, error) {
	d := &daemon{root: root, log: log, setBack: make(chan struct{}, 1)}
	if err := checkTrust(root); err != nil {
		return nil, err
	}
	p, err := policy.Load(root)
	if err != nil {
		return nil, fmt.Errorf("the policy has problems:\n%w", err)
	}
	files := new(disk.OS)
	keys := vault.LoadKeys(files, root, os.Getenv("CREDENTIALS_DIRECTORY"))
	if d.keyProblem = keys.Problem(); d.keyProblem != nil {
		// Who needs no key logs in all the same.
		log.Record(audit.Event{Kind: audit.RecordUnreadable, Reason: d.keyProblem.Error()})
	}
	d.vault = vault.Open(files, root, keys)
	if d.ledger, err = openLedger(root, files, log); err != nil {
		return nil, err
	}
	d.tidy(files)
	if d.sessions, err = openSessions(log); err != nil {
		return nil, errors.Join(err, d.ledger.Close())
	}
	d.monitor = d.newMonitor()
	d.verifier = verifier.New(verifier.Config{
		Policy: p, Records: d.vault, Ledgers: verifier.Held{Ledger: d.ledger}, Leaders: d.sessions, Users: verifier.NSS{}, Recent: verifier.NewRecent(),
		Audit: log, Clock: d.monitor, Now: time.Now, Booted: clock.Booted, Rand: rand.Reader,
	})
	if err := d.verifier.SetPolicy(p); err != nil {
		return nil, errors.Join(err, d.ledger.Close())
	}
	if err := d.verifier.Adopt(); err != nil { // who logs in meets the same trouble, and is told
		log.Record(audit.Event{Kind: audit.RecordUnreadable, Reason: err.Error(), Path: root.LedgerFile()})
	}
	d.server, err = server.New(server.Config{Verifier: d.verifier, Vault: d.vault, Users: verifier.NSS{}, Accounts: new(passwd.Database), Reload: d.reload, Change: d.change, Clock: d.monitor.Report, Audit: log})
	if err == nil {
		d.listeners, err = listeners(root)
	}
	if err != nil {
		return nil, errors.Join(err, d.ledger.Close())
	}
	return d, nil
}

// openSessions has sessions ended as DESIGN §7 says: by a word, by logind, by signals.
func openSessions(log audit.Log) (*session.Registry, error) {
	return session.NewRegistry(session.Ladder{
		Processes: session.Kernel{},
		Logind:    logind.System{}.Terminate,
		Pace:      session.Pace{Notice: time.Second, Logind: 5 * time.Second, Term: 5 * time.Second},
	}, func(w ledger.Window, err error) {
		log.Record(audit.Event{
			Kind: audit.SessionNotEnded, User: w.User, UID: w.UID, Service: w.Service, Source: w.Source, PID: w.PID, Reason: err.Error(),
		})
	})
}

// checkTrust refuses what somebody else than root could change. Files that are not there are nobody's.
func checkTrust(root disk.Root) error {
	var all []error
	for _, dir := range []string{root.Config(), root.Vendor(), root.State(), root.Users(), root.Runtime()} {
		all = append(all, disk.CheckDir(dir))
	}
	for _, file := range []string{root.KeyFile(), root.LedgerFile(), root.SavedClean(), root.Saved()} {
		all = append(all, disk.CheckFile(file, disk.Secret))
	}
	for i, err := range all {
		if errors.Is(err, fs.ErrNotExist) {
			all[i] = nil
		}
	}
	return errors.Join(all...)
}

// ledgerWait is how long to wait for the ledger: logins that verified without the daemon may still have it.
const ledgerWait = 10 * time.Second

func openLedger(root disk.Root, files disk.FS, log audit.Log) (*ledger.Ledger, error) {
	now := time.Now()
	l, err := ledger.Open(ledger.Options{
		Root: root, FS: files, Now: now, Wait: ledgerWait,
		Warn: func(format string, args ...any) {
			log.Record(audit.Event{Kind: audit.SavedCopyStale, Reason: fmt.Sprintf(format, args...)})
		},
	})
	if errors.Is(err, ledger.ErrHeld) {
		return nil, fmt.Errorf("%w, and has had it for %v: another sallyportd, or a login that hangs; to see which: fuser -v %s",
			err, ledgerWait, root.LedgerFile())
	}
	if err != nil {
		return nil, err
	}
	if q := l.Quarantine(); !q.IsZero() && q.After(now.Add(-time.Minute)) {
		log.Record(audit.Event{Kind: audit.LedgerQuarantined, Until: q})
	}
	return l, nil
}

// tidy removes what a crash left of unfinished writes. Where that fails, on a read-only disk, they do no harm.
func (d *daemon) tidy(files disk.FS) {
	for _, dir := range []string{d.root.Users(), d.root.State(), d.root.Config(), d.root.DropIns()} {
		if err := disk.RemoveTemps(files, dir); err != nil {
			d.log.Record(audit.Event{Kind: audit.RecordUnreadable, Reason: err.Error(), Path: dir})
		}
	}
}

// listeners are systemd's sockets or, without systemd, our own.
func listeners(root disk.Root) (server.Listeners, error) {
	l, ok, err := server.Activated()
	if ok || err != nil {
		return l, err
	}
	return server.Listen(root)
}
