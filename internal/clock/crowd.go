package clock

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// How many people must agree. A share guards against a host where few phones are right; fewer than three are no crowd.
const (
	fewestKnown = 3
	fewestSure  = 5
	lastsFor    = 24 * time.Hour
)

// Crowd is the estimate of many people's codes. Each code says where the offset lies if that phone is right: 50 s wide,
// or 30 s of a step and what it takes to type. Where most people's spans overlap is the offset (the idea of RFC 5905's
// clock selection): phones that are wrong stand apart, and are outvoted; and one in ten may be wrong by so little that
// it does not. After 20 people this is off by 4 s at most in 19 of 20 cases, and the median of the spans' middles by 6 s
// (measured: TestCrowdFindsTheOffset).
func Crowd(people [][]Sample, now, booted time.Time) Estimate {
	var spans []span
	for _, samples := range people {
		if s, ok := person(samples, now, booted); ok {
			spans = append(spans, s)
		}
	}
	where, agree := overlap(spans, func(most int) int { return most / 10 })
	if agree < fewestKnown || 2*agree <= len(spans) {
		return Estimate{}
	}
	return Estimate{
		Source: Codes, Offset: (where.from + where.to) / 2, Error: (where.to - where.from) / 2, At: now,
		Sure:   agree >= fewestSure && 3*agree >= 2*len(spans),
		Detail: fmt.Sprintf("the codes of %d of %d people", agree, len(spans)),
	}
}

// person is where the offset lies by one person's samples, of which the newest is the last: within all of their spans,
// leaving out what does not fit those after it. Each try counts: who is refused tries until the code is accepted, and by
// accepted codes alone the clock would always seem nearly right.
func person(samples []Sample, now, booted time.Time) (where span, ok bool) {
	for _, s := range slices.Backward(samples) {
		if !s.Recent(now, booted) {
			continue
		}
		o := s.offset(booted)
		if !ok {
			where, ok = o, true
		} else if both := (span{max(where.from, o.from), min(where.to, o.to)}); both.from <= both.to {
			where = both
		}
	}
	return where, ok
}

// edge is where a span begins (1) or ends (-1).
type edge struct {
	at   time.Duration
	step int
}

// overlap is from the first to the last place where most spans overlap, or all of these but spare; and how many most are.
func overlap(spans []span, spare func(most int) int) (where span, most int) {
	var edges []edge
	for _, s := range spans {
		edges = append(edges, edge{s.from, 1}, edge{s.to, -1})
	}
	slices.SortFunc(edges, func(a, b edge) int {
		return cmp.Or(cmp.Compare(a.at, b.at), b.step-a.step) // spans that touch overlap
	})
	depth := 0
	for _, e := range edges {
		depth += e.step
		most = max(most, depth)
	}
	enough, found := most-spare(most), false
	for i, e := range edges {
		if depth += e.step; depth < enough || most == 0 {
			continue
		}
		if !found {
			where.from, found = e.at, true
		}
		where.to = edges[i+1].at // the last edge leaves nothing
	}
	return where, most
}
