package transfer

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"sallyport/internal/otp"
)

// GoogleAuthenticator reads a user's ~/.google_authenticator, which pam_google_authenticator keeps: the secret in base32,
// then options, each behind a quotation mark, then scratch codes of eight digits
// (https://github.com/google/google-authenticator-libpam, FILEFORMAT).
func GoogleAuthenticator(data []byte) Account {
	g := google{step: 30 * time.Second}
	g.Err = lines(data, MaxHome, func(n int, line string) {
		if err := g.line(line); err != nil && g.failed == nil {
			g.failed = fmt.Errorf("line %d: %w", n, err)
		}
	})
	if g.Err == nil {
		g.Err = g.failed
	}
	if g.Err == nil {
		g.Err = g.finish()
	}
	g.Err = g.check()
	return g.Account
}

// google is a file as far as it was read.
type google struct {
	Account
	failed  error
	secret  *otp.Secret
	totp    bool
	hotp    bool
	counter int64
	step    time.Duration
	skew    int64
	used    []int64
}

func (g *google) line(line string) error {
	if g.secret == nil {
		s, err := otp.ParseSecret(line)
		g.secret = &s
		return err
	}
	if option, ok := strings.CutPrefix(line, `"`); ok {
		words := strings.Fields(option)
		if len(words) == 0 {
			return errors.New("there is no option behind the quotation mark")
		}
		return g.option(words[0], words[1:])
	}
	if shape, code := otp.Classify(line); shape != otp.ShapeCode || len(code) != 8 {
		return errors.New("must be an option behind a quotation mark, or a scratch code of 8 digits")
	}
	g.Scratch = append(g.Scratch, otp.NewSecret([]byte(line)))
	return nil
}

func (g *google) option(name string, values []string) error {
	switch name {
	case "TOTP_AUTH":
		g.totp = true
		return nil
	case "HOTP_COUNTER":
		g.hotp = true
		return one(name, values, 0, 1<<62, &g.counter)
	case "STEP_SIZE":
		seconds := int64(0)
		err := one(name, values, 1, 1<<20, &seconds)
		g.step = time.Duration(seconds) * time.Second
		return err
	case "TIME_SKEW":
		return one(name, values, -1<<31, 1<<31, &g.skew)
	case "DISALLOW_REUSE":
		return g.reuse(values)
	case "WINDOW_SIZE":
		g.note("Its WINDOW_SIZE is not taken over; codes.window of the policy counts.")
	case "RATE_LIMIT":
		g.note("Its RATE_LIMIT is not taken over; [lockout] of the policy counts.")
	case "RESETTING_TIME_SKEW": // a skew that it was about to learn
	default:
		g.note("Its option %s is not taken over.", shown(name))
	}
	return nil
}

// reuse takes the steps of codes that were used.
func (g *google) reuse(values []string) error {
	for _, v := range values {
		var step int64
		if err := one("DISALLOW_REUSE", []string{v}, 0, 1<<40, &step); err != nil {
			return err
		}
		g.used = append(g.used, step)
	}
	return nil
}

func (g *google) finish() error {
	switch {
	case g.secret == nil:
		return errors.New("it is empty")
	case g.totp == g.hotp:
		return errors.New("it must have one of the options TOTP_AUTH and HOTP_COUNTER")
	}
	d := Device{Label: "phone", Key: otp.Key{Kind: otp.TOTP, Algorithm: otp.SHA1, Secret: *g.secret, Digits: 6, Period: g.step}}
	if g.hotp {
		d.Key.Kind, d.Key.Period, d.Counter = otp.HOTP, 0, g.counter
	} else {
		d.Offset, d.Used = g.skew, g.used
	}
	g.Devices = []Device{d}
	return nil
}

// one takes an option's only value, a number.
func one(name string, values []string, least, most int64, into *int64) error {
	if len(values) != 1 {
		return fmt.Errorf("%s must have one value", name)
	}
	n, err := strconv.ParseInt(values[0], 10, 64)
	if err != nil || n < least || n > most {
		return fmt.Errorf("%s must be a number from %d to %d", name, least, most)
	}
	*into = n
	return nil
}
