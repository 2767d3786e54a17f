package transfer

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"sallyport/internal/otp"
)

// OATH reads the users file of pam_oath (users.oath): on each line type, user, PIN, secret in hexadecimal digits and, once
// it was used, the counter, the last code and when that was, by the host's clock in zone (OATH Toolkit,
// liboath/usersfile.c). A user with a PIN is refused unless withoutPINs: without it the code alone lets in whoever the
// stack asks for no password.
func OATH(data []byte, zone *time.Location, withoutPINs bool) ([]Account, error) {
	var parts []Account
	err := lines(data, MaxFile, func(n int, line string) {
		a := Account{Where: fmt.Sprintf("line %d", n)}
		words := strings.Fields(line)
		if len(words) < 4 || len(words) > 7 {
			a.Err = errors.New("must have type, user, PIN, secret and at most counter, last code and time")
		} else {
			a.User = words[1]
			a.Err = a.oath(words, zone, withoutPINs)
		}
		parts = append(parts, a)
	})
	return gather(parts), err
}

func (a *Account) oath(words []string, zone *time.Location, withoutPINs bool) error {
	d := Device{Label: "token"}
	var err error
	if d.Key, err = oathType(words[0]); err != nil {
		return err
	}
	switch pin := words[2]; {
	case pin == "-", pin == "+": // none; or the password of the stack
	case !withoutPINs:
		return errors.New("it has a PIN, which Sallyport does not ask for; --ignore-pins takes it without")
	default:
		a.note("Its PIN is not taken over.")
	}
	secret, err := hex.DecodeString(words[3])
	if err != nil {
		return errors.New("secret: must be hexadecimal digits")
	}
	d.Key.Secret = otp.NewSecret(secret)
	if err := d.Key.Validate(); err != nil {
		return err
	}
	if len(words) > 4 {
		n, err := strconv.ParseInt(words[4], 10, 64)
		if err != nil || n < 0 || n > 1<<62 {
			return errors.New("counter: must be a number from 0")
		}
		if d.Key.Kind == otp.HOTP {
			d.Counter = n
		}
	}
	if len(words) > 5 {
		if err := d.lastCode(words[5:], zone); err != nil {
			return err
		}
	}
	a.Devices = append(a.Devices, d)
	return nil
}

// oathType is HOTP or HOTP/E with counters, HOTP/T30 or HOTP/T60 with time, and /6 to /8 digits behind it.
func oathType(text string) (otp.Key, error) {
	bad := fmt.Errorf("type %s: must be HOTP, HOTP/E, HOTP/T30 or HOTP/T60, and may end in /6, /7 or /8", shown(text))
	k := otp.Key{Kind: otp.HOTP, Algorithm: otp.SHA1, Digits: 6}
	parts := strings.Split(text, "/")
	if parts[0] != "HOTP" || len(parts) > 3 {
		return k, bad
	}
	if len(parts) > 1 {
		switch parts[1] {
		case "E":
		case "T30":
			k.Kind, k.Period = otp.TOTP, 30*time.Second
		case "T60":
			k.Kind, k.Period = otp.TOTP, 60*time.Second
		default:
			return k, bad
		}
	}
	if len(parts) > 2 {
		n, err := strconv.Atoi(parts[2])
		if err != nil || n < otp.MinDigits || n > otp.MaxDigits {
			return k, bad
		}
		k.Digits = n
	}
	return k, nil
}

// lastCode makes the last code worthless: of hotp the counter moves past it, of totp the steps around its time are used
// whose code it is.
func (d *Device) lastCode(words []string, zone *time.Location) error {
	code := words[0]
	if d.Key.Kind == otp.HOTP {
		if len(d.Key.Matches(code, d.Counter, d.Counter)) > 0 {
			d.Counter++
		}
		return nil
	}
	if len(words) < 2 {
		return errors.New("the last code must have its time behind it")
	}
	at, err := time.ParseInLocation("2006-01-02T15:04:05L", words[1], zone)
	if err != nil {
		return errors.New("time of the last code: must look as 2006-01-02T15:04:05L")
	}
	const around = 10 * time.Minute
	d.Used = d.Key.Matches(code, d.Key.Step(at.Add(-around)), d.Key.Step(at.Add(around)))
	return nil
}
