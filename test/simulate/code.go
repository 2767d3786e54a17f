package simulate

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"fmt"
	"hash"
	"time"
)

// device is an authenticator, and what the oracle knows of its codes. Its codes are computed here, from RFC 4226 §5.3, and
// not by the code that is tested.
type device struct {
	n         int // for the trace
	id        string
	secret    []byte
	algorithm string
	digits    int
	period    int64         // seconds; 0: HOTP
	drift     time.Duration // its clock against the true time
	presses   int64         // HOTP: the counter of the next code that it shows

	used    map[int64]bool // steps and counters that were accepted
	order   []int64        // TOTP: the accepted steps, as they came
	recent  []int64        // TOTP: those of them that no copy of the ledger has
	covered []int64        // TOTP: those that the ledger knows of by its quarantine only
	unclear map[int64]bool // TOTP: steps that may have been noted as used, and let nobody in
	newest  int64          // TOTP: the newest accepted step; -1: none
	born    int            // TOTP: w.distrust when it was confirmed
	dropped bool           // it was removed
}

// String is for failures: the secret would tell nothing.
func (d *device) String() string { return fmt.Sprintf("%d", d.n) }

func (d *device) code(step int64) string {
	if step < 0 {
		return ""
	}
	make := map[string]func() hash.Hash{"SHA1": sha1.New, "SHA256": sha256.New, "SHA512": sha512.New}[d.algorithm]
	mac := hmac.New(make, d.secret)
	_ = binary.Write(mac, binary.BigEndian, uint64(step))
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 0xf
	number := binary.BigEndian.Uint32(sum[at:]) & 0x7fffffff
	power := uint32(1)
	for range d.digits {
		power *= 10
	}
	return fmt.Sprintf("%0*d", d.digits, number%power)
}

func (d *device) step(t time.Time) int64 { return t.Unix() / d.period }

// shows is the code on its display.
func (d *device) shows(truth time.Time) (code string, step int64) {
	if d.period == 0 {
		return d.code(d.presses), d.presses
	}
	step = d.step(truth.Add(d.drift))
	return d.code(step), step
}

func (d *device) use(step int64) {
	d.used[step] = true
	if d.period > 0 {
		d.newest = max(d.newest, step)
		d.order, d.recent = append(d.order, step), append(d.recent, step)
	}
}

// maybe is that a step may have been noted as used.
func (d *device) maybe(step int64) { d.unclear[step], d.newest = true, max(d.newest, step) }

// forget is that a new ledger knows of the steps that are in no copy, or of all, only by its quarantine, which covers those
// up to the last one. It need not know of the others.
func (d *device) forget(all bool, last int64) {
	gone := append(d.covered, d.recent...)
	if all {
		gone = append(d.covered, d.order...)
	}
	d.recent, d.covered = nil, nil
	for _, step := range gone {
		if step <= last {
			d.covered = append(d.covered, step)
		} else {
			delete(d.used, step)
			d.maybe(step)
		}
	}
}

// listed is how many accepted steps the ledger keeps one by one (DESIGN §3).
const listed = 16

// among says what a step is worth to a ledger that has all accepted steps of the device, and no others: nothing where it is
// older than the last one by no more than two codes can be apart that are right at once, whoever has seen it; and where the
// steps are too many to be kept one by one, one between them may be refused.
func (d *device) among(step, reach int64) finding {
	n := len(d.order)
	switch {
	case n == 0:
		return right
	case d.order[n-1]-reach <= step && step <= d.order[n-1]:
		return noGuess
	case n > listed && step <= d.newest:
		return unclear
	default:
		return right
	}
}
