package rollout

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"sallyport/internal/sshdconfig"
)

// wanted is what sshd needs, so that PAM can ask questions and every way in leads to them.
func wanted() []string {
	return []string{
		"UsePAM yes",
		"KbdInteractiveAuthentication yes",
		"PasswordAuthentication no",
		"AuthenticationMethods keyboard-interactive publickey,keyboard-interactive",
	}
}

// dropIn comes first in its directory: of each keyword sshd takes the first (sshd_config(5)).
const dropIn = "/etc/ssh/sshd_config.d/00-sallyport.conf"

const (
	begin = "# Begin of what sallyportctl setup ssh wrote. To undo it: sallyportctl setup ssh --revert"
	end   = "# End of what sallyportctl setup ssh wrote."
)

// planSSHD is the change of sshd's configuration: a drop-in where sshd reads those first, else lines in front of all.
func (s Setup) planSSHD(ctx context.Context) (*Change, error) {
	directives, err := sshdconfig.Read(s.prefix())
	if err != nil {
		return nil, err
	}
	if s.inPlace(ctx) {
		return nil, nil
	}
	block := []byte(begin + "\n" + strings.Join(wanted(), "\n") + "\n" + end + "\n")
	if dropInsFirst(directives) {
		return change(s.prefix()+dropIn, block)
	}
	main := s.prefix() + sshdconfig.Path
	text, err := os.ReadFile(main)
	if err != nil {
		return nil, err
	}
	return change(main, slices.Concat(block, []byte("\n"), text))
}

// inPlace reports whether sshd has the settings already, wherever they stand.
func (s Setup) inPlace(ctx context.Context) bool {
	is, err := sshdconfig.Test(ctx, s.prefix(), "", "")
	if err != nil {
		return false
	}
	for _, line := range wanted() {
		keyword, value, _ := strings.Cut(line, " ")
		if !is.Is(strings.ToLower(keyword), value) {
			return false
		}
	}
	return true
}

// dropInsFirst reports whether sshd reads the drop-ins before any of the settings that count.
func dropInsFirst(directives []sshdconfig.Directive) bool {
	for _, d := range directives {
		if d.Keyword == "include" && !d.Matched {
			for _, pattern := range strings.Fields(d.Value) {
				if pattern = strings.Trim(pattern, `"`); !filepath.IsAbs(pattern) {
					pattern = filepath.Join("/etc/ssh", pattern)
				}
				if ok, err := filepath.Match(pattern, dropIn); ok && err == nil {
					return true
				}
			}
		}
		for _, line := range wanted() {
			if keyword, _, _ := strings.Cut(line, " "); d.Matched || strings.EqualFold(keyword, d.Keyword) {
				return false
			}
		}
	}
	return false
}

// ErrNotRunning says that there is no sshd to reload.
var ErrNotRunning = errors.New("sshd does not run, so there is nothing to reload")

// reload has sshd read its configuration. Sessions that there are stay.
func (s Setup) reload(ctx context.Context) error {
	if s.Target != SSH || !s.live() {
		return nil
	}
	if booted() {
		for _, unit := range []string{"ssh.service", "sshd.service"} {
			if exec.CommandContext(ctx, "systemctl", "--quiet", "is-active", unit).Run() == nil {
				if out, err := exec.CommandContext(ctx, "systemctl", "reload", unit).CombinedOutput(); err != nil {
					return fmt.Errorf("systemctl reload %s: %w: %s", unit, err, out)
				}
				return nil
			}
		}
	}
	return hangUp("/run/sshd.pid")
}

// hangUp sends SIGHUP to the sshd whose number a file has.
func hangUp(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return ErrNotRunning
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pid < 2 {
		return ErrNotRunning
	}
	if p, err := readProcess(pid); err != nil || p.name != "sshd" {
		return ErrNotRunning
	}
	return unix.Kill(pid, unix.SIGHUP)
}

// booted reports whether systemd runs this host (sd_booted(3)).
func booted() bool {
	_, err := os.Stat("/run/systemd/system")
	return err == nil
}
