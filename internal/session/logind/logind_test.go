package logind

import (
	"errors"
	"os"
	"testing"

	"github.com/godbus/dbus/v5"

	"sallyport/internal/session"
)

// properties are those of a session, as logind gives them.
func properties(leader int, uid uint32) map[string]dbus.Variant {
	return map[string]dbus.Variant{
		"Id": dbus.MakeVariant("c1"), "Leader": dbus.MakeVariant(uint32(leader)),
		"User": dbus.MakeVariant([]any{uid, dbus.ObjectPath("/org/freedesktop/login1/user/_1000")}),
	}
}

// TestJudge: only the session that this very process leads for this user is ended.
func TestJudge(t *testing.T) {
	l, err := session.Kernel{}.Identify(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if id, err := judge(properties(l.PID, 1000), l, 1000); id != "c1" || err != nil {
		t.Errorf("its own: %q, %v", id, err)
	}
	reborn := session.Leader{PID: l.PID, Start: l.Start + 1}
	for name, got := range map[string]func() (string, error){
		"another's, that it runs in": func() (string, error) { return judge(properties(l.PID+1, 1000), l, 1000) },
		"another user's":             func() (string, error) { return judge(properties(l.PID, 1001), l, 1000) },
		"a process with its PID":     func() (string, error) { return judge(properties(l.PID, 1000), reborn, 1000) },
	} {
		if id, err := got(); id != "" || !errors.Is(err, session.ErrNoLogindSession) {
			t.Errorf("%s: %q, %v", name, id, err)
		}
	}
	for _, missing := range []string{"Id", "Leader", "User"} {
		p := properties(l.PID, 1000)
		delete(p, missing)
		if id, err := judge(p, l, 1000); id != "" || err == nil {
			t.Errorf("without %s: %q, %v", missing, id, err)
		}
	}
	for name, bad := range map[string]any{"Id": uint32(1), "Leader": "1", "User": "alice"} {
		p := properties(l.PID, 1000)
		p[name] = dbus.MakeVariant(bad)
		if id, err := judge(p, l, 1000); id != "" || err == nil {
			t.Errorf("%s %v: %q, %v", name, bad, id, err)
		}
	}
}

func TestAbsent(t *testing.T) {
	for _, name := range []string{"org.freedesktop.login1.NoSessionForPID", "org.freedesktop.login1.NoSuchSession", "org.freedesktop.DBus.Error.ServiceUnknown"} {
		if err := absent(dbus.Error{Name: name}); !errors.Is(err, session.ErrNoLogindSession) {
			t.Errorf("%s: %v", name, err)
		}
	}
	denied := dbus.Error{Name: "org.freedesktop.DBus.Error.AccessDenied"}
	if err := absent(denied); errors.Is(err, session.ErrNoLogindSession) {
		t.Errorf("%s passes for no session", denied.Name)
	}
}
