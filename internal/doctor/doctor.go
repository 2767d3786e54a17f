package doctor

import (
	"context"
	"errors"
	"slices"
	"time"

	"sallyport/internal/disk"
	"sallyport/internal/pamstack"
	"sallyport/internal/policy"
)

// Patient is the host, or tree, that is looked at.
type Patient struct {
	Root   disk.Root
	Users  []string // to look at besides root and those who are enrolled
	Staged string   // where PAM's and sshd's configuration is read instead, before it is put in place; or ""
	Source string   // the address that logins are supposed to come from
	Now    time.Time

	Suppose []policy.Change // the policy is looked at as it would be with these
}

// live reports whether it is the host that this process runs on.
func (p Patient) live() bool { return p.Root == "" || p.Root == "/" }

func (p Patient) path(host string) string { return p.prefix() + host }

// prefix is what stands before the host's paths.
func (p Patient) prefix() string {
	if p.live() {
		return ""
	}
	return string(p.Root)
}

// etc is what stands before the paths of PAM's and sshd's configuration.
func (p Patient) etc() string {
	if p.Staged != "" {
		return p.Staged
	}
	return p.prefix()
}

// policy is that of the files, with what is supposed.
func (p Patient) policy() (*policy.Policy, error) {
	if len(p.Suppose) == 0 {
		return policy.Load(p.Root)
	}
	edit, err := policy.Manage(p.Root, p.Suppose)
	return edit.Policy, err
}

// facts is what all checks share.
type facts struct {
	Patient
	policy   *policy.Policy // nil: it cannot be used
	problems policy.Problems
	people   people
	enrolled map[string]bool
	services []service  // those whose stack has the module
	sshd     *sshdFacts // nil: not known
}

// Examine looks at everything, and returns what it has found, the worst first. An error says that it could not look.
func Examine(ctx context.Context, p Patient) ([]Finding, error) {
	f := &facts{Patient: p, enrolled: make(map[string]bool)}
	var err error
	if f.policy, err = p.policy(); err != nil && !errors.As(err, &f.problems) {
		return nil, err
	}
	if f.people, err = readPeople(p); err != nil {
		return nil, err
	}
	all := f.checkFiles() // finds out who is enrolled, too
	all = append(all, f.checkPolicy(all)...)
	if err := f.readServices(); err != nil {
		return nil, err
	}
	all = append(all, f.checkStacks()...)
	if f.protects("sshd") {
		all = append(all, f.checkSSHD(ctx)...)
	}
	all = append(all, f.checkPeople()...)
	if p.live() {
		all = append(all, f.checkDaemon(ctx)...)
		all = append(all, checkUnits(ctx)...)
		all = append(all, checkClock()...)
	}
	return merge(all), nil
}

// login is one that somebody could make.
type login struct {
	user, service string
	key           bool // sshd has accepted a key
}

// required says what the policy requires of a login. Where it cannot be known, "always" does.
func (f *facts) required(l login) policy.Require {
	if f.policy == nil {
		return policy.RequireAlways
	}
	d, err := f.policy.Decide(policy.Request{
		User: l.user, Groups: f.people.groupsOf(l.user), Service: l.service, Source: f.Source, PublicKey: l.key,
	}, f.Now)
	if err != nil {
		return policy.RequireAlways
	}
	return d.Require
}

// anybody stands for a user of whom nothing is known. No user's name is empty.
const anybody = ""

// asks reports whether a login is asked for a code, if the stack leads to it.
func (f *facts) asks(l login) bool {
	switch f.required(l) {
	case policy.RequireNever:
		return false
	case policy.RequireIfEnrolled:
		return l.user == anybody || f.enrolled[l.user]
	default:
		return true
	}
}

// exempts reports whether the policy asks nothing of somebody at a service.
func (f *facts) exempts(service string) bool {
	require := f.required(login{user: anybody, service: service})
	return require == policy.RequireNever || require == policy.RequireIfEnrolled
}

// sample is the users that are looked at one by one: root, those named, and some of those who are enrolled.
func (f *facts) sample() []string {
	const most = 20
	var enrolled []string
	for user := range f.enrolled {
		enrolled = append(enrolled, user)
	}
	slices.Sort(enrolled)
	return union(union([]string{"root"}, f.Users), enrolled[:min(len(enrolled), most)])
}

// protects reports whether a service's stack has the module.
func (f *facts) protects(name string) bool {
	return slices.ContainsFunc(f.services, func(s service) bool { return s.name == name })
}

// moduleName is the file that stacks call.
const moduleName = "pam_sallyport.so"

func isOurs(l pamstack.Line) bool { return l.Is(moduleName) }
