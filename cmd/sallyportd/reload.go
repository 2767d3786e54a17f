package main

import (
	"errors"
	"fmt"
	"strings"

	sdnotify "github.com/coreos/go-systemd/v22/daemon"

	"sallyport/internal/audit"
	"sallyport/internal/policy"
)

// reload reads the policy again. One with problems leaves the one before in force.
func (d *daemon) reload() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.reloadLocked()
}

func (d *daemon) reloadLocked() error {
	notify(reloading, strings.TrimSpace(sdnotify.SdNotifyMonotonicUsec()))
	p, err := policy.Load(d.root)
	if err == nil {
		err = d.verifier.SetPolicy(p)
	}
	d.rejected = err
	if err != nil {
		d.log.Record(audit.Event{Kind: audit.PolicyRejected, Reason: err.Error()})
	} else {
		d.monitor.Ask() // clock.warn or clock.servers may be new
		d.log.Record(audit.Event{Kind: audit.PolicyReloaded})
	}
	notify(ready, d.statusLocked())
	return err
}

// status is the line that "systemctl status" shows.
func (d *daemon) status() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.statusLocked()
}

func (d *daemon) statusLocked() string {
	if warning := d.monitor.State().Advice(); warning != "" {
		return d.policyStatus() + " " + warning
	}
	return d.policyStatus()
}

func (d *daemon) policyStatus() string {
	if d.rejected != nil {
		return "STATUS=The policy has problems, the one before stays in force: " + firstProblem(d.rejected)
	}
	if d.keyProblem != nil {
		return "STATUS=No record can be written, and no sealed one read: " + firstProblem(d.keyProblem)
	}
	users := "users"
	n := d.vault.Count()
	if n == 1 {
		users = "user"
	}
	return fmt.Sprintf("STATUS=Ready: %d %s enrolled, policy from %s.", n, users, d.root.Config())
}

// firstProblem is the first one, and how many more there are, in one line.
func firstProblem(err error) string {
	var problems policy.Problems
	if !errors.As(err, &problems) || len(problems) == 0 {
		return strings.ReplaceAll(err.Error(), "\n", " ")
	}
	text := strings.ReplaceAll(problems[0].String(), "\n", " ")
	if more := len(problems) - 1; more > 0 {
		text += fmt.Sprintf(" (and %d more: sallyportctl policy check)", more)
	}
	return text
}
