package clock

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

const period = 30 * time.Second

// typed is the sample of a person who reads a code at some time and types it. The server's clock is off, and so may the
// phone's be.
func typed(r *rand.Rand, at time.Time, server, phone time.Duration) Sample {
	delay := 5*time.Second + time.Duration(r.Int64N(int64(10*time.Second)))
	read := at.Add(-delay).Add(phone)
	return Sample{At: at.Add(server), Step: read.Unix() / 30, Period: period}
}

// TestCrowdFindsTheOffset has 20 people log in to a server whose clock is wrong by as much, 2 of them with a phone that
// is wrong, in 500 draws: the estimate is always right within what it says of itself, and within 5 s but for 1 draw in 50.
func TestCrowdFindsTheOffset(t *testing.T) {
	for _, offset := range []time.Duration{0, 40 * time.Second, 10 * time.Minute, 24 * time.Hour} {
		for _, server := range []time.Duration{offset, -offset} {
			const draws = 500
			worst, far := time.Duration(0), 0
			for seed := range uint64(draws) {
				r := rand.New(rand.NewPCG(seed, 1))
				var samples [][]Sample
				for i := range 20 {
					phone := time.Duration(0)
					if i >= 18 {
						phone = time.Duration(r.Int64N(int64(time.Hour))) - 30*time.Minute
					}
					samples = append(samples, []Sample{typed(r, noon.Add(time.Duration(r.Int64N(int64(time.Hour)))), server, phone)})
				}
				e := Crowd(samples, noon.Add(time.Hour+server), time.Time{})
				if !e.Known() || !e.Sure {
					t.Fatalf("offset %v, seed %d: 18 of 20 people agree, and it is %+v", server, seed, e)
				}
				miss := (e.Offset - server).Abs()
				worst = max(worst, miss)
				if miss > 5*time.Second {
					far++
				}
				if miss > e.Error || e.Error > 20*time.Second {
					t.Errorf("offset %v, seed %d: %v ± %v", server, seed, e.Offset, e.Error)
				}
			}
			if far > draws/50 || worst > 10*time.Second {
				t.Errorf("offset %v: off by more than 5 s in %d of %d draws, by up to %v", server, far, draws, worst)
			}
		}
	}
}

// TestNoCrowd shows when codes say nothing about the server: too few people, or phones that disagree.
func TestNoCrowd(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	samples := func(phones ...time.Duration) [][]Sample {
		var all [][]Sample
		for _, p := range phones {
			all = append(all, []Sample{typed(r, noon, 0, p)})
		}
		return all
	}
	const far = 10 * time.Minute
	for _, c := range []struct {
		name    string
		samples [][]Sample
		known   bool
	}{
		{"nobody", nil, false},
		{"two", samples(0, 0), false},
		{"three", samples(0, 0, 0), true},
		{"half are wrong in the same way", samples(0, 0, 0, far, far, far), false},
		{"one of four is wrong", samples(0, 0, 0, far), true},
		{"all are wrong, each in its way", samples(far, 2*far, 3*far, 4*far), false},
	} {
		if e := Crowd(c.samples, noon, time.Time{}); e.Known() != c.known {
			t.Errorf("%s: %+v", c.name, e)
		}
	}
}

// TestEveryTryCounts has people try until a code is accepted, on a clock that is so far off that some are and some are
// not: by the accepted ones alone it would seem better than it is.
func TestEveryTryCounts(t *testing.T) {
	const wrong = 40 * time.Second
	var all, last time.Duration
	const draws = 200
	for seed := range uint64(draws) {
		r := rand.New(rand.NewPCG(seed, 5))
		var tries, accepted [][]Sample
		for range 20 {
			var mine []Sample
			at := noon.Add(time.Duration(r.Int64N(int64(time.Hour))))
			for range 3 {
				s := typed(r, at, wrong, 0)
				mine = append(mine, s)
				if here := s.At.Unix() / 30; s.Step >= here-1 && s.Step <= here+1 {
					break
				}
				at = at.Add(period)
			}
			tries, accepted = append(tries, mine), append(accepted, mine[len(mine)-1:])
		}
		all += Crowd(tries, noon.Add(2*time.Hour), time.Time{}).Offset - wrong
		last += Crowd(accepted, noon.Add(2*time.Hour), time.Time{}).Offset - wrong
	}
	if (all/draws).Abs() > 3*time.Second || (last/draws).Abs() < (all/draws).Abs() {
		t.Errorf("off by %v on average with every try, by %v with the last alone", all/draws, last/draws)
	}
	t.Logf("off by %v on average with every try, by %v with the last alone", all/draws, last/draws)
}

// TestCrowdFollowsTheClock sets the clock after people have logged in: what they said moves along, however old it looks.
func TestCrowdFollowsTheClock(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	booted := noon.Add(-time.Hour)
	var samples [][]Sample
	for range 20 {
		s := typed(r, noon, 0, 0)
		s.Booted = booted
		samples = append(samples, []Sample{s})
	}
	for _, set := range []time.Duration{time.Hour, -time.Hour, 48 * time.Hour, -48 * time.Hour} {
		e := Crowd(samples, noon.Add(set), booted.Add(set))
		if miss := (e.Offset - set).Abs(); !e.Known() || miss > 10*time.Second {
			t.Errorf("set by %v: %+v", set, e)
		}
	}
	if e := Crowd(samples, noon.Add(25*time.Hour), booted); e.Known() {
		t.Errorf("a day later it still says %+v", e)
	}
}

func TestPhone(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	right := State{Estimate: Estimate{Source: Chrony, Error: 10 * time.Millisecond}}
	told := map[string]int{}
	for range 300 {
		at := noon.Add(time.Duration(r.Int64N(int64(time.Hour))))
		for name, phone := range map[string]time.Duration{"right": 0, "slow": -45 * time.Second, "fast": 45 * time.Second} {
			advice := typed(r, at, 0, phone).Advice(right)
			if advice == "" {
				continue
			}
			told[name]++
			if !strings.Contains(advice, " "+name+". ") || !strings.Contains(advice, "sallyportctl resync") {
				t.Errorf("a phone that is %s: %q", name, advice)
			}
		}
	}
	if told["right"] > 0 || told["slow"] < 150 || told["fast"] < 150 {
		t.Errorf("told in %v of 300 logins each", told)
	}
	s := typed(r, noon, 0, 45*time.Second)
	for name, server := range map[string]State{
		"unknown": {}, "wrong": {Estimate: Estimate{Source: Chrony, Offset: time.Minute}, Bad: true},
	} {
		if advice := s.Advice(server); advice != "" {
			t.Errorf("with a server that is %s a phone is blamed: %q", name, advice)
		}
	}
	for s.Fits(right) {
		s = typed(r, noon, 0, 45*time.Second)
	}
	s.Learned = 1
	if advice := s.Advice(right); advice != "" {
		t.Errorf("a phone that was resynchronised is told again: %q", advice)
	}
	// A server known to be a little slow explains a phone that seems to be ahead.
	slow := State{Estimate: Estimate{Source: Chrony, Offset: -45 * time.Second}}
	for range 300 {
		if s := typed(r, noon, -45*time.Second, 0); !s.Fits(slow) {
			t.Fatalf("the phone is right, and %+v does not fit", s)
		}
	}
}
