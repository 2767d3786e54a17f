package simulate

import (
	"encoding/base32"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	"sallyport/internal/enroll"
	"sallyport/internal/login"
	"sallyport/internal/otp"
	"sallyport/internal/verifier"
)

// setup waits for its first code.
type setup struct {
	id       string
	device   *device
	replaces *device
	expires  time.Time
}

// newSetup is a set-up that has begun, which the user has the key of. The one before does not count any more.
func (w *World) newSetup(u *user, id string, key otp.Key, expires time.Time) *setup {
	u.made++
	u.waits = &setup{id: id, expires: expires, device: &device{
		n: u.made, secret: key.Secret.Bytes(), algorithm: string(key.Algorithm), digits: key.Digits, period: int64(key.Period / time.Second),
		drift: w.span(-10*time.Second, 10*time.Second), used: map[int64]bool{}, unclear: map[int64]bool{}, newest: -1,
	}}
	return u.waits
}

func (w *World) newDevice(u *user, s enroll.Setup, o enroll.Options) {
	waits := w.newSetup(u, s.ID, s.URI.Key, s.Expires)
	for _, t := range u.has().tokens {
		if t.id == o.Replaces {
			waits.replaces = t.device
		}
	}
}

// shown is the set-up that a login shows: its key is in what is said, or in what is asked.
func (w *World) shown(u *user, s login.Step) *setup {
	at := regexp.MustCompile(`(?:Key: +|with this key: )([A-Z2-7 ]+)`).FindStringSubmatch(spoken(s))
	if at == nil {
		w.fail("%s is to set up a second factor, and is shown no key", u.name)
		return nil
	}
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ReplaceAll(at[1], " ", ""))
	if err != nil {
		w.fail("the key that %s is shown: %v", u.name, err)
		return nil
	}
	key := otp.Key{Kind: otp.TOTP, Secret: otp.NewSecret(secret), Algorithm: otp.SHA1, Digits: 6, Period: 30 * time.Second}
	return w.newSetup(u, s.Resume, key, w.clock.host().Add(enroll.Lifetime))
}

// spoken is all that a step has for the person.
func spoken(s login.Step) string {
	var lines []string
	for _, m := range s.Tell {
		lines = append(lines, m.Text)
	}
	if s.Ask != nil {
		lines = append(lines, s.Ask.Text)
	}
	return strings.Join(lines, "\n")
}

// opens says which step of the set-up's device a code is right for that would end it: unclear, where it may have expired.
func (w *World) opens(u *user, s *setup, code string) (step int64, f finding) {
	has := u.has()
	left := s.expires.Sub(w.clock.host())
	if has.pending != s.id || left < -time.Second || len(code) != s.device.digits {
		return 0, wrong
	}
	first, last := w.reach(token{device: s.device})
	if s.device.period == 0 {
		first = 0
	}
	for step := first; step <= last; step++ {
		if s.device.code(step) == code {
			if left < time.Second {
				return step, unclear
			}
			return step, right
		}
	}
	return 0, wrong
}

// completed is the record after the set-up has got its first code.
func (s *setup) completed(step int64, recovery []string) func(record) record {
	if len(recovery) == 0 {
		recovery = slices.Repeat([]string{lost}, otp.RecoveryCodes)
	}
	return func(r record) record {
		r.pending = ""
		if s.replaces != nil {
			r.tokens = slices.DeleteFunc(r.tokens, func(t token) bool { return t.device == s.replaces })
		}
		r.tokens = append(r.tokens, token{device: s.device})
		if s.device.period == 0 {
			r.tokens[len(r.tokens)-1].counter = step + 1
		}
		if len(r.recovery) == 0 {
			r.recovery = recovery
		}
		return r
	}
}

// confirm ends a set-up with its first code, or tries to with another one.
func (w *World) confirm(u *user) {
	s := u.waits
	code, _ := s.device.shows(w.clock.truth)
	if w.chance(10) {
		code = w.guess(u)
	}
	step, fits := w.opens(u, s, code)
	var done enroll.Done
	err, ok := w.change(u, "confirms with "+code, func(v *verifier.Verifier) (err error) {
		done, err = v.Confirm(u.name, s.id, code, "")
		return err
	})
	if !ok {
		return
	}
	w.saw(u, code)
	switch {
	case w.op.died:
	case err == nil && fits == wrong:
		w.fail("%s ends a set-up by a code that is wrong, or one that waits no more", u.name)
	case err != nil && fits == right && !w.diskFails():
		w.fail("%s does not end a set-up by a code that is right: %v", u.name, err)
	}
	if fits == wrong {
		w.settle(u, u.rec)
	} else {
		w.finish(u, err, []record{u.rec}, s.completed(step, done.Recovery))
	}
	switch {
	case u.rec.find(s.device) != nil:
		w.confirmed(u, s, step)
	case errors.Is(err, enroll.ErrNoSetup):
		u.waits = nil
	}
}

// confirmed is that a device counts. Where the process died, the ledger may not know that its first code was used: nobody
// was let in by it.
func (w *World) confirmed(u *user, s *setup, step int64) {
	u.waits = nil
	for _, t := range w.stored(u).Tokens {
		if string(t.Key.Secret.Bytes()) == string(s.device.secret) {
			s.device.id = t.ID
		}
	}
	s.device.presses = step + 1
	s.device.born = -1
	if w.op.stored {
		s.device.born = w.distrust
		if s.replaces != nil {
			u.forget()
		}
	}
	if w.op.stored && s.device.period > 0 {
		s.device.use(step)
	}
}

// answerSetup is the first code of a set-up in a login.
func (w *World) answerSetup(t *talk) {
	u, setup := t.u, t.setup
	code, _ := setup.device.shows(w.clock.truth)
	if w.chance(20) {
		code = w.guess(u)
	}
	w.saw(u, code)
	at, fits := w.opens(u, setup, code)
	s := w.say(t, code)
	done := t.asks == acknowledgement
	switch {
	case w.op.died:
	case s.Verdict == login.Unavailable && w.diskFails():
	case done && fits == wrong:
		w.fail("%s is set up by a code that is wrong, or of a set-up that waits no more", u.name)
	case !done && fits == right:
		w.fail("%s is not set up by a code that is right: %v", u.name, s.Verdict)
	case !done && s.Verdict != login.Denied && t.asks != setupCode:
		w.fail("%s is not set up, and the verdict is %v", u.name, s.Verdict)
	}
	w.op.acknowledged = !w.op.died && s.Verdict != login.Unavailable
	w.op.durable = done
	change := setup.completed(at, recoveryCodes.FindAllString(spoken(s), -1))
	switch {
	case done:
		w.settle(u, change(u.rec.clone()))
	case w.op.acknowledged || fits == wrong:
		w.settle(u, u.rec)
	default:
		w.settle(u, u.rec, change(u.rec.clone()))
	}
	if u.rec.find(setup.device) != nil && w.failure == nil {
		w.tally["set up in a login"]++
		w.confirmed(u, setup, at)
		if w.op.stored {
			u.welcome(t.r.Service, t.r.Source(), w.clock.host(), w.steps)
		}
	}
}

var recoveryCodes = regexp.MustCompile(`[A-Z2-7]{4}(?:-[A-Z2-7]{4}){3}`)
