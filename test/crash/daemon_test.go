package crash

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sallyport/test/host"
)

// add makes the people users of the private host, by their numbers in the guest.
func (u users) add(t *testing.T) {
	t.Helper()
	for _, p := range u {
		host.Output(t, "useradd", "--non-unique", "--uid", fmt.Sprint(p.uid), p.Name)
		t.Cleanup(func() { host.Output(t, "userdel", p.Name) })
	}
}

// ask holds what people had been told by a flush against a daemon that starts on the disk as of that flush. By its clock
// some used codes are too old; check puts them to a verifier whose clock is the people's.
func (r *recording) ask(t *testing.T, n int) {
	t.Helper()
	root := r.extract(t, n, nil)
	defer os.RemoveAll(string(root))
	daemon := host.Start(t, host.Build(t).Daemon, "--root", string(root))
	defer daemon.Kill()
	host.Eventually(t, "sallyportd is ready", func() bool {
		_, err := os.Stat(root.VarlinkSocket())
		return err == nil || !daemon.Running()
	})
	verify := func(p *person, code string) bool {
		cmd := host.Command(host.Build(t).Ctl, "--root", string(root), "verify", p.Name)
		cmd.Stdin = strings.NewReader(code + "\n")
		return cmd.Run() == nil
	}
	last, _ := r.last(n)
	for p, told := range last {
		if !verify(p, p.recovery[len(p.recovery)-1]) { // first: a few refusals lock
			t.Errorf("flush %d: an unused recovery code of %s does not work:\n%s", n, p.Name, daemon.Log())
		}
		for i, code := range p.used[:told.used] {
			if verify(p, code) {
				t.Errorf("flush %d: code %d of %s worked before the cut and again after it", n, i, p.Name)
			}
		}
	}
	for _, dir := range []string{root.State(), root.Users()} {
		if left, err := filepath.Glob(filepath.Join(dir, ".tmp-*")); err != nil || len(left) > 0 {
			t.Errorf("flush %d: sallyportd has left %q there (%v)", n, left, err)
		}
	}
}
