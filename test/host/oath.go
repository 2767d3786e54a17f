package host

import (
	"fmt"
	"strings"
	"time"
)

// Authenticator is the app on a person's phone: TOTP, SHA1, six digits, 30 seconds, played by oathtool(1).
type Authenticator struct {
	t    T
	key  string // base32
	last int64  // the newest step whose code was given out
}

// Period is how long a code is shown, Window how many steps before and after now a server takes by default.
const (
	Period = 30 * time.Second
	Window = 1
)

// NewAuthenticator takes a key in base32, as it is typed into an app.
func NewAuthenticator(t T, key string) *Authenticator {
	return &Authenticator{t: t, key: strings.Join(strings.Fields(key), "")}
}

func step(at time.Time) int64 { return at.Unix() / int64(Period/time.Second) }

// Code is a code that the server takes now and has not seen: that of the oldest step within Window whose code has not
// been given out. So three are to be had at once; who wants more waits for the next step.
func (a *Authenticator) Code() string {
	a.t.Helper()
	const slow = 5 * time.Second // time for the code to reach the server before its step leaves the window
	for {
		now := time.Now()
		next := max(a.last+1, step(now.Add(slow))-Window)
		if next <= step(now)+Window {
			a.last = next
			return a.At(next)
		}
		Eventually(a.t, "the next time step", func() bool { return step(time.Now()) > step(now) })
	}
}

// At is the code of a step.
func (a *Authenticator) At(step int64) string {
	a.t.Helper()
	at := fmt.Sprintf("@%d", step*int64(Period/time.Second))
	return strings.TrimSpace(Output(a.t, "oathtool", "--totp=sha1", "--base32", "--now", at, "--", a.key))
}

// Wrong is a code that none of the steps around now has.
func (a *Authenticator) Wrong() string {
	a.t.Helper()
	right := map[string]bool{}
	for s := step(time.Now()) - 3; s <= step(time.Now())+3; s++ {
		right[a.At(s)] = true
	}
	for n := 0; ; n++ {
		if code := fmt.Sprintf("%06d", 111111*(n%10)+n/10); !right[code] {
			return code
		}
	}
}
