package monitor

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// WatchJumps sends when the clock was set, within the moment (timerfd_create(2), TFD_TIMER_CANCEL_ON_SET): the timer is
// set to a time that never comes, and its read fails when the clock makes a jump.
func WatchJumps(ctx context.Context, jumped chan<- struct{}) error {
	fd, err := unix.TimerfdCreate(unix.CLOCK_REALTIME, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK)
	if err != nil {
		return fmt.Errorf("timerfd_create: %w", err)
	}
	timer := os.NewFile(uintptr(fd), "timerfd")
	defer timer.Close()
	stop := context.AfterFunc(ctx, func() { _ = timer.Close() }) // ends the read
	defer stop()
	never := unix.ItimerSpec{Value: unix.Timespec{Sec: 1 << 40}}
	var expirations [8]byte
	for {
		if err := unix.TimerfdSettime(fd, unix.TFD_TIMER_ABSTIME|unix.TFD_TIMER_CANCEL_ON_SET, &never, nil); err != nil && !errors.Is(err, unix.ECANCELED) {
			return fmt.Errorf("timerfd_settime: %w", err)
		}
		_, err := timer.Read(expirations[:])
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && !errors.Is(err, unix.ECANCELED):
			return fmt.Errorf("timerfd: %w", err)
		}
		select {
		case jumped <- struct{}{}:
		default: // it is known
		}
	}
}
