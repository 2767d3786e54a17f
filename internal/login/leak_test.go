package login

import (
	"fmt"
	"testing"

	"sallyport/internal/ledger"
	"sallyport/internal/policy"
)

// everybody is an enrolled user, one who is not, and one whom the host does not know, where a code is always asked for.
func everybody(t *testing.T) map[string]*person {
	t.Helper()
	enrolled, plain, unknown := enrolledPerson(t), newPerson(t, policy.RequireAlways), newPerson(t, policy.RequireAlways)
	enrolled.Decision.Require = policy.RequireAlways
	for range 10 {
		enrolled.enrolWithRecovery()
	}
	unknown.req.Known, unknown.req.UID = false, 0
	return map[string]*person{"enrolled": enrolled, "not enrolled": plain, "unknown": unknown}
}

// TestEverybodyIsTreatedAlike: prompts, messages, verdicts and what has to be stored are the same, until and under a lock.
func TestEverybodyIsTreatedAlike(t *testing.T) {
	everybody := everybody(t)
	wrong := everybody["enrolled"].wrongCode()
	for _, split := range []bool{false, true} {
		for _, answers := range [][]string{
			{""}, {wrong}, {"correct horse"}, {"ABCD-EFGH-IJKL-MNOP"}, {wrong, wrong, wrong}, {"", "x", wrong}, {"1234567"}, {"12345678"},
			{wrong, wrong, wrong}, {wrong}, {}, {wrong}, {"x"},
		} {
			var want string
			for _, name := range []string{"enrolled", "not enrolled", "unknown"} {
				p := everybody[name]
				p.req.Split = split
				d := New(p.req)
				s := d.Begin(&p.Facts)
				got := seen(s)
				for _, a := range answers {
					if s.Ask == nil {
						break
					}
					if split {
						a = "password" + a
					}
					s = d.Answer(&p.Facts, a)
					got += seen(s)
				}
				if name == "enrolled" {
					want = got
				} else if got != want {
					t.Errorf("split %v, %q: %s gets\n%s\nand who is enrolled\n%s", split, answers, name, got, want)
				}
			}
		}
		for _, p := range everybody {
			p.Account = &ledger.Account{}
			if p.Record != nil {
				p.Record.Lock.Until = noon
			}
		}
	}
}

// seen is all of a step that somebody may notice.
func seen(s Step) string {
	ask := "nothing"
	if s.Ask != nil {
		ask = fmt.Sprintf("%q %v", s.Ask.Text, s.Ask.Echo)
	}
	return fmt.Sprintf("%v, asked %s, %v until %v, %d, %q, stores %v %v\n",
		s.Tell, ask, s.Verdict, s.Until, s.PasswordLength, s.Resume, s.SaveRecord, s.SaveAccount)
}

// TestEverybodyCostsTheSame counts the work that is done for an answer by the memory that is asked for: each hash takes
// some, and the same each time.
func TestEverybodyCostsTheSame(t *testing.T) {
	everybody := everybody(t)
	for _, answer := range []string{everybody["enrolled"].wrongCode(), "ABCD-EFGH-IJKL-MNOP", "correct horse"} {
		cost := map[string]float64{}
		for name, p := range everybody {
			cost[name] = testing.AllocsPerRun(100, func() { p.find(answer) })
		}
		for name, n := range cost {
			// The decoy itself is made anew.
			made := testing.AllocsPerRun(100, func() { decoy() }) + 3
			if n < cost["enrolled"] || n > cost["enrolled"]+made {
				t.Errorf("%q: %s costs %v allocations, who is enrolled %v (a decoy: %v)", answer, name, n, cost["enrolled"], made)
			}
		}
	}
}
