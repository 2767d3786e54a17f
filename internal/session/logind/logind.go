// Package logind ends sessions through systemd-logind (org.freedesktop.login1(5)). It is apart from package session
// because the PAM module must not link D-Bus.
//
// go-systemd's login1 was looked at: its calls know no deadline, and TerminateSession drops the error.
package logind

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/godbus/dbus/v5"

	"sallyport/internal/session"
)

// bus is where the system's bus is. The library would look for it, and say of none only that in words.
const bus = "unix:path=/run/dbus/system_bus_socket"

// patience is how long logind may take for all that is asked of it about one session.
const patience = 5 * time.Second

const (
	service          = "org.freedesktop.login1"
	manager          = service + ".Manager"
	sessionInterface = service + ".Session"
)

var errSilent = fmt.Errorf("logind: no answer within %v", patience)

// System is the host's logind.
type System struct{}

// Terminate ends the session that the process leads, and only that one, if it is that user's. Where there is none, or
// no logind, the error is session.ErrNoLogindSession.
func (System) Terminate(l session.Leader, uid uint32) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := dbus.Connect(bus, dbus.WithContext(ctx))
	if errors.Is(err, fs.ErrNotExist) {
		return session.ErrNoLogindSession // the host has no bus
	}
	if ctx.Err() != nil {
		return errSilent // the library's error is that of the connection which it has closed
	}
	if err != nil {
		return fmt.Errorf("logind: %w", err)
	}
	defer conn.Close()
	err = terminate(ctx, conn, l, uid)
	if ctx.Err() != nil {
		return errSilent
	}
	if err != nil {
		return fmt.Errorf("logind: process %d: %w", l.PID, absent(err))
	}
	return nil
}

// absent tells what is no fault from what is.
func absent(err error) error {
	var answer dbus.Error
	if errors.As(err, &answer) {
		switch answer.Name {
		case service + ".NoSessionForPID", service + ".NoSuchSession", "org.freedesktop.DBus.Error.ServiceUnknown":
			return session.ErrNoLogindSession
		}
	}
	return err
}

func terminate(ctx context.Context, conn *dbus.Conn, l session.Leader, uid uint32) error {
	var path dbus.ObjectPath
	logind := conn.Object(service, "/org/freedesktop/login1")
	if err := logind.CallWithContext(ctx, manager+".GetSessionByPID", 0, uint32(l.PID)).Store(&path); err != nil {
		return err
	}
	var all map[string]dbus.Variant
	properties := conn.Object(service, path)
	if err := properties.CallWithContext(ctx, "org.freedesktop.DBus.Properties.GetAll", 0, sessionInterface).Store(&all); err != nil {
		return err
	}
	id, err := judge(all, l, uid)
	if err != nil {
		return err
	}
	return logind.CallWithContext(ctx, manager+".TerminateSession", 0, id).Err
}

// judge returns the ID of a session with these properties, if the process leads it for that user.
func judge(properties map[string]dbus.Variant, l session.Leader, uid uint32) (id string, err error) {
	id, hasID := properties["Id"].Value().(string)
	leader, hasLeader := properties["Leader"].Value().(uint32)
	user, hasUser := properties["User"].Value().([]any) // uid and object path
	if !hasID || !hasLeader || !hasUser || len(user) == 0 {
		return "", errors.New("its session's properties are not as expected")
	}
	// The kernel gives no PID out twice while the first one has it: alive now, the leader is the one that logind means.
	if int(leader) != l.PID || user[0] != uid || !session.Alive(session.Kernel{}, l) {
		return "", session.ErrNoLogindSession
	}
	return id, nil
}
