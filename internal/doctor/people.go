package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"sallyport/internal/disk"
	"sallyport/internal/policy"
	"sallyport/internal/verifier"
)

// person is a line of passwd(5).
type person struct {
	name  string
	uid   uint32
	gid   string
	home  string
	shell string
}

// people is the host's users and groups, as its files have them.
type people struct {
	live   bool
	all    []person
	groups map[string][]string // of each user
	empty  []string            // who has no password at all
}

func readPeople(p Patient) (people, error) {
	all := people{live: p.live()}
	passwd, err := table(p.path("/etc/passwd"), 7)
	if err != nil {
		return all, err
	}
	for _, f := range passwd {
		if uid, err := strconv.ParseUint(f[2], 10, 32); err == nil {
			all.all = append(all.all, person{f[0], uint32(uid), f[3], f[5], f[6]})
		}
	}
	group, err := table(p.path("/etc/group"), 4)
	if err != nil {
		return all, err
	}
	all.groups = make(map[string][]string)
	for _, f := range group {
		for _, member := range strings.Split(f[3], ",") {
			all.groups[member] = append(all.groups[member], f[0])
		}
		for _, u := range all.all {
			if u.gid == f[2] {
				all.groups[u.name] = append(all.groups[u.name], f[0])
			}
		}
	}
	shadow, err := table(p.path("/etc/shadow"), 2)
	for _, f := range shadow {
		if f[1] == "" {
			all.empty = append(all.empty, f[0])
		}
	}
	return all, err
}

// table reads a file with colons between its fields; a line with fewer is left out. A missing file has none.
func table(path string, least int) ([][]string, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var rows [][]string
	for line := range strings.Lines(string(data)) {
		if f := strings.Split(strings.TrimRight(line, "\n"), ":"); len(f) >= least {
			rows = append(rows, f)
		}
	}
	return rows, err
}

func (p people) find(name string) (person, bool) {
	i := slices.IndexFunc(p.all, func(u person) bool { return u.name == name })
	if i < 0 {
		return person{}, false
	}
	return p.all[i], true
}

// lookup is the uid of a user. The host's user database knows more users than its files; a tree has its files only.
func (p people) lookup(name string) (uint32, bool) {
	if u, ok := p.find(name); ok || !p.live {
		return u.uid, ok
	}
	uid, err := verifier.NSS{}.Lookup(name)
	return uid, err == nil
}

func (p people) groupsOf(name string) func() ([]string, error) {
	return func() ([]string, error) {
		if _, ok := p.find(name); ok || !p.live || name == anybody {
			return p.groups[name], nil
		}
		return verifier.NSS{}.Groups(name)
	}
}

// humans are root and who has a number as people have and a shell to log in with.
func (p people) humans() []string {
	var names []string
	for _, u := range p.all {
		base := u.shell[strings.LastIndexByte(u.shell, '/')+1:]
		if shell := base != "nologin" && base != "false"; shell && (u.uid == 0 || u.uid >= 1000 && u.uid < 60000) {
			names = append(names, u.name)
		}
	}
	return names
}

// checkPeople finds those who are refused because they have no second factor, and who needs no password.
func (f *facts) checkPeople() []Finding {
	var all []Finding
	for _, s := range f.services {
		if out := f.lockedOut(s.name); len(out) > 0 {
			all = append(all, Finding{
				ID: "unenrolled-always", Effect: LocksOut, Services: []string{s.name}, Users: out,
				What:    fmt.Sprintf("The policy requires a second factor of %s, and none is set up.", list(out)),
				Outcome: "They are refused: with \"always\" nobody can set it up in the login.",
				Mend:    text("Let them run `sallyportctl enroll` first, or write require = \"enroll\" in the policy: `sallyportctl policy explain %s --service %s` names the rule.", out[0], s.name),
			})
		}
		if s.nullok() && len(f.people.empty) > 0 && s.name != "sshd" {
			all = append(all, Finding{
				ID: "empty-password", Effect: LetsPast, Services: []string{s.name}, Users: f.people.empty,
				What:    fmt.Sprintf("%s can log in without a password (nullok in the stack).", list(f.people.empty)),
				Outcome: "A code alone lets somebody in as them, and where they have no second factor nothing is asked at all.",
				Mend:    run("usermod%s --lock %s", f.prefixOption(), disk.Quote(f.people.empty[0])),
			})
		}
	}
	return all
}

// prefixOption has usermod(8) work on the tree.
func (f *facts) prefixOption() string {
	if f.live() {
		return ""
	}
	return " --prefix " + disk.Quote(f.prefix())
}

// lockedOut lists who needs a second factor at a service and has none.
func (f *facts) lockedOut(service string) []string {
	if f.policy == nil {
		return nil // a finding of its own
	}
	var out []string
	for _, user := range union(f.people.humans(), f.Users) {
		if service == "sshd" && user == "root" && !f.rootMayLogIn() {
			continue
		}
		if f.required(login{user: user, service: service}) == policy.RequireAlways && !f.enrolled[user] && !f.isProgram(service) {
			out = append(out, user)
		}
	}
	return out
}

// isProgram reports whether a service is one of [api]: its accounts set nothing up in it.
func (f *facts) isProgram(service string) bool {
	return slices.Contains(f.policy.API.Services, service)
}
