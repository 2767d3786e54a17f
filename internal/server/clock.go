package server

import (
	"context"
	"time"

	api "sallyport/internal/api/iosallyportadmin"
	"sallyport/internal/clock"
	"sallyport/internal/clock/monitor"
)

func (m *adminMethods) Clock(ctx context.Context, c api.VarlinkCall) error {
	report, err := m.server.Config.Clock()
	if err != nil {
		return m.server.fail(ctx, c.Call, callOf(ctx), err)
	}
	return c.ReplyClock(ctx, clockState(report))
}

func clockState(r monitor.Report) api.ClockState {
	s := api.ClockState{
		Wrong: r.Bad, Text: r.Summary(), Source: maybe(string(r.Source)), Since: maybeInstant(r.Since), Mend: maybe(r.Mend), Hint: maybe(r.Hint),
		Warn: r.Warn.Seconds(), Sources: make([]api.ClockSource, len(r.Answers)), History: make([]api.ClockPoint, len(r.History)),
	}
	s.Offset, s.Error = seconds(r.Estimate)
	for i, a := range r.Answers {
		s.Sources[i] = api.ClockSource{Name: string(a.Name), Text: a.Text}
		s.Sources[i].Offset, s.Sources[i].Error = seconds(a.Estimate)
	}
	for i, p := range r.History {
		s.History[i] = api.ClockPoint{At: instant(p.At), Source: string(p.Source), Offset: rounded(p.Offset), Error: rounded(p.Error)}
	}
	return s
}

// seconds is absent where nothing is known.
func seconds(e clock.Estimate) (offset, most *float64) {
	if !e.Known() {
		return nil, nil
	}
	o, m := rounded(e.Offset), rounded(e.Error)
	return &o, &m
}

// rounded is in seconds, to the microsecond.
func rounded(d time.Duration) float64 { return d.Round(time.Microsecond).Seconds() }
