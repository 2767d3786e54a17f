package clock

import "time"

// Reading is one server's measurement.
type Reading struct {
	Server string
	Offset time.Duration // the clock less the server's
	Error  time.Duration // half the way there and back, and what the server says of itself (RFC 5905, root distance)
}

// Vote is where most readings overlap, and which those are. Servers that are not there tell a wrong time (falsetickers,
// RFC 5905 §11.2.1). ok is false where no more than half of them agree.
func Vote(readings []Reading) (offset, err time.Duration, agree []string, ok bool) {
	var spans []span
	for _, r := range readings {
		spans = append(spans, span{r.Offset - r.Error, r.Offset + r.Error})
	}
	where, most := overlap(spans, func(int) int { return 0 })
	if 2*most <= len(readings) {
		return 0, 0, nil, false
	}
	for i, s := range spans {
		if s.from <= where.to && s.to >= where.from {
			agree = append(agree, readings[i].Server)
		}
	}
	return (where.from + where.to) / 2, (where.to - where.from) / 2, agree, true
}
