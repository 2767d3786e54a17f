package clock

import (
	"time"

	"golang.org/x/sys/unix"
)

// Booted is when the machine started, by the clock as it is now. It moves when the clock is set, by as much, and only
// then (clock_gettime(2), CLOCK_BOOTTIME).
func Booted() time.Time {
	var up unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &up); err != nil {
		return time.Time{} // nothing is known of how the clock was set
	}
	return time.Now().Round(0).Add(-time.Duration(up.Nano()))
}
