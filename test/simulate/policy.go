package simulate

import (
	"fmt"
	"time"

	"sallyport/internal/policy"
)

// variant is what the policies differ in that the host has one after another.
type variant struct {
	require  string
	window   int64
	attempts int
	remember time.Duration
	limit    int
	join     string
	excess   string
}

// noCode is a service that needs none, and others are those that do.
const noCode = "cron"

var others = []string{"sshd", "login", "sudo", "cockpit"}

// isSession reports whether the logins of a service are sessions.
func isSession(service string) bool { return service != "sudo" && service != noCode }

func (w *World) draw() variant {
	v := variant{
		require: []string{"always", "always", "if-enrolled", "enroll"}[w.rng.IntN(4)], window: int64(w.rng.IntN(3)), attempts: 1 + w.rng.IntN(3),
		limit: w.rng.IntN(4), join: []string{"source", "never"}[w.rng.IntN(2)], excess: []string{"displace", "deny", "ask", "ask"}[w.rng.IntN(4)],
	}
	if w.chance(30) {
		v.remember = time.Duration(1+w.rng.IntN(12)) * time.Hour
	}
	return v
}

func (w *World) text(v variant) string {
	text := fmt.Sprintf(`
issuer = "simulation"
[codes]
window = %d
attempts = %d
[lockout]
failures = %d
within = %q
lock = %q
lock_max = %q
user_failures = %d
[sessions]
limit = %d
join = %q
excess = %q
services = ["sshd", "login", "cockpit"]
[[rule]]
services = [%q]
require = "never"
[[rule]]
require = %q
`, v.window, v.attempts, w.lim.failures, w.lim.within, w.lim.lock, w.lim.lockMax, w.lim.userFailures, v.limit, v.join, v.excess, noCode, v.require)
	if v.remember > 0 {
		text += fmt.Sprintf("remember = %q\n", v.remember)
	}
	return text
}

// reload puts another policy in force.
func (w *World) reload() {
	next := w.draw()
	p, err := policy.Parse([]policy.File{{Name: "sallyport.toml", Data: []byte(w.text(next))}})
	if err != nil {
		w.fail("the policy: %v", err)
		return
	}
	if d := w.daemon; d != nil {
		if w.as(d, func() { err = d.v.SetPolicy(p) }) {
			w.note("the daemon dies at a reload")
		} else if err != nil {
			w.fail("reloading: %v", err)
		}
	}
	if next.remember != w.remember {
		w.rememberSeq, w.rememberAt = w.steps, w.clock.host()
	}
	w.variant, w.parsed = next, p
	w.note("the policy is %+v", next)
}
