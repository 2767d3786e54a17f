package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/varlink/go/varlink"
	"golang.org/x/sys/unix"

	account "sallyport/internal/api/iosallyportaccount"
	admin "sallyport/internal/api/iosallyportadmin"
	login "sallyport/internal/api/iosallyportlogin"
)

// Sentence says to a person what an error of Dial or of a call means and, where there is something, what to do.
func Sentence(err error) string {
	if text := connection(err); text != "" {
		return text
	}
	if text := enrolment(err); text != "" {
		return text
	}
	if text := general(err); text != "" {
		return text
	}
	var other *varlink.Error
	if errors.As(err, &other) {
		return fmt.Sprintf("The daemon refuses with %q, which this sallyportctl does not know. Is it of the same version?", other.Name)
	}
	return fmt.Sprintf("The daemon's answer is not understood: %v.", err)
}

// connection is the sentence for what happens to a connection.
func connection(err error) string {
	var dial *DialError
	switch {
	case !errors.As(err, &dial):
	case errors.Is(err, errNotRoot):
		return fmt.Sprintf("Whoever listens on %q is not root, and is told nothing. Remove it, and start the daemon: systemctl start sallyportd.socket", dial.Path)
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ECONNREFUSED):
		return fmt.Sprintf("The daemon is not there: nobody listens on %q. Start it: systemctl start sallyportd.socket", dial.Path)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Sprintf("You may not connect to %q. It should have mode 0666, and the directory 0755.", dial.Path)
	default:
		return fmt.Sprintf("The daemon cannot be reached on %q: %v.", dial.Path, dial.Err)
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return "The daemon does not answer. Look at: systemctl status sallyportd"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, unix.ECONNRESET), errors.Is(err, unix.EPIPE):
		return "The daemon closed the connection: it stopped, you have too many connections, or it took too long. Try again."
	}
	return ""
}

// enrolment is the sentence for what only io.sallyport.Account and, where they are the same, io.sallyport.Admin answer.
func enrolment(err error) string {
	switch e := as(err).(type) {
	case *admin.NoSuchSession:
		return fmt.Sprintf("There is no session %q, or no longer. See which there are: sallyportctl sessions", e.Id)
	case *account.NotEnrolled:
		return notEnrolled(e.User)
	case *admin.NotEnrolled:
		return notEnrolled(e.User)
	case *account.NoSuchUser:
		return fmt.Sprintf("This host has no user %q.", e.User)
	case *admin.NoSuchUser:
		return fmt.Sprintf("This host has no user %q.", e.User)
	case *account.CodeInvalid:
		return e.Message
	case *account.CodeRequired:
		return "A current code or a recovery code is needed."
	case *account.NoPendingSetup:
		return "No set-up waits for this code: it is done already, or it is older than 10 minutes. Begin again: sallyportctl enroll"
	case *account.NoSuchToken:
		return fmt.Sprintf("There is no device %q. See which there are: sallyportctl status", e.Token)
	case *account.TokenNeeded:
		return "There are several devices; name one. See which there are: sallyportctl status"
	case *account.TooManyTokens:
		return "There are as many devices as an account can have. Remove one: sallyportctl remove"
	case *account.SwitchedOff:
		return "Two-factor login is switched off on this host, so nobody can set it up."
	case *account.Locked:
		return lockedUntil(e.Until)
	}
	return ""
}

// general is the sentence for what every interface answers.
func general(err error) string {
	switch e := as(err).(type) {
	case *account.NotAllowed:
		return notAllowed(e.Reason)
	case *admin.NotAllowed:
		return notAllowed(e.Reason)
	case *login.NotAllowed:
		return notAllowed(e.Reason)
	case *account.BadInput:
		return badInput(e.Parameter, e.Reason)
	case *admin.BadInput:
		return badInput(e.Parameter, e.Reason)
	case *login.BadInput:
		return badInput(e.Parameter, e.Reason)
	case *account.Unavailable:
		return unavailable(e.Reason, e.Mend)
	case *admin.Unavailable:
		return unavailable(e.Reason, e.Mend)
	case *login.Unavailable:
		return unavailable(e.Reason, e.Mend)
	case *login.NoDialogue:
		return "No login waits for an answer."
	case *admin.MoreNeeded:
		return "The answer comes in several parts: the method must be called with \"more\"."
	case *admin.PolicyRejected:
		return "The policy has problems, and the one before stays in force:\n" + strings.Join(e.Problems, "\n")
	case *admin.BadSetting:
		return e.Reason
	case *admin.Overridden:
		return fmt.Sprintf("%s is set at %s:%d, which is read later and would override this. Nothing was changed; change it there.", e.Name, e.File, e.Line)
	case *varlink.InvalidParameter:
		return fmt.Sprintf("The daemon does not understand the parameter %q. Is it of another version?", e.Parameter)
	case *varlink.MethodNotFound, *varlink.MethodNotImplemented, *varlink.InterfaceNotFound:
		return "The daemon does not know how to do this. Is it older than this sallyportctl? Restart it: systemctl restart sallyportd"
	}
	return ""
}

// as takes the wrapping off an error: what a call returns is the first in the chain that Varlink made.
func as(err error) error {
	for err != nil {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		err = next
	}
	return nil
}

func notEnrolled(user string) string {
	return fmt.Sprintf("Two-factor login is not set up for %q.", user)
}

func notAllowed(reason string) string {
	if reason == "" {
		return "You may not do this."
	}
	return fmt.Sprintf("You may not do this: %s.", reason)
}

func badInput(parameter, reason string) string {
	return fmt.Sprintf("The %s %s.", parameter, reason)
}

func unavailable(reason string, mend *string) string {
	if mend == nil || *mend == "" || strings.Contains(reason, *mend) {
		return fmt.Sprintf("This cannot be done now: %s.", strings.TrimSuffix(reason, "."))
	}
	return fmt.Sprintf("This cannot be done now: %s. What helps: %s", strings.TrimSuffix(reason, "."), *mend)
}

func lockedUntil(until string) string {
	t, err := time.Parse(time.RFC3339, until)
	if err != nil {
		return "Too many wrong codes. Try again later."
	}
	return fmt.Sprintf("Too many wrong codes. Try again after %s.", t.Local().Format("15:04:05 on 2 January"))
}
