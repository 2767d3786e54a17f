package server

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/varlink/go/varlink"

	admin "sallyport/internal/api/iosallyportadmin"
	"sallyport/internal/enroll"
	"sallyport/internal/ledger"
	"sallyport/internal/passwd"
	"sallyport/internal/vault"
)

// filter is what a list is asked for.
type filter struct {
	locked, unenrolled bool
	group              string
}

// list calls Users as somebody, and returns the users of all replies, and how many replies there were.
func (h *host) list(t testing.TB, uid uint32, f filter) (users []admin.User, replies int, err error) {
	t.Helper()
	ctx := context.Background()
	var group *string
	if f.group != "" {
		group = &f.group
	}
	receive, err := admin.Users().Send(ctx, h.dial(t, uid), varlink.More, &f.locked, &f.unenrolled, group)
	for err == nil {
		var part []admin.User
		var flags uint64
		if part, flags, err = receive(ctx); err == nil {
			replies++
			users = append(users, part...)
		}
		if flags&varlink.Continues == 0 {
			break
		}
	}
	return users, replies, err
}

// names are those of a list, one after the other.
func names(users []admin.User) string {
	var all []string
	for _, u := range users {
		all = append(all, u.User)
	}
	return strings.Join(all, " ")
}

// TestUsersAre shows what a row says.
func TestUsersAre(t *testing.T) {
	h := newHost(t, "[lockout]\nfailures = 2\n")
	alice := h.enroll(t, "alice")
	h.enroll(t, "bob")
	if _, failure := h.call(t, 1000, "io.sallyport.Login.Verify", map[string]any{"user": "alice", "service": "lock", "code": alice.code(t, h)}); failure != "" {
		t.Fatal(failure)
	}
	for range 2 {
		h.call(t, 0, "io.sallyport.Login.Verify", map[string]any{"user": "bob", "service": "sshd", "rhost": "192.0.2.7", "code": "000000"})
	}
	rec, err := h.Vault.Read("alice")
	if err != nil {
		t.Fatal(err)
	}
	rec.Tokens[0].Offset = -3
	if err := h.Vault.Put(rec); err != nil {
		t.Fatal(err)
	}

	all, replies, err := h.list(t, 0, filter{})
	if err != nil || replies != 1 || names(all) != "alice bob" {
		t.Fatalf("root sees %q in %d replies, error %v", names(all), replies, err)
	}
	a, b := all[0], all[1]
	if len(a.Devices) != 1 || a.Devices[0].Label != "phone" || a.Devices[0].Kind != "totp" || *a.Devices[0].Drift != -90 {
		t.Errorf("alice's devices: %+v", a.Devices)
	}
	if a.Since == nil || *a.Since != rec.Tokens[0].Confirmed.Format(time.RFC3339) || a.Recovery_codes != 10 || a.Problem != nil {
		t.Errorf("alice: %+v", a)
	}
	if a.Last == nil || a.Last.Service != "lock" || a.Last.Source != "self" || a.Locked_until != nil {
		t.Errorf("alice's last login: %+v, locked until %v", a.Last, a.Locked_until)
	}
	if b.Locked_until == nil || *b.Locked_until != instant(h.clock().Add(5*time.Minute)) || b.Last != nil {
		t.Errorf("bob is locked until %v, last login %+v", b.Locked_until, b.Last)
	}
	if log := h.events.all(); !strings.Contains(log, `users listed: by "root"`) {
		t.Errorf("the journal does not say who listed:\n%s", log)
	}
}

// TestUsersFilters asks for some of them.
func TestUsersFilters(t *testing.T) {
	h := newHost(t, "[lockout]\nfailures = 2\n")
	for _, name := range []string{"alice", "bob", "panel"} {
		h.enroll(t, name)
	}
	for _, name := range []string{"bob", "help"} {
		for range 2 {
			h.call(t, 0, "io.sallyport.Login.Verify", map[string]any{"user": name, "service": "sshd", "rhost": "192.0.2.7", "code": "000000"})
		}
	}
	for _, test := range []struct {
		filter filter
		want   string
	}{
		{filter{}, "alice bob panel"},
		{filter{locked: true}, "bob"},
		{filter{group: "customers"}, "alice"},
		{filter{group: "customers", locked: true}, ""},
		{filter{group: "nobody's"}, ""},
		{filter{unenrolled: true}, "help root"},
		{filter{unenrolled: true, group: "root"}, "root"},
	} {
		got, _, err := h.list(t, 0, test.filter)
		if err != nil || names(got) != test.want {
			t.Errorf("%+v: %q, error %v; want %q", test.filter, names(got), err, test.want)
		}
	}
	if _, failure := h.call(t, 0, "io.sallyport.Admin.Users", nil); failure != "MoreNeeded" {
		t.Errorf("without more: %q, want MoreNeeded", failure)
	}
	h.down = true
	for _, f := range []filter{{group: "customers"}, {unenrolled: true}} {
		if got, _, err := h.list(t, 0, f); err == nil {
			t.Errorf("%+v without the user database: %q and no error", f, names(got))
		}
	}
}

