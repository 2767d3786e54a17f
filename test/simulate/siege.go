package simulate

import (
	"fmt"
	"math/rand/v2"
	"time"

	"sallyport/internal/ledger"
	"sallyport/internal/login"
	"sallyport/internal/otp"
	"sallyport/internal/policy"
	"sallyport/internal/vault"
)

// siege is somebody who knows a user's password and guesses codes for a year, as fast as the lockout lets from so many
// sources, while the user goes on logging in from where it always does. Lockout and codes are the real ones.
type siege struct {
	rng     *rand.Rand
	now     time.Time
	facts   login.Facts
	key     otp.Key
	sources []string
	near    bool      // the owner's, too
	opens   time.Time // when the first source does

	tallies
}

// tallies is what is counted of a siege.
type tallies struct {
	guesses  int // that were looked at
	hits     int // that were right
	logins   int // of the owner
	refused  int // of these: refused at the desk
	stranded int // of these: refused from the other address, too
}

func (t *tallies) add(o tallies) {
	t.guesses, t.hits = t.guesses+o.guesses, t.hits+o.hits
	t.logins, t.refused, t.stranded = t.logins+o.logins, t.refused+o.refused, t.stranded+o.stranded
}

const (
	desk = "10.0.0.7" // where the owner logs in from
	home = "10.0.0.8" // and where it does when that is locked
	year = 365 * day
)

// newSiege has the attacker come from so many sources; near: from the owner's address, too.
func newSiege(seed uint64, p *policy.Policy, sources int, near bool) (*siege, error) {
	s := &siege{rng: rand.New(rand.NewPCG(seed, 1)), near: near, now: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)}
	secret := make([]byte, 20)
	for i := range secret {
		secret[i] = byte(s.rng.Uint32())
	}
	s.key = otp.Key{Kind: otp.TOTP, Algorithm: otp.SHA1, Secret: otp.NewSecret(secret), Digits: 6, Period: 30 * time.Second}
	d, err := p.Decide(policy.Request{User: "alice", Service: "sshd", Source: desk}, s.now)
	if err != nil {
		return nil, err
	}
	s.facts = login.Facts{
		Decision: d, Account: &ledger.Account{},
		Record: &vault.Record{User: "alice", UID: 1000, Tokens: []vault.Token{{ID: "0123456789abcdef", Label: "phone", Key: s.key}}},
	}
	for i := range sources {
		s.sources = append(s.sources, fmt.Sprintf("2001:db8::%x", i))
	}
	return s, nil
}

// try gives one answer. It returns until when its source is locked; zero: it is not.
func (s *siege) try(source, code string) login.Proof {
	s.facts.Now = s.now
	return login.Prove(login.Request{User: "alice", UID: 1000, Known: true, Service: "sshd", RHost: source}, &s.facts, code)
}

// run is one year. The owner logs in each morning; in between the attacker guesses whenever some source may.
func (s *siege) run() {
	end := s.now.Add(year)
	s.getsIn(home) // so that both addresses are known
	s.now = s.now.Add(2 * s.key.Period)
	s.owner()
	next := 0 // the source to try
	for morning := s.now.Add(8 * time.Hour); morning.Before(end); morning = morning.Add(day) {
		next = s.guess(morning, next)
		s.now = later(s.now, morning)
		s.owner()
	}
	s.guess(end, next)
}

// guess goes on until some time: from one source to the next, at last from the owner's, and where all are locked it waits for
// the first to open. It returns the source to go on with.
func (s *siege) guess(until time.Time, next int) int {
	for {
		if s.now = later(s.now, earlier(s.opens, until)); !s.now.Before(until) {
			return next
		}
		s.opens = s.now.Add(year)
		for range min(len(s.sources), patience) {
			s.opens = earlier(s.opens, s.exhaust(s.sources[next]))
			next = (next + 1) % len(s.sources)
		}
		if s.near && s.opens.Sub(s.now) > time.Hour { // the user's lock, and not that of some sources
			// What comes from the owner's address counts against the other sources, so it pays to wait until all is a day old.
			s.exhaust(desk)
			s.opens = s.now.Add(day)
		}
	}
}

// patience is more sources than the ledger has places for: if these are locked, all are.
const patience = 70

// exhaust guesses from one source until it is locked, and returns the end of that.
func (s *siege) exhaust(source string) time.Time {
	for {
		proof := s.try(source, fmt.Sprintf("%06d", s.rng.IntN(1_000_000)))
		s.now = s.now.Add(time.Second)
		if proof.SaveAccount { // it was looked at
			s.guesses++
		}
		if proof.Finding == login.Right {
			s.hits++
		}
		if !proof.Locked.IsZero() {
			return proof.Locked
		}
	}
}

// owner is the user's login: at the desk or, where that is refused, from home.
func (s *siege) owner() {
	s.logins++
	if s.getsIn(desk) {
		return
	}
	s.refused++
	if !s.getsIn(home) {
		s.stranded++
	}
}

// getsIn is a login of the owner's. A code that the attacker has hit is used, so the next one is taken.
func (s *siege) getsIn(source string) bool {
	for range 3 {
		code, err := s.key.Code(s.key.Step(s.now))
		if err != nil {
			return false
		}
		proof := s.try(source, code)
		if proof.Finding == login.Right && proof.Locked.IsZero() {
			return true
		}
		if proof.Finding != login.Replayed || !proof.Locked.IsZero() {
			return false
		}
		s.now = s.now.Add(2 * s.key.Period)
	}
	return false
}
