package server

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync"
	"time"

	api "sallyport/internal/api/iosallyportadmin"
	"sallyport/internal/audit"
	"sallyport/internal/otp"
	"sallyport/internal/vault"
	"sallyport/internal/verifier"
)

// usersAtOnce is how many users a reply has.
const usersAtOnce = 100

func (m *adminMethods) Users(ctx context.Context, c api.VarlinkCall, locked, unenrolled *bool, _ *string) error {
	k := callOf(ctx)
	if !c.WantsMore() {
		return m.server.fail(ctx, c.Call, k, errMoreNeeded)
	}
	l := listing{Server: m.server, locked: locked != nil && *locked, unenrolled: unenrolled != nil && *unenrolled, group: k.text("group")}
	if k.peer.UID != 0 {
		l.delegate, l.delegateGroups = k.by, sync.OnceValues(m.server.groups(k.by))
	}
	m.server.Audit.Record(audit.Event{Kind: audit.UsersListed, By: k.by})
	users := make([]api.User, 0, usersAtOnce)
	for u, err := range l.users() {
		if err != nil {
			return m.server.fail(ctx, c.Call, k, err)
		}
		if users = append(users, u); len(users) < usersAtOnce {
			continue
		}
		part := c
		part.Continues = true
		if err := part.ReplyUsers(ctx, users); err != nil {
			return err // the caller has gone
		}
		users = users[:0]
	}
	return c.ReplyUsers(ctx, users)
}

// listing is one list of users, and who may be in it.
type listing struct {
	*Server
	locked, unenrolled bool
	group              string // empty: whichever
	delegate           string // who gets it, and sees only what the policy gives it; empty: root
	delegateGroups     func() ([]string, error)
	uids               map[string]uint32 // of some of the users of the part that is being given
}

// users streams the list, in bounded memory however many there are. An error ends it.
func (l *listing) users() iter.Seq2[api.User, error] {
	return func(yield func(api.User, error) bool) {
		all := l.enrolled
		if l.unenrolled {
			all = l.people
		}
		for names, err := range inOrder(all) {
			var damaged *vault.DamagedError
			switch {
			case err == nil:
				if !l.part(names, yield) {
					return
				}
			case !errors.As(err, &damaged):
				yield(api.User{}, err)
				return
			case l.delegate == "" && l.group == "" && !l.locked: // a file that is nobody's record
				if !yield(stray(damaged), nil) {
					return
				}
			}
		}
	}
}

// part gives those of the names who belong into the list, and reports whether to go on.
func (l *listing) part(names []string, yield func(api.User, error) bool) bool {
	l.uids = l.lookUp(names)
	for _, name := range names {
		u, shown, err := l.user(name)
		if err != nil {
			yield(api.User{}, err)
			return false
		}
		if shown && !yield(u, nil) {
			return false
		}
	}
	return true
}

// lookUp finds the uids of many users in one go through the user database: to look them up one by one, the C library would
// read /etc/passwd from its beginning for each. Whoever is not listed there, as many directory services list nobody, is
// looked up later. names are sorted.
func (l *listing) lookUp(names []string) map[string]uint32 {
	const few = 100
	if len(names) < few {
		return nil
	}
	uids := make(map[string]uint32, len(names))
	for a, err := range l.Accounts.Accounts() {
		if err != nil {
			return nil
		}
		if _, asked := slices.BinarySearch(names, a.Name); !asked {
			continue
		}
		if _, again := uids[a.Name]; !again { // the first one counts, as for getpwnam(3)
			uids[a.Name] = a.UID
		}
	}
	return uids
}

// uid is Users.Lookup for a user of the part that is being given.
func (l *listing) uid(name string) (uint32, error) {
	if uid, found := l.uids[name]; found {
		return uid, nil
	}
	return l.Users.Lookup(name)
}

func (l *listing) enrolled() iter.Seq2[string, error] { return l.Vault.Users() }

