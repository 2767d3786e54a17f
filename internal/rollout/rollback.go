package rollout

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// arm sees to it that the change is undone later: by a timer of systemd's where that runs, else by a process that nothing
// of this terminal's end reaches.
func (s Setup) arm(ctx context.Context, id string, within time.Duration) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	args := []string{"setup", string(s.Target), "--rollback", id}
	if !s.live() {
		args = append(args, "--root", string(s.Root))
	}
	if booted() && s.live() {
		timer := []string{
			"--quiet", "--collect", "--unit=sallyport-setup-" + string(s.Target) + "-" + id,
			fmt.Sprintf("--on-active=%dms", within.Milliseconds()), "--timer-property=AccuracySec=100ms", "--", self,
		}
		if out, err := exec.CommandContext(ctx, "systemd-run", append(timer, args...)...).CombinedOutput(); err != nil {
			return fmt.Errorf("systemd-run: %w: %s", err, out)
		}
		return nil
	}
	cmd := exec.Command(self, append(args, "--rollback-after", within.String())...)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	return cmd.Process.Release()
}

// Rollback undoes the change of that ID, unless it was confirmed or undone meanwhile. Files that somebody else has changed
// since are kept beside the originals. It reports whether it undid anything.
func (s Setup) Rollback(ctx context.Context, id string) (bool, error) {
	unlock, err := s.lock()
	if err != nil {
		return false, err
	}
	defer unlock()
	v, err := s.Saved()
	if err != nil || v == nil || v.ID != id || v.Confirmed {
		return false, err
	}
	const force, noReload = true, false
	_, err = s.revert(ctx, v, force, noReload)
	if errors.Is(err, ErrNotRunning) {
		err = nil
	}
	return err == nil, err
}

// ErrConfirmed says that the change stays already.
var ErrConfirmed = errors.New("confirmed already")

// Confirm has the change stay, if this process belongs to a login that began after it and went through what was changed.
// The error is ErrNothing, ErrConfirmed, or a *NotNewError.
func (s Setup) Confirm() error {
	unlock, err := s.lock()
	if err != nil {
		return err
	}
	defer unlock()
	v, err := s.Saved()
	switch {
	case err != nil:
		return err
	case v == nil:
		return ErrNothing
	case v.Confirmed:
		return ErrConfirmed
	}
	if err := s.checkNew(v); err != nil {
		return err
	}
	v.Confirmed = true
	return s.store(v)
}
