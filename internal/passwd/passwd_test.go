package passwd

import (
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// TestAccounts holds the list against getent(1)'s.
func TestAccounts(t *testing.T) {
	out, err := exec.Command("getent", "passwd").Output()
	if err != nil {
		t.Fatal(err)
	}
	var want []Account
	for line := range strings.Lines(string(out)) {
		f := strings.Split(strings.TrimSpace(line), ":")
		uid, err := strconv.ParseUint(f[2], 10, 32)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, Account{f[0], uint32(uid), f[6]})
	}
	d := new(Database)
	for round := range 2 { // it begins at the beginning
		n := 0
		for a, err := range d.Accounts() {
			if err != nil {
				t.Fatal(err)
			}
			if n >= len(want) || a != want[n] {
				t.Fatalf("round %d, account %d: %+v, want one of %+v", round, n, a, want)
			}
			if n++; round == 0 && n == 2 {
				break // half-way
			}
		}
		if round == 1 && n != len(want) {
			t.Errorf("%d accounts, want %d", n, len(want))
		}
	}
}

func TestIsPerson(t *testing.T) {
	for _, test := range []struct {
		account Account
		want    bool
	}{
		{Account{"root", 0, "/bin/bash"}, true},
		{Account{"root", 0, "/usr/sbin/nologin"}, false},
		{Account{"daemon", 1, "/bin/sh"}, false},
		{Account{"last", 999, "/bin/sh"}, false},
		{Account{"alice", 1000, "/bin/bash"}, true},
		{Account{"bob", 1001, ""}, true},
		{Account{"files", 1002, "/bin/false"}, false},
		{Account{"nobody", 65534, "/sbin/nologin"}, false},
	} {
		if got := test.account.IsPerson(); got != test.want {
			t.Errorf("%+v: %v, want %v", test.account, got, test.want)
		}
	}
}
