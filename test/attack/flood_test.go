package attack

import (
	"fmt"
	"maps"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"sallyport/test/burst"
	"sallyport/test/host"
	"sallyport/test/proof"
)

// TestLocalAttacker: whatever a user does, root's logins get their answers in time, the daemon stays small, and nothing of
// anybody else's is changed.
func TestLocalAttacker(t *testing.T) {
	s := newSiege(t)
	table := proof.NewTable("while a user attacks with", "done so often", "logins of others", "slowest", "the daemon's memory, at most", "lines in the log about it")
	for _, name := range slices.Sorted(maps.Keys(roles)) {
		s.under(t, table, name)
	}
	s.under(t, table, everything)
	if !t.Failed() {
		proof.Keep(t, "local attacker", table)
	}
}

// TestManyLocalAttackers: as many users as have room beside one another, on both sockets, do not make the daemon large.
func TestManyLocalAttackers(t *testing.T) {
	const each, users = 64, 16
	s := newSiege(t)
	var all []*attacker
	for _, p := range burst.AddPeople(t, "mallory", users) {
		id := strconv.Itoa(int(p.UID))
		s.attacker = &user.User{Uid: id, Gid: id}
		for _, role := range []string{"all of a message but its end", "logins that do not begin"} {
			all = append(all, s.attack(t, role))
		}
	}
	host.Eventually(t, "all of them have their connections", func() bool {
		for _, a := range all {
			if a.count(t) < each {
				return false
			}
		}
		return true
	})
	slowest := s.logins(t, proof.Rounds(3, 100))
	memory := s.small(t)
	table := proof.NewTable("attackers", "connections that they hold", "logins of others", "slowest", "the daemon's memory, at most")
	table.Row(users, 2*each*users, fmt.Sprintf("all %d got in", proof.Rounds(3, 100)), slowest.Round(time.Millisecond), fmt.Sprintf("%.0f MiB", float64(memory)/1024))
	if !t.Failed() {
		proof.Keep(t, "many local attackers", table)
	}
}

// under has the owner log in while the attacker plays a role, or all of them.
func (s *siege) under(t *testing.T, table *proof.Table, name string) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		began, quiet := time.Now(), len(s.daemon.Log())
		var all []*attacker
		if name == everything {
			all = s.attackAll(t)
		} else {
			all = s.play(t, roles[name].often, name)
		}
		slowest := s.logins(t, proof.Rounds(6, 100))
		lines := s.lines(t, quiet, time.Since(began))
		done := 0
		for _, a := range all {
			done += a.count(t)
			if said := a.errors.String(); said != "" {
				t.Errorf("the attacker says: %s", said)
			}
			a.end()
		}
		memory := s.small(t)
		table.Row(name, done, fmt.Sprintf("all %d got in", proof.Rounds(6, 100)), slowest.Round(time.Millisecond), fmt.Sprintf("%.0f MiB", float64(memory)/1024), lines)
	})
}

// mostLines is how many lines one user can have the daemon log in a minute: 30 about what takes a code, 30 about what takes
// none, and a count of the rest of each.
const mostLines = 62

// lines are those about others than the owner, since the log was so long, in that time. Each login of the owner's has one.
func (s *siege) lines(t *testing.T, quiet int, took time.Duration) int {
	t.Helper()
	log := s.daemon.Log()[quiet:]
	accepted := strings.Count(log, fmt.Sprintf("login accepted: user %q", owner))
	if want := proof.Rounds(6, 100); accepted != want {
		t.Errorf("the log has %d logins of %s, want %d", accepted, owner, want)
	}
	others := strings.Count(log, "\n") - accepted
	if most := mostLines * (int(took/time.Minute) + 2); others > most {
		t.Errorf("the log has %d lines about others in %v, want at most %d", others, took, most)
	}
	return others
}

// logins are the owner's, each with a new device. The vault is the same before and after each.
func (s *siege) logins(t *testing.T, n int) (slowest time.Duration) {
	t.Helper()
	for range n {
		burst.Enrol(t, s.owner)
		before := vault(t)
		o := burst.One(t, s.program, nil, burst.Attempt{Service: service, User: owner, Code: s.owner.Code(time.Now())})
		if !o.Granted() || o.Took > deadline {
			t.Errorf("a right code: %s, after %v", o.Result(), o.Took)
		}
		slowest = max(slowest, o.Took)
		if after := vault(t); !maps.Equal(before, after) {
			t.Errorf("the vault was %v and is %v", before, after)
		}
	}
	return slowest
}
