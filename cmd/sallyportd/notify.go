package main

import (
	"strings"
	"time"

	sdnotify "github.com/coreos/go-systemd/v22/daemon"
)

// What the service manager is told (sd_notify(3)).
const (
	ready     = sdnotify.SdNotifyReady
	reloading = sdnotify.SdNotifyReloading
	stopping  = sdnotify.SdNotifyStopping
	alive     = sdnotify.SdNotifyWatchdog
)

// notify tells the service manager, in one message, if there is one. One that does not listen is left alone: logins do
// not depend on it.
func notify(lines ...string) {
	_, _ = sdnotify.SdNotify(false, strings.Join(lines, "\n"))
}

// watchdogTicks comes at half the interval in which the service manager wants to hear that all is well
// (sd_watchdog_enabled(3)); never, where it does not.
func watchdogTicks() (ticks <-chan time.Time, stop func()) {
	interval, err := sdnotify.SdWatchdogEnabled(false)
	if err != nil || interval <= 0 {
		return nil, func() {}
	}
	t := time.NewTicker(interval / 2)
	return t.C, t.Stop
}