// TestUsersOfADelegate shows that one sees the accounts that the policy gives it, and nobody else's.
func TestUsersOfADelegate(t *testing.T) {
	const list = "[[delegate]]\nwho = [\"@helpdesk\"]\nover = [\"@customers\", \"panel\"]\nmay = [\"list\"]\n"
	h := newHost(t, list)
	for _, name := range []string{"root", "alice", "bob", "help", "panel"} {
		h.enroll(t, name)
	}
	h.stray(t, "not-a-record")
	h.orphan(t, "carol")
	for _, test := range []struct {
		filter filter
		want   string
	}{{filter{}, "alice panel"}, {filter{group: "panel"}, "panel"}, {filter{group: "bob"}, ""}} {
		if got, _, err := h.list(t, 1002, test.filter); err != nil || names(got) != test.want {
			t.Errorf("the delegate asks for %+v and sees %q, error %v; want %q", test.filter, names(got), err, test.want)
		}
	}
	if log := h.events.all(); !strings.Contains(log, `users listed: by "help"`) {
		t.Errorf("the journal does not say who listed:\n%s", log)
	}
	if got, _, err := h.list(t, 0, filter{}); err != nil || names(got) != " alice bob carol help panel root" {
		t.Errorf("root sees %q, error %v", names(got), err)
	}
	var refused *admin.NotAllowed
	for _, uid := range []uint32{1000, nobody} {
		if got, _, err := h.list(t, uid, filter{}); !errors.As(err, &refused) {
			t.Errorf("uid %d sees %q, error %v", uid, names(got), err)
		}
	}
	// May disable, and not list.
	h = newHost(t, strings.ReplaceAll(list, `"list"`, `"disable"`))
	if got, _, err := h.list(t, 1002, filter{}); !errors.As(err, &refused) {
		t.Errorf("a delegate who may not list sees %q, error %v", names(got), err)
	}
}

// TestUsersGoOn shows records of which something is wrong among others.
func TestUsersGoOn(t *testing.T) {
	h := newHost(t, "")
	h.enroll(t, "alice")
	h.enroll(t, "bob")
	h.enroll(t, "help")
	h.orphan(t, "carol")
	h.stray(t, "not-a-record")
	rec, err := h.Vault.Read("bob")
	if err != nil {
		t.Fatal(err)
	}
	rec.UID++
	if err := h.Vault.Put(rec); err != nil {
		t.Fatal(err)
	}
	h.stray(t, "help.toml")
	all, _, err := h.list(t, 0, filter{})
	if err != nil || names(all) != " alice bob carol help" {
		t.Fatalf("users %q, error %v", names(all), err)
	}
	for i, want := range []string{`not-a-record" is damaged`, "", "set up by uid 1002, and this user has uid 1001", "no such user", `help.toml" is damaged`} {
		problem := ""
		if all[i].Problem != nil {
			problem = *all[i].Problem
		}
		if want == "" && problem != "" || !strings.Contains(problem, want) {
			t.Errorf("%q has the problem %q, want %q", all[i].User, problem, want)
		}
	}
	if len(all[3].Devices) != 1 || len(all[4].Devices) != 0 {
		t.Errorf("carol has %d devices, help %d; want what can be read", len(all[3].Devices), len(all[4].Devices))
	}
}

// accounts is a user database as a list.
type accounts []passwd.Account

func (a accounts) Accounts() iter.Seq2[passwd.Account, error] {
	return func(yield func(passwd.Account, error) bool) {
		for _, one := range a {
			var err error
			if one.Name == "" {
				err = errors.New("the user database does not answer")
			}
			if !yield(one, err) {
				return
			}
		}
	}
}