// people are those of the host's users who can log in.
func (l *listing) people() iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for a, err := range l.Accounts.Accounts() {
			if (err != nil || a.IsPerson()) && !yield(a.Name, err) {
				return
			}
		}
	}
}

// user is one user of the list, and whether it is to be shown.
func (l *listing) user(name string) (u api.User, shown bool, err error) {
	if shown, err = l.covers(name); err != nil || !shown {
		return u, false, err
	}
	st, problem, err := l.Verifier.Listed(name, l.uid)
	if err != nil {
		return u, false, err
	}
	shown = (st.Enrolled || problem != nil) != l.unenrolled && (!l.locked || !st.LockedUntil.IsZero())
	return listed(st, problem), shown, nil
}

// covers reports whether the user is among those that were asked for, and that may be seen.
func (l *listing) covers(name string) (bool, error) {
	if l.delegate != "" {
		may, err := l.Verifier.Policy().Delegate(l.act(l.delegate, l.delegateGroups, name, "list"))
		if errors.Is(err, verifier.ErrUnknownUser) {
			return false, nil // who is gone is in nobody's care
		}
		if err != nil || !may {
			return false, err
		}
	}
	if l.group == "" {
		return true, nil
	}
	groups, err := l.Users.Groups(name)
	if errors.Is(err, verifier.ErrUnknownUser) {
		return false, nil
	}
	return slices.Contains(groups, l.group), err
}

// stray is a file among the records that is none. It has no user.
func stray(damaged *vault.DamagedError) api.User {
	problem := damaged.Error()
	return api.User{Devices: []api.Device{}, Problem: &problem}
}

func listed(st verifier.Status, problem error) api.User {
	u := api.User{User: st.User, Devices: make([]api.Device, len(st.Tokens)), Recovery_codes: int64(st.RecoveryCodes), Locked_until: maybeInstant(st.LockedUntil)}
	var since time.Time
	for i, t := range st.Tokens {
		u.Devices[i] = api.Device{Label: t.Label, Kind: string(t.Key.Kind)}
		if t.Key.Kind == otp.TOTP {
			drift := int64(st.Drift(t).Round(time.Second).Seconds())
			u.Devices[i].Drift = &drift
		}
		if since.IsZero() || t.Confirmed.Before(since) {
			since = t.Confirmed
		}
	}
	u.Since = maybeInstant(since)
	if !st.LastAccepted.IsZero() {
		u.Last = &api.LastLogin{At: instant(st.LastAccepted), Service: st.LastService, Source: st.LastSource}
	}
	if problem != nil {
		u.Problem = maybe(problem.Error())
	}
	return u
}

// namesAtOnce bounds how many names are held to put them in order.
const namesAtOnce = 8192

// inOrder streams names in order, each once, in parts, out of a source that has no order. It goes through the source again
// and again, each time for the next part, so that it never holds more than 2·namesAtOnce of them. Names are not empty. What
// the source says of files that are no records (vault.DamagedError) comes first, and once.
func inOrder(source func() iter.Seq2[string, error]) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		for after, first := "", true; ; first = false {
			var next []string
			limit := "" // where next is full: the greatest that is of any use
			for name, err := range source() {
				if err != nil {
					if (first || !errors.As(err, new(*vault.DamagedError))) && !yield(nil, err) {
						return
					}
					continue
				}
				if name <= after || limit != "" && name >= limit {
					continue
				}
				if next = append(next, name); len(next) == 2*namesAtOnce {
					if next = least(next); len(next) == namesAtOnce {
						limit = next[namesAtOnce-1]
					}
				}
			}
			next = least(next)
			if len(next) > 0 && !yield(next, nil) || len(next) < namesAtOnce {
				return
			}
			after = next[len(next)-1]
		}
	}
}

// least sorts names, and returns the first namesAtOnce.
func least(names []string) []string {
	slices.Sort(names)
	names = slices.Compact(names)
	return names[:min(len(names), namesAtOnce)]
}
