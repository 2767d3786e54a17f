package verifier

import (
	"time"

	"sallyport/internal/clock"
	"sallyport/internal/login"
	"sallyport/internal/otp"
)

// clock is what is known of the host's clock.
func (v *Verifier) clock() clock.State {
	if v.Clock == nil {
		return clock.State{}
	}
	return v.Clock.State()
}

func (v *Verifier) booted() time.Time {
	if v.Booted == nil {
		return time.Time{}
	}
	return v.Booted()
}

// notify reports whether the user is one of those who are told that the clock is wrong, while it is. Where the user
// database does not answer nobody is: a login does not depend on it.
func (v *Verifier) notify(r login.Request) bool {
	if !r.Known || !v.clock().Bad {
		return false
	}
	told, err := v.Notified(r.User)
	return told && err == nil
}

// Notified reports whether the policy's clock.notify names a user.
func (v *Verifier) Notified(user string) (bool, error) {
	return v.policy.Load().Clock.Notify.Include(user, func() ([]string, error) { return v.Recent.Groups(user) })
}

// refused has it found out whether an answer that was not right is the code of another time: where many people's are,
// the clock is far off. It tells the person nothing, and counts as before: that a code is right at some other time would
// be news to who guesses.
func (v *Verifier) refused(f *login.Facts, answer string) {
	if v.Clock == nil || !f.Enrolled() {
		return
	}
	shape, code := otp.Classify(answer)
	if shape != otp.ShapeCode {
		return
	}
	var keys []otp.Key
	for _, t := range f.Record.Tokens {
		if t.Key.Kind == otp.TOTP && t.Key.Digits == len(code) {
			keys = append(keys, t.Key)
		}
	}
	if len(keys) > 0 {
		v.Clock.Refused(f.Record.User, keys, code, clock.Sample{At: f.Now, Booted: f.Booted})
	}
}
