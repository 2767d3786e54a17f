package main

import (
	"context"
	"time"

	"golang.org/x/sys/unix"

	"sallyport/internal/clock"
	"sallyport/internal/clock/monitor"
)

// newMonitor makes who watches the host's clock. The clock, and who sets it, is the host's, whatever tree of files the
// daemon works on.
func (d *daemon) newMonitor() *monitor.Monitor {
	settings := func() monitor.Settings {
		c := d.verifier.Policy().Clock
		return monitor.Settings{Warn: c.Warn, Servers: c.Servers}
	}
	servers := &monitor.Servers{
		List: func() []string { return settings().Servers }, Now: time.Now, Booted: clock.Booted,
		Done: func() { d.monitor.Ask() },
	}
	return monitor.New(monitor.Config{
		Settings: settings,
		History:  d.ledger,
		Sources: []monitor.Source{
			servers,
			monitor.Chrony{Program: "/usr/bin/chronyc", Now: time.Now},
			monitor.Timesyncd{Runtime: "/run/systemd/timesync", Now: time.Now, Connect: monitor.SystemBus},
			monitor.Kernel{Now: time.Now, Adjtimex: unix.Adjtimex},
		},
		Mend:    func() string { return monitor.Mend("/") },
		Guest:   monitor.Guest("/"),
		Changed: func() { notify(d.status()) },
		Audit:   d.log,
		Now:     time.Now,
		Booted:  clock.Booted,
		Jumps:   monitor.WatchJumps,
		SetBack: d.clockSetBack,
	})
}

// clockSetBack has run make a copy of the ledger. A code that was used while the clock was ahead will be right once more, and
// the quarantine after a power loss would not reach as far.
func (d *daemon) clockSetBack() {
	select {
	case d.setBack <- struct{}{}:
	default: // it is about to
	}
}

// watchClock watches until it is told to stop.
func (d *daemon) watchClock() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan struct{})
	go func() { defer close(over); d.monitor.Run(ctx) }()
	return func() { cancel(); <-over }
}
