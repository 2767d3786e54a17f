package doctor

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sallyport/internal/pamstack"
)

// service is a PAM service whose stack has the module.
type service struct {
	name    string
	file    string // its own, in a directory of PAM's
	auth    pamstack.Stack
	account pamstack.Stack
	session pamstack.Stack
	all     []pamstack.Line // those of ours in auth and account, auth first
}

// readServices reads the stacks of all services that have the module, but for files that are only included by others.
func (f *facts) readServices() error {
	dirs := pamstack.In(f.etc())
	names, err := dirs.Services()
	if err != nil {
		return err
	}
	included := map[string]bool{}
	for _, name := range names {
		s := readService(dirs, name)
		for _, file := range slices.Concat(s.auth.Files, s.account.Files) {
			if file != s.file && filepath.Base(file) != "other" {
				included[file] = true
			}
		}
		if s.all = s.ours(); len(s.all) > 0 {
			f.services = append(f.services, s)
		}
	}
	f.services = slices.DeleteFunc(f.services, func(s service) bool { return included[s.file] })
	return nil
}

func readService(dirs pamstack.Directories, name string) service {
	return service{
		name: name, file: dirs.File(name), auth: dirs.Stack(name, pamstack.Auth), account: dirs.Stack(name, pamstack.Account),
		session: dirs.Stack(name, pamstack.Session),
	}
}

// ours are the lines that call the module.
func (s service) ours() []pamstack.Line {
	var all []pamstack.Line
	for _, l := range slices.Concat(s.auth.Lines, s.account.Lines) {
		if isOurs(l) {
			all = append(all, l)
		}
	}
	return all
}

// line is the module's line in a stack; nil: it has none.
func line(s pamstack.Stack) *pamstack.Line {
	i := slices.IndexFunc(s.Lines, isOurs)
	if i < 0 {
		return nil
	}
	return &s.Lines[i]
}

// split reports whether the module takes password and code from one field.
func (s service) split() bool {
	l := line(s.auth)
	return l != nil && slices.Contains(l.Args, "split_password")
}

// nullok reports whether a line lets who has no password in without one.
func (s service) nullok() bool {
	return slices.ContainsFunc(s.auth.Lines, func(l pamstack.Line) bool {
		return l.Is("pam_unix.so") && slices.Contains(l.Args, "nullok")
	})
}

// isPassword reports whether a line asks for a password.
func isPassword(l pamstack.Line) bool {
	return slices.ContainsFunc([]string{
		"pam_unix.so", "pam_sss.so", "pam_ldap.so", "pam_krb5.so", "pam_winbind.so", "pam_systemd_home.so", "pam_userdb.so",
		"pam_pwdfile.so", "pam_radius_auth.so", "pam_mysql.so", "pam_pgsql.so", "pam_tacplus.so", "pam_himmelblau.so",
	}, l.Is)
}

// asksPassword reports whether the stack asks for a password.
func (s service) asksPassword() bool { return slices.ContainsFunc(s.auth.Lines, isPassword) }

// keyLogins reports whether somebody can come to the account part without the auth part: with a key, or with what a
// panel has checked itself. Sudo calls account alone too, while its timestamp is fresh, and is to be left alone there.
func keyLogins(service string) bool { return service == "sshd" || service == "cockpit" }

// skipsAuth reports whether a service calls account alone for who has given a code a moment ago.
func skipsAuth(service string) bool { return service == "sudo" || service == "sudo-i" }

// source is a line of the service's own file, as it stands there.
func (s service) source(number int) string {
	data, err := os.ReadFile(s.file)
	lines := strings.Split(string(data), "\n")
	if err != nil || number < 1 || number > len(lines) {
		return ""
	}
	return lines[number-1]
}
