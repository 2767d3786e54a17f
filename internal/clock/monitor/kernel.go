package monitor

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"sallyport/internal/clock"
)

// Kernel asks adjtimex(2), which needs no power to ask. The kernel does not measure: an NTP client tells it that the
// clock is synchronised, and how far off it is at most; from then on the kernel counts that up, until it is told again,
// or somebody sets the clock.
type Kernel struct {
	Now      func() time.Time
	Adjtimex func(*unix.Timex) (int, error) // unix.Adjtimex
}

// Name is clock.Kernel.
func (Kernel) Name() clock.Source { return clock.Kernel }

// Ask asks the kernel.
func (k Kernel) Ask(context.Context) (clock.Estimate, string) {
	var t unix.Timex
	if _, err := k.Adjtimex(&t); err != nil {
		return clock.Estimate{}, fmt.Sprintf("cannot be asked: %v", err)
	}
	if t.Status&unix.STA_UNSYNC != 0 {
		return clock.Estimate{}, "the clock is not synchronised"
	}
	most := time.Duration(t.Maxerror) * time.Microsecond
	return clock.Estimate{Source: clock.Kernel, Error: most, Detail: "the kernel", At: k.Now()},
		fmt.Sprintf("the clock is synchronised, and at most %s off; it is thought to be %s off",
			clock.Length(most), clock.Length(time.Duration(t.Esterror)*time.Microsecond))
}