// TestManyAreLookedUpAtOnce: of many users, those that the database lists are not looked up one by one; the others are.
func TestManyAreLookedUpAtOnce(t *testing.T) {
	h := newHost(t, "")
	h.enroll(t, "alice")
	h.enroll(t, "bob")
	for i := range 100 {
		h.orphan(t, fmt.Sprintf("carol%02d", i))
	}
	for _, test := range []struct {
		accounts   accounts
		alice, bob string // their problems
	}{
		{accounts{{Name: "alice", UID: 1000}, {Name: "alice", UID: 7}, {Name: "dave", UID: 8}}, "", ""},
		{accounts{{Name: "alice", UID: 7}, {Name: "alice", UID: 1000}}, "this user has uid 7", ""},
		{accounts{{Name: "alice", UID: 7}, {}}, "", ""}, // it ends early, so it says nothing
		{nil, "", ""},
	} {
		h.Server.Accounts = test.accounts
		all, _, err := h.list(t, 0, filter{})
		if err != nil || len(all) != 102 {
			t.Fatalf("%d users, error %v", len(all), err)
		}
		for i, want := range []string{test.alice, test.bob, "no such user"} {
			problem := ""
			if all[i].Problem != nil {
				problem = *all[i].Problem
			}
			if want == "" && problem != "" || !strings.Contains(problem, want) {
				t.Errorf("listed as %v, %s has the problem %q, want %q", test.accounts, all[i].User, problem, want)
			}
		}
	}
}

// stray puts a file among the records that is none.
func (h *host) stray(t testing.TB, name string) {
	t.Helper()
	if err := h.disk.WriteFile(filepath.Join(h.root.Users(), name), []byte("format")); err != nil {
		t.Fatal(err)
	}
}

// orphan is the record of a user whom the host does not have.
func (h *host) orphan(t testing.TB, name string) {
	t.Helper()
	rec, s, err := enroll.Begin(nil, name, 5000, enroll.Options{Issuer: "test"}, h.clock(), h.Verifier.Rand)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := enroll.Confirm(rec, &ledger.Account{}, s.ID, person{key: s.URI.Key}.code(t, h), 1, h.clock(), h.Verifier.Rand); err != nil {
		t.Fatal(err)
	}
	if err := h.Vault.Put(rec); err != nil {
		t.Fatal(err)
	}
}

// TestInOrder holds the order against a sort, for lists of every size that matters.
func TestInOrder(t *testing.T) {
	for _, n := range []int{0, 1, namesAtOnce - 1, namesAtOnce, namesAtOnce + 1, 2 * namesAtOnce, 5*namesAtOnce + 3} {
		var want, given []string
		for i := range n {
			want = append(want, fmt.Sprintf("user%d", i))
		}
		slices.Sort(want)
		for i := range n {
			given = append(given, want[(i*7919)%n]) // 7919 is a prime, and divides none of the sizes
		}
		given = append(given, given[:n/3]...) // twice
		passes := 0
		source := func() iter.Seq2[string, error] {
			passes++
			return func(yield func(string, error) bool) {
				if !yield("", &vault.DamagedError{Path: "stray"}) {
					return
				}
				for _, name := range given {
					if !yield(name, nil) {
						return
					}
				}
			}
		}
		var got []string
		strays := 0
		for names, err := range inOrder(source) {
			if err != nil {
				strays++
				continue
			}
			if len(names) > namesAtOnce {
				t.Errorf("%d names in one part", len(names))
			}
			got = append(got, names...)
		}
		if !slices.Equal(got, want) || strays != 1 {
			t.Errorf("of %d names came %d, in order: %v; %d strays", n, len(got), slices.IsSorted(got), strays)
		}
		if most := n/namesAtOnce + 1; passes > most {
			t.Errorf("%d names took %d passes, want at most %d", n, passes, most)
		}
	}
}

// TestInOrderFails has the source end early, in a later pass.
func TestInOrderFails(t *testing.T) {
	passes := 0
	broken := errors.New("the disk is gone")
	source := func() iter.Seq2[string, error] {
		passes++
		return func(yield func(string, error) bool) {
			for i := range namesAtOnce {
				if !yield(fmt.Sprintf("user%06d", i), nil) {
					return
				}
			}
			if passes > 1 {
				yield("", broken)
			}
		}
	}
	var last error
	for _, err := range inOrder(source) {
		if last = err; err != nil {
			break
		}
	}
	if !errors.Is(last, broken) {
		t.Errorf("the list ends with %v, want %v", last, broken)
	}
}

// TestDrift logs in by a phone that is slow: the code of the step before, at the end of this one.
func TestDrift(t *testing.T) {
	h := newHost(t, "")
	alice := h.enroll(t, "alice")
	h.wait(29 * time.Second)
	code, err := alice.key.Code(alice.key.Step(h.clock()) - 1)
	if err != nil {
		t.Fatal(err)
	}
	if reply, _ := h.call(t, 0, "io.sallyport.Login.Verify", map[string]any{"user": "alice", "service": "sshd", "code": code}); reply["verdict"] != "granted" {
		t.Fatalf("%v", reply)
	}
	all, _, err := h.list(t, 0, filter{})
	if err != nil || len(all) != 1 || *all[0].Devices[0].Drift != -34 {
		t.Errorf("%v, %v", all, err)
	}
}
