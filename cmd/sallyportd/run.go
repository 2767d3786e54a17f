package main

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"sallyport/internal/audit"
	"sallyport/internal/ledger"
)

const (
	keyEvery = 5 * time.Second // where the vault's key could not be read
	stopWait = 2 * time.Second // for the steps that are under way
)

// run serves until a signal says to stop, or the sockets fail.
func (d *daemon) run(signals <-chan os.Signal) error {
	failed := make(chan error, 1)
	go func() { failed <- d.server.Serve(d.listeners) }()
	watchdog, stopWatchdog := watchdogTicks()
	defer stopWatchdog()
	defer d.watchClock()()
	save := time.NewTicker(ledger.SaveEvery)
	defer save.Stop()
	key := time.NewTicker(keyEvery)
	defer key.Stop()
	if d.keyProblem == nil {
		key.Stop()
	}

	d.log.Record(audit.Event{Kind: audit.DaemonStarted})
	notify(ready, d.status())
	for {
		select {
		case s := <-signals:
			if s != unix.SIGHUP {
				return nil
			}
			_ = d.reload() // the log has it, and the status line
		case <-watchdog:
			if d.works() {
				notify(alive)
			}
		case <-save.C:
			d.save(false)
			notify(d.status())
		case <-key.C:
			if d.retryKeys() {
				key.Stop()
			}
		case <-d.setBack:
			d.save(false)
		case err := <-failed:
			return err
		}
	}
}

// works proves that steps can be judged: whatever would have them wait for ever has this wait, too.
func (d *daemon) works() bool {
	_, err := d.ledger.Get("root")
	return err == nil
}

// retryKeys tries again to read the vault's keys, and reports whether they could be.
func (d *daemon) retryKeys() bool {
	err := d.vault.RetryKeys()
	d.mu.Lock()
	changed := fmt.Sprint(err) != fmt.Sprint(d.keyProblem)
	d.keyProblem = err
	d.mu.Unlock()
	switch {
	case err == nil:
		d.log.Record(audit.Event{Kind: audit.VaultKeyRead})
	case changed:
		d.log.Record(audit.Event{Kind: audit.RecordUnreadable, Reason: err.Error()})
	}
	if changed {
		notify(d.status())
	}
	return err == nil
}

// save keeps a copy of the ledger for after a power loss; clean is for the last one, behind which nothing happens.
func (d *daemon) save(clean bool) {
	now := time.Now()
	if err := d.ledger.Prune(now); err != nil {
		d.log.Record(audit.Event{Kind: audit.RecordUnreadable, Reason: err.Error(), Path: d.root.LedgerFile()})
	}
	if err := d.ledger.Save(clean, now); err != nil {
		d.log.Record(audit.Event{Kind: audit.SavedCopyStale, Reason: err.Error()})
	}
}

// stop ends everything in order: nobody new, the steps that are under way, the ledger.
func (d *daemon) stop() error {
	notify(stopping, "STATUS=Stopping.")
	d.listeners.Close()
	d.server.Stop(stopWait)
	d.sessions.Close()
	d.save(true)
	d.log.Record(audit.Event{Kind: audit.DaemonStopped})
	return d.ledger.Close()
}
