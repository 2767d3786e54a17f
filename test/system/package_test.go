package system

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"sallyport/test/host"
)

// TestUpgrade: while apt replaces the packages, people log in all the time, and none is refused.
func TestUpgrade(t *testing.T) {
	g := Boot(t)
	g.InstallPackages(g.CopyPrevious())
	g.ProtectPreviousSSH()
	next := g.CopyPackages()
	const kept = "# the admin's own\n"
	g.WriteFile("/etc/sallyport/sallyport.toml", g.ReadFile("/etc/sallyport/sallyport.toml")+kept, 0o644)

	const streams, each = 3, 6
	all := people(g, streams*each)
	var upgraded atomic.Bool
	var during, after atomic.Int32
	var wait sync.WaitGroup
	for i := range streams {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for last := false; !last; {
				for _, p := range all[i*each : (i+1)*each] {
					last = upgraded.Load()
					if screen, in := p.Try(p.App.Code()); !in {
						t.Errorf("%s was refused (upgraded: %t):\n%s", p.Name, last, screen)
						return
					}
					if last {
						after.Add(1)
						break
					}
					during.Add(1)
				}
			}
		}()
	}
	g.eventually("people log in", func() bool { return during.Load() > 0 || t.Failed() })
	g.InstallPackages(next)
	upgraded.Store(true)
	wait.Wait()
	t.Logf("%d logins before and during the upgrade, %d after it", during.Load(), after.Load())
	if after.Load() != streams {
		t.Errorf("%d of %d streams came to their end\n%s", after.Load(), streams, g.Log())
	}
	if version := g.Run("dpkg-query --show --showformat='${Version}' sallyport"); version != PackageVersion(t) {
		t.Errorf("version %s is installed", version)
	}
	if !strings.HasSuffix(g.ReadFile("/etc/sallyport/sallyport.toml"), kept) {
		t.Error("the upgrade has overwritten the policy")
	}
}

// TestRemove: a module that ssh needs is not removed; taken out of the stack it is, and people log in without a code.
// What they have set up outlives removal and purge unless the admin says otherwise.
func TestRemove(t *testing.T) {
	g := protected(t)
	packages := "/root/" + PackageVersion(t)
	alice := g.AddUser("alice").Enroll()
	if out, status := g.Try(apt + "remove libpam-sallyport"); status == 0 || !strings.Contains(out, "/etc/pam.d/sshd") {
		t.Fatalf("the module that ssh needs was removed, or nobody says why not (exit status %d):\n%s", status, out)
	}
	alice.LogIn()

	g.Run("sed -i /pam_sallyport/d /etc/pam.d/sshd")
	g.Run(apt + "remove libpam-sallyport sallyport")
	x := alice.SSH(greet)
	x.Answer(PasswordPrompt, host.Password)
	if status := x.Wait(); status != 0 || !strings.Contains(x.Text(), greeting) {
		t.Errorf("nobody gets in after the removal:\n%s", x.Text())
	}
	if out, _ := g.Try("systemctl list-units --no-legend 'sallyport*'; pgrep --list-full sallyport"); strings.TrimSpace(out) != "" {
		t.Errorf("something is left running:\n%s", out)
	}

	for _, how := range []string{"remove", "purge"} {
		g.Run(apt + how + " libpam-sallyport sallyport")
		g.InstallPackages(packages)
		if out := g.Run(alice.As("sallyportctl status")); !strings.Contains(out, "phone") {
			t.Errorf("alice's phone is gone after %s:\n%s", how, out)
		}
	}
	g.Run("echo sallyport sallyport/purge-enrolments boolean true | debconf-set-selections")
	g.Run(apt + "purge libpam-sallyport sallyport")
	if out := g.Run("find / -xdev -iname '*sallyport*' -not -path '/root/*' -not -path '/proc/*' -not -path '/sys/*' -not -path '/tmp/*' -not -path '/var/log/*' -not -path '/var/cache/*' -not -path '/var/lib/dpkg/*'"); out != "" {
		t.Errorf("the purge has left\n%s", out)
	}
}
