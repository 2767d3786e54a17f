package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"sallyport/internal/disk"
	"sallyport/internal/policy"
)

// patience is how long the daemon may take for an answer.
const patience = 5 * time.Second

// checkDaemon asks the daemon whether it is there, on both sockets.
func (f *facts) checkDaemon(ctx context.Context) []Finding {
	var all []Finding
	for _, path := range []string{f.Root.PamSocket(), f.Root.VarlinkSocket()} {
		if found, bad := checkSocket(path); bad {
			all = append(all, found)
		}
	}
	if len(all) > 0 {
		return all
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := answers(ctx, f.Root.VarlinkSocket())
	if err == nil {
		err = connects(ctx, f.Root.PamSocket())
	}
	if err == nil {
		return nil
	}
	found := Finding{
		ID: "daemon-down", Effect: Warns, What: fmt.Sprintf("sallyportd does not answer: %v.", err),
		Outcome: "The module checks codes by itself. Nobody can set up a second factor outside a login.",
		Mend:    run("systemctl restart sallyportd.socket sallyportd.service"),
	}
	if f.policy != nil && f.policy.OnDaemonFailure == policy.FailureDeny {
		found.Effect, found.Outcome = LocksOut, `With on_daemon_failure = "deny", whoever needs a code is refused.`
	}
	return []Finding{found}
}

// checkSocket finds a socket that not everybody can connect to, or that is somebody else's. One that is not there is
// left to who connects.
func checkSocket(path string) (Finding, bool) {
	st, err := os.Lstat(path)
	if err != nil {
		return Finding{}, false
	}
	found := Finding{ID: "socket-mode", File: path, Effect: LocksOut, Outcome: "Programs that do not run as root cannot check a code."}
	owner, ok := st.Sys().(*syscall.Stat_t)
	switch {
	case st.Mode().Type() != os.ModeSocket:
		found.What, found.Mend = fmt.Sprintf("%s is no socket.", path), run("rm %s && systemctl restart sallyportd.socket", disk.Quote(path))
	case ok && owner.Uid != 0:
		found.What, found.Mend = fmt.Sprintf("%s belongs to uid %d.", path, owner.Uid), run("chown root:root %s", disk.Quote(path))
	case st.Mode().Perm() != 0o666:
		found.What, found.Mend = fmt.Sprintf("%s has mode %04o.", path, st.Mode().Perm()), run("chmod 0666 %s", disk.Quote(path))
	default:
		return Finding{}, false
	}
	return found, true
}

func connects(ctx context.Context, path string) error {
	c, err := new(net.Dialer).DialContext(ctx, "unixpacket", path)
	if err != nil {
		return err
	}
	return c.Close()
}

// answers makes the call that every Varlink service answers.
func answers(ctx context.Context, path string) error {
	c, err := new(net.Dialer).DialContext(ctx, "unix", path)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }() // nothing more comes
	if deadline, ok := ctx.Deadline(); ok {
		if err := c.SetDeadline(deadline); err != nil {
			return err
		}
	}
	if _, err := c.Write([]byte(`{"method":"org.varlink.service.GetInfo"}` + "\x00")); err != nil {
		return err
	}
	reply := make([]byte, 16<<10)
	n, err := c.Read(reply)
	if err != nil {
		return err
	}
	var info struct {
		Parameters struct {
			Vendor string `json:"vendor"`
		} `json:"parameters"`
	}
	if err := json.Unmarshal(bytes.TrimRight(reply[:n], "\x00"), &info); err != nil {
		return fmt.Errorf("its answer is no Varlink: %w", err)
	}
	return nil
}

// checkUnits asks systemd, where it runs, whether the daemon starts with the machine.
func checkUnits(ctx context.Context) []Finding {
	if _, err := os.Stat("/run/systemd/system"); err != nil {
		return nil // sd_booted(3)
	}
	var all []Finding
	socket := showUnit(ctx, "sallyportd.socket")
	switch {
	case socket["LoadState"] == "not-found":
	case socket["UnitFileState"] == "masked" || socket["UnitFileState"] == "masked-runtime":
		all = append(all, Finding{
			ID: "unit-masked", Effect: Warns, What: "systemd may not start sallyportd.socket: it is masked.",
			Outcome: "The daemon does not run.", Mend: run("systemctl unmask sallyportd.socket && systemctl enable --now sallyportd.socket"),
		})
	case socket["UnitFileState"] == "disabled":
		all = append(all, Finding{
			ID: "unit-disabled", Effect: Warns, What: "sallyportd.socket is not started with the machine.",
			Outcome: "After the next start of the machine the daemon does not run.", Mend: run("systemctl enable sallyportd.socket"),
		})
	}
	service := showUnit(ctx, "sallyportd.service")
	tryingAgain := service["ActiveState"] == "activating" && service["NRestarts"] != "0"
	if service["ActiveState"] == "failed" || tryingAgain {
		all = append(all, Finding{
			ID: "unit-failed", Effect: Warns, What: fmt.Sprintf("sallyportd.service does not start (%s).", service["Result"]),
			Outcome: "The daemon does not run.",
			Mend: Mend{Text: "`journalctl -u sallyportd` says why. When that is mended:",
				Command: "systemctl reset-failed sallyportd.service && systemctl restart sallyportd.socket"},
		})
	}
	return all
}

// showUnit is "systemctl show"; empty where it fails.
func showUnit(ctx context.Context, unit string) map[string]string {
	out, err := exec.CommandContext(ctx, "systemctl", "show", "--property=LoadState,ActiveState,UnitFileState,Result,NRestarts", unit).Output()
	properties := make(map[string]string)
	if err != nil {
		return properties
	}
	for row := range strings.Lines(string(out)) {
		name, value, _ := strings.Cut(strings.TrimSpace(row), "=")
		properties[name] = value
	}
	return properties
}
