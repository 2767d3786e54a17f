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
}

// users streams the list, in bounded memory however many there are. An error ends it.
func (l *listing) users() iter.Seq2[api.User, error] {
	return func(yield func(api.User, error) bool) {
		all := l.enrolled
		if l.unenrolled {
			all = l.people
		}
		for name, err := range inOrder(all) {
			var u api.User
			shown := false
			var damaged *vault.DamagedError
			switch {
			case err == nil:
				u, shown, err = l.user(name)
			case errors.As(err, &damaged):
				// A file that is nobody's record.
				u, shown, err = l.stray(damaged), l.delegate == "" && l.group == "" && !l.locked, nil
			}
			if err != nil {
				yield(api.User{}, err)
				return
			}
			if shown && !yield(u, nil) {
				return
			}
		}
	}
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
	st, problem, err := l.Verifier.Listed(name)
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
func (l *listing) stray(damaged *vault.DamagedError) api.User {
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

// inOrder streams names in order, each once, out of a source that has none. It goes through the source again and again,
// each time for the next names, so that it never holds more than 2·namesAtOnce of them. Names are not empty. What the source
// says of files that are no records (vault.DamagedError) comes first, and once.
func inOrder(source func() iter.Seq2[string, error]) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for after, first := "", true; ; first = false {
			var next []string
			limit := "" // where next is full: the greatest that is of any use
			for name, err := range source() {
				if err != nil {
					if (first || !errors.As(err, new(*vault.DamagedError))) && !yield("", err) {
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
			for _, name := range next {
				if !yield(name, nil) {
					return
				}
			}
			if len(next) < namesAtOnce {
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
