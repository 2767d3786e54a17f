// Package transfer reads the second factors that other programs keep. It is pure: what comes in is bytes that anybody may
// have written, and what goes out are accounts, of which each that cannot be taken says why.
//
// No error and no note has a secret in it, nor any text of the input that could be one.
package transfer

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"sallyport/internal/otp"
)

// The bounds of what is read, in bytes. A line of a file is shorter than its longest legitimate one could be.
const (
	MaxFile = 16 << 20 // a file for a whole host
	MaxHome = 64 << 10 // a file of one user
	maxLine = 4 << 10
	maxUser = 255

	maxDevices = 16 // of one user, as the vault has it
	maxUsed    = 100
	maxScratch = 20
)

// Account is one user's second factor.
type Account struct {
	User    string // empty: the source does not say whose it is
	Where   string // the place in the source, for a report: "line 3"
	Devices []Device
	Scratch []otp.Secret // recovery codes that are not used yet, as text
	Notes   []string     // sentences: what is not taken over
	Err     error        // why it cannot be taken; nil: it can
}

// Device is a token of the user's.
type Device struct {
	Label   string
	Key     otp.Key
	Counter int64   // of hotp: the next one
	Offset  int64   // of totp: by how many steps its clock is ahead of the server's
	Used    []int64 // of totp: steps that were used
}

func (a *Account) note(format string, args ...any) {
	a.Notes = append(a.Notes, fmt.Sprintf(format, args...))
}

// check says what is wrong with an account, where nothing is known to be.
func (a *Account) check() error {
	switch {
	case a.Err != nil:
		return a.Err
	case a.User != "" && !isUser(a.User):
		return fmt.Errorf("user: must have 1 to %d bytes, and no control character or \"/\"", maxUser)
	case len(a.Devices) == 0:
		return errors.New("there is no key")
	case len(a.Devices) > maxDevices:
		return fmt.Errorf("there are %d keys: must be at most %d", len(a.Devices), maxDevices)
	case len(a.Scratch) > maxScratch:
		return fmt.Errorf("there are %d scratch codes: must be at most %d", len(a.Scratch), maxScratch)
	}
	for _, d := range a.Devices {
		if err := d.check(); err != nil {
			return err
		}
	}
	return nil
}

func (d *Device) check() error {
	if err := d.Key.Validate(); err != nil {
		return err
	}
	if len(d.Used) > maxUsed {
		return fmt.Errorf("there are %d used codes: must be at most %d", len(d.Used), maxUsed)
	}
	if d.Key.Kind == otp.HOTP {
		return nil
	}
	if most := int64(24 * time.Hour / d.Key.Period); d.Offset < -most || d.Offset > most {
		return fmt.Errorf("its clock is off by %d steps: must be less than a day", d.Offset)
	}
	return nil
}

func isUser(name string) bool {
	return name != "" && len(name) <= maxUser && utf8.ValidString(name) && !strings.ContainsFunc(name, func(r rune) bool { return unicode.IsControl(r) || r == '/' })
}

// gather makes one account of all that a source has of a user, in the order in which users come. Where a part cannot be
// taken, none is: half a second factor would surprise its user.
func gather(parts []Account) []Account {
	var all []Account
	at := map[string]int{}
	for _, p := range parts {
		i, known := at[p.User]
		if !known || p.User == "" {
			at[p.User] = len(all)
			all = append(all, p)
			continue
		}
		a := &all[i]
		a.Devices = append(a.Devices, p.Devices...)
		a.Scratch = append(a.Scratch, p.Scratch...)
		a.Notes = append(a.Notes, p.Notes...)
		if a.Err == nil && p.Err != nil {
			a.Err, a.Where = p.Err, p.Where
		}
	}
	for i := range all {
		all[i].Err = all[i].check()
	}
	return all
}

// lines calls fn for each line of a text that is not empty, and not a comment ("#"). The numbers begin at 1.
func lines(data []byte, limit int, fn func(n int, line string)) error {
	if len(data) > limit {
		return fmt.Errorf("it has %d bytes: must have at most %d", len(data), limit)
	}
	n := 0
	for line := range strings.Lines(string(data)) {
		n++
		line = strings.TrimSpace(line)
		switch {
		case line == "", strings.HasPrefix(line, "#"):
		case len(line) > maxLine:
			return fmt.Errorf("line %d has %d bytes: must have at most %d", n, len(line), maxLine)
		default:
			fn(n, line)
		}
	}
	return nil
}

// shown is text from the source as a report may repeat it: short, and without anything that a terminal would obey.
func shown(text string) string {
	const most = 32
	if len(text) > most {
		text = text[:most] + "…"
	}
	return fmt.Sprintf("%q", text)
}

// For makes one account of all, whoever the source says they belong to: what somebody brings for one user.
func For(user string, all []Account) []Account {
	for i := range all {
		all[i].User = user
	}
	return gather(all)
}

// WithoutHosts takes the user for what stands before the last "@" in a name, as apps show "alice@host".
func WithoutHosts(all []Account) []Account {
	for i := range all {
		if at := strings.LastIndexByte(all[i].User, '@'); at > 0 {
			all[i].User = all[i].User[:at]
		}
	}
	return gather(all)
}
