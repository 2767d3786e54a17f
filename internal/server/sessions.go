package server

import (
	"context"
	"errors"

	api "sallyport/internal/api/iosallyportadmin"
	"sallyport/internal/verifier"
)

func (m *adminMethods) Sessions(ctx context.Context, c api.VarlinkCall, user *string) error {
	k := callOf(ctx)
	whose := k.subject
	if user == nil {
		whose = "" // everybody's whom the caller may ask for
	}
	sessions, err := m.server.Verifier.Sessions(whose)
	if err != nil {
		return m.server.fail(ctx, c.Call, k, err)
	}
	reply := []api.Session{}
	may := map[string]bool{}
	for _, s := range sessions {
		whose := s[0].User
		if _, asked := may[whose]; !asked {
			if may[whose], err = m.server.mayAskFor(k, whose); err != nil {
				return m.server.fail(ctx, c.Call, k, err)
			}
		}
		if may[whose] {
			reply = append(reply, apiSession(s))
		}
	}
	return c.ReplySessions(ctx, reply)
}

// mayAskFor reports whether one of the call's grants would hold about another user.
func (s *Server) mayAskFor(k *call, user string) (bool, error) {
	about := *k
	about.subject = user
	var failed error
	for _, g := range table()[k.method] {
		ok, err := g.holds(s, &about)
		if ok && err == nil {
			return true, nil
		}
		failed = errors.Join(failed, err)
	}
	return false, failed
}

func apiSession(windows []verifier.OpenWindow) api.Session {
	first := windows[0]
	s := api.Session{
		Id: first.Session, User: first.User, Source: first.Source, Since: instant(first.Opened), Windows: make([]api.Window, len(windows)),
	}
	for i, w := range windows {
		s.Windows[i] = api.Window{
			Service: w.Service, Tty: maybe(w.TTY), Terminals: present(w.Terminals), Pid: int64(w.PID), Since: instant(w.Opened),
		}
	}
	return s
}

func (m *adminMethods) EndSession(ctx context.Context, c api.VarlinkCall, user string, _ *string) error {
	k := callOf(ctx)
	by := k.by
	if by == "" {
		by = user
	}
	n, err := m.server.Verifier.EndSessions(user, k.text("id"), by)
	if err != nil {
		return m.server.fail(ctx, c.Call, k, err)
	}
	return c.ReplyEndSession(ctx, int64(n))
}
