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
	unclear map[int64]bool // TOTP: steps that may have been noted as used, and let nobody in
	newest  int64          // TOTP: the newest accepted step; -1: none
	born    int            // TOTP: w.distrust when it was confirmed
}

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
	}
}
