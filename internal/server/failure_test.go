package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/varlink/go/varlink/idl"

	"sallyport/internal/disk"
	"sallyport/internal/enroll"
	"sallyport/internal/ledger"
	"sallyport/internal/login"
	"sallyport/internal/policy"
	"sallyport/internal/vault"
	"sallyport/internal/verifier"
)

// TestFailures holds each error that a handler may meet to the descriptions: the interfaces that it can come from must
// declare it, with the parameters that are sent.
func TestFailures(t *testing.T) {
	const logins, accounts, admins = "io.sallyport.Login", "io.sallyport.Account", "io.sallyport.Admin"
	trust := &disk.TrustError{Path: "/etc/x", Problem: "has mode 0666", Mend: "chmod go-w /etc/x"}
	wrap := func(err error) error { return fmt.Errorf("doing something: %w", err) }
	tests := []struct {
		err  error
		want string
		from []string
	}{
		{notAllowed{"m", "r"}, "NotAllowed", []string{logins, accounts, admins}},
		{badInput{"user", "is bad"}, "BadInput", []string{logins, accounts, admins}},
		{errMoreNeeded, "MoreNeeded", []string{admins}},
		{errNoDialogue, "NoDialogue", []string{logins}},
		{verifier.ErrNoSession, "NoSuchSession", []string{admins}},
		{&verifier.LockedError{Until: time.Unix(0, 0)}, "Locked", []string{accounts}},
		{&verifier.CodeError{Finding: login.Replayed}, "CodeInvalid", []string{accounts}},
		{wrap(enroll.ErrCode), "CodeInvalid", []string{accounts}},
		{verifier.ErrCodeRequired, "CodeRequired", []string{accounts}},
		{verifier.ErrSwitchedOff, "SwitchedOff", []string{accounts}},
		{wrap(verifier.ErrUnknownUser), "NoSuchUser", []string{accounts, admins}},
		{enroll.ErrNotEnrolled, "NotEnrolled", []string{accounts, admins}},
		{enroll.ErrNoSetup, "NoPendingSetup", []string{accounts}},
		{wrap(enroll.ErrUnknownToken), "NoSuchToken", []string{accounts}},
		{enroll.ErrNeedToken, "TokenNeeded", []string{accounts}},
		{enroll.ErrTooMany, "TooManyTokens", []string{accounts}},
		{wrap(enroll.ErrLabelTaken), "BadInput", []string{accounts}},
		{policy.Problems{{File: "f", Line: 1, Text: "t"}}, "PolicyRejected", []string{admins}},
		{&policy.SettingError{Name: "n", Text: "t"}, "BadSetting", []string{admins}},
		{&policy.OverriddenError{Name: "n", File: "f", Line: 1}, "Overridden", []string{admins}},
		{wrap(trust), "Unavailable", []string{logins, accounts, admins}},
		{wrap(fs.ErrPermission), "Unavailable", []string{logins, accounts, admins}},
	}
	declared := map[string]*idl.Error{}
	for _, i := range interfaces(t) {
		for _, e := range i.Errors {
			declared[i.Name+"."+e.Name] = e
		}
	}
	for _, test := range tests {
		h := newHost(t, "")
		name, parameters := h.failure(&call{caller: new(caller), method: "m"}, test.err)
		if name != test.want {
			t.Errorf("%v is sent as %s, want %s", test.err, name, test.want)
		}
		for _, from := range test.from {
			e := declared[from+"."+name]
			if e == nil {
				t.Errorf("%s is not declared in %s", name, from)
				continue
			}
			if got, want := parameterNames(t, parameters), declaredNames(e); !slices.Equal(got, want) {
				t.Errorf("%s.%s is sent with %v, and declared with %v", from, name, got, want)
			}
		}
	}
	sent := map[string]bool{}
	for _, test := range tests {
		for _, from := range test.from {
			sent[from+"."+test.want] = true
		}
	}
	for name := range declared {
		if !sent[name] {
			t.Errorf("%s is declared, and nothing is sent as it", name)
		}
	}
}

// parameterNames are the names that an error's parameters have in JSON; those that may be absent, too.
func parameterNames(t *testing.T, parameters any) []string {
	t.Helper()
	text, err := json.Marshal(parameters)
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]any
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	names := slices.Collect(maps.Keys(all))
	if slices.Contains(names, "reason") && len(names) == 1 { // Unavailable
		names = append(names, "path", "mend")
	}
	slices.Sort(names)
	return names
}

func declaredNames(e *idl.Error) []string {
	var names []string
	for _, f := range e.Type.Fields {
		names = append(names, f.Name)
	}
	slices.Sort(names)
	return names
}

// TestUnavailableNamesTheFile shows that what a file is to blame for says which, and what mends it, to the caller and
// in the journal.
func TestUnavailableNamesTheFile(t *testing.T) {
	for _, err := range []error{
		&disk.TrustError{Path: "/var/x", Problem: "is open", Mend: "chmod 0600 /var/x"},
		&vault.DamagedError{Path: "/var/x", Problem: "is cut off", Mend: "chmod 0600 /var/x"},
		&ledger.DamagedError{Path: "/var/x", Problem: "is empty", Mend: "chmod 0600 /var/x"},
	} {
		h := newHost(t, "")
		u := h.unavailable(&call{caller: new(caller), method: "m"}, fmt.Errorf("reading: %w", err))
		if u.Path == nil || *u.Path != "/var/x" || u.Mend == nil || *u.Mend != "chmod 0600 /var/x" {
			t.Errorf("%T: %+v", err, u)
		}
		if !strings.Contains(h.events.all(), `file cannot be used`) || !strings.Contains(h.events.all(), "/var/x") {
			t.Errorf("%T: the journal says %q", err, h.events.all())
		}
	}
	h := newHost(t, "")
	if u := h.unavailable(&call{caller: new(caller)}, errors.New("no luck")); u.Path != nil || u.Reason != "no luck" {
		t.Errorf("%+v", u)
	}
}
