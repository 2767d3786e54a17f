package client

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/varlink/go/varlink"
	"github.com/varlink/go/varlink/idl"

	account "sallyport/internal/api/iosallyportaccount"
	admin "sallyport/internal/api/iosallyportadmin"
	login "sallyport/internal/api/iosallyportlogin"
	"sallyport/internal/disk"
)

// TestEveryErrorHasASentence goes through what the interfaces declare, as it comes over the wire.
func TestEveryErrorHasASentence(t *testing.T) {
	for _, i := range []struct {
		description string
		dispatch    func(error) error
	}{
		{login.VarlinkNew(nil).VarlinkGetDescription(), login.Dispatch_Error},
		{account.VarlinkNew(nil).VarlinkGetDescription(), account.Dispatch_Error},
		{admin.VarlinkNew(nil).VarlinkGetDescription(), admin.Dispatch_Error},
	} {
		description, err := idl.New(i.description)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range description.Errors {
			parameters := map[string]any{}
			for _, f := range e.Type.Fields {
				parameters[f.Name] = "some " + f.Name
			}
			if e.Name == "PolicyRejected" {
				parameters["problems"] = []string{"f:1: The problem."}
			}
			text, err := json.Marshal(parameters)
			if err != nil {
				t.Fatal(err)
			}
			raw := json.RawMessage(text)
			err = i.dispatch(&varlink.Error{Name: description.Name + "." + e.Name, Parameters: &raw})
			got := Sentence(fmt.Errorf("calling: %w", err))
			if strings.Contains(got, "not understood") || strings.Contains(got, "does not know, ") || got == "" {
				t.Errorf("%s.%s: %q", description.Name, e.Name, got)
			}
			if strings.Contains(got, "..") || strings.Contains(got, "%!") {
				t.Errorf("%s.%s: %q is badly put", description.Name, e.Name, got)
			}
		}
	}
}

func TestSentence(t *testing.T) {
	mend := "chmod 0600 /x"
	for _, test := range []struct {
		err  error
		want string
	}{
		{&account.NotEnrolled{User: "alice"}, `Two-factor login is not set up for "alice".`},
		{&account.NotAllowed{Reason: "only root may"}, "You may not do this: only root may."},
		{&account.BadInput{Parameter: "user", Reason: "must be shorter"}, "The user must be shorter."},
		{&account.Unavailable{Reason: "no luck"}, "This cannot be done now: no luck."},
		{&account.Unavailable{Reason: "x is open", Mend: &mend}, "This cannot be done now: x is open. What helps: chmod 0600 /x"},
		{&account.Unavailable{Reason: "x is open; run: chmod 0600 /x", Mend: &mend}, "This cannot be done now: x is open; run: chmod 0600 /x."},
		{&account.Locked{Until: "never"}, "Too many wrong codes. Try again later."},
		{context.DeadlineExceeded, "The daemon does not answer. Look at: systemctl status sallyportd"},
		{io.ErrUnexpectedEOF, "The daemon closed the connection: it stopped, you have too many connections, or it took too long. Try again."},
	} {
		if got := Sentence(test.err); got != test.want {
			t.Errorf("%#v: %q, want %q", test.err, got, test.want)
		}
	}
}

func TestDialFails(t *testing.T) {
	root := disk.Root(t.TempDir())
	_, err := Dial(context.Background(), root)
	if got := Sentence(err); !strings.Contains(got, "nobody listens on") {
		t.Errorf("no socket: %q", got)
	}
	if err := os.MkdirAll(root.Runtime(), 0o755); err != nil {
		t.Fatal(err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: root.VarlinkSocket(), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	if c, err := Dial(context.Background(), root); err != nil {
		t.Errorf("a socket that root listens on: %v", err)
	} else {
		_ = c.Close()
	}
	_ = l.Close()
	_, err = Dial(context.Background(), root)
	if got := Sentence(err); !strings.Contains(got, "nobody listens on") {
		t.Errorf("a dead socket: %q", got)
	}
	if got := Sentence(&DialError{"/x", errNotRoot}); !strings.Contains(got, "not root") {
		t.Errorf("not root: %q", got)
	}
}
