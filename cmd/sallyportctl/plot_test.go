package main

import (
	"strings"
	"testing"
	"time"

	admin "sallyport/internal/api/iosallyportadmin"
)

var plotNow = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// points are every five minutes of the last day.
func points(offset func(age time.Duration) float64) []admin.ClockPoint {
	var all []admin.ClockPoint
	for age := 24*time.Hour - 5*time.Minute; age >= 0; age -= 5 * time.Minute {
		all = append(all, admin.ClockPoint{At: plotNow.Add(-age).Format(time.RFC3339), Source: "codes", Offset: offset(age)})
	}
	return all
}

func TestPlot(t *testing.T) {
	got := strings.Join(plot(points(func(age time.Duration) float64 {
		switch {
		case age >= 12*time.Hour:
			return 1
		case age > 6*time.Hour:
			return -42
		default:
			return 20
		}
	}), plotNow, 5), "\n")
	want := strings.TrimPrefix(`
42 s fast |
          |
          |                                                      ******************
          |
    right |************************************------------------------------------
          |
          |
          |
42 s slow |                                    ******************
           12:00 yesterday                                                    12:00`, "\n")
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestPlotKeepsItsSize has more points than columns, of any size and from anywhere.
func TestPlotKeepsItsSize(t *testing.T) {
	for _, history := range [][]admin.ClockPoint{
		points(func(age time.Duration) float64 { return 86400 * age.Hours() }),
		append(points(func(time.Duration) float64 { return 0 }), admin.ClockPoint{At: "never", Offset: 1e18}, admin.ClockPoint{At: "2126-11-24T12:00:00Z", Offset: 1e9}),
		points(func(time.Duration) float64 { return -1e300 }),
	} {
		lines := plot(history, plotNow, 5)
		if len(lines) != 2*plotRows+2 {
			t.Errorf("%d lines", len(lines))
		}
		for _, l := range lines {
			if len(l) > 100 {
				t.Errorf("a line of %d bytes: %s", len(l), l)
			}
		}
	}
	for _, history := range [][]admin.ClockPoint{nil, {{At: "2020-01-01T00:00:00Z", Offset: 3}}} {
		if lines := plot(history, plotNow, 5); len(lines) != 1 || !strings.Contains(lines[0], "nothing yet") {
			t.Errorf("%q", lines)
		}
	}
}
