package system

import (
	"strings"
	"testing"
)

// mixed is a guest on which one part of Previous can be replaced at a time. apt would not: the packages need each other's
// very version.
type mixed struct {
	*Guest
	old, next string // directories of packages
}

// replace installs one package of a directory.
func (m *mixed) replace(dir, name string) {
	m.t.Helper()
	m.Run("dpkg --force-depends,downgrade --install " + dir + "/" + name + "_*.deb")
}

// are fails the test unless the module and the daemon that runs are those of two packages.
func (m *mixed) are(module, daemon string) {
	m.t.Helper()
	m.Run("set -e; for d in " + module + " " + daemon + "; do rm -rf $d/x; for p in $d/*.deb; do dpkg-deb --extract $p $d/x; done; done\n" +
		"cmp " + module + "/x/lib/*/security/pam_sallyport.so /lib/*/security/pam_sallyport.so\n" +
		"cmp " + daemon + "/x/usr/sbin/sallyportd /proc/$(systemctl show --property=MainPID --value sallyportd)/exe")
}

// TestTwoReleases: the module of one release and the daemon of another, either way, let in who has a right code and nobody
// by a used or a wrong one. A login that has begun goes on with the daemon that takes the place of its own.
func TestTwoReleases(t *testing.T) {
	g := Boot(t)
	m := &mixed{Guest: g, old: g.CopyPrevious(), next: g.CopyPackages()}
	g.InstallPackages(m.old)
	g.ProtectPreviousSSH()
	all := people(g, 5) // by the old command, into the old daemon's files
	alice, bob, carol, dora, erin := all[0], all[1], all[2], all[3], all[4]
	m.are(m.old, m.old)

	m.replace(m.next, "libpam-sallyport")
	m.are(m.next, m.old)
	g.WriteFile("/etc/pam.d/sshd", g.ReadFile("/etc/pam.d/sshd")+"session required pam_sallyport.so\n", 0o644)
	used := alice.once(t, "with the new module and the old daemon")
	waiting := bob.Begin()

	m.replace(m.next, "sallyport")
	g.Eventually("systemctl is-active sallyportd")
	m.are(m.next, m.next)
	if screen, in := bob.Finish(waiting, bob.App.Code()); !in {
		t.Errorf("bob, who began with the old daemon, is refused by the new one:\n%s", screen)
	}
	carol.once(t, "with the new module and the new daemon")
	alice.Refused(used)

	g.Run("sed -i '/^session.*pam_sallyport/d' /etc/pam.d/sshd") // which the old module did not get right
	m.replace(m.old, "libpam-sallyport")
	m.are(m.old, m.next)
	dora.once(t, "with the old module and the new daemon")
	waiting = erin.Begin()
	g.Run("systemctl restart sallyportd")
	if screen, in := erin.Finish(waiting, erin.App.Code()); !in {
		t.Errorf("erin, whose module is the old one, is refused after a restart of the new daemon:\n%s", screen)
	}
	if unread := g.Journal("SALLYPORT_KIND=record-unreadable"); len(unread) > 0 {
		t.Errorf("a record of the old release cannot be read: %s", unread[0]["MESSAGE"])
	}
}

// once logs in by a code, tries it again and a wrong one, and returns it.
func (p *Person) once(t *testing.T, when string) (code string) {
	t.Helper()
	code = p.App.Code()
	if screen, in := p.Try(code); !in {
		t.Errorf("%s, %s is refused:\n%s", when, p.Name, screen)
	}
	for what, refused := range map[string]string{"used": code, "wrong": p.App.Wrong()} {
		screen, in := p.Try(refused)
		if in || !strings.Contains(screen, what) {
			t.Errorf("%s, %s with a code that is %s: let in: %t\n%s", when, p.Name, what, in, screen)
		}
	}
	return code
}
