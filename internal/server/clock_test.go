package server

import (
	"strings"
	"testing"
	"time"

	"sallyport/internal/clock"
	"sallyport/internal/clock/monitor"
)

func TestClock(t *testing.T) {
	h := newHost(t, "")
	reply, failure := h.call(t, 0, "io.sallyport.Admin.Clock", nil)
	c, _ := reply["clock"].(map[string]any)
	if _, known := c["offset"]; failure != "" || known || c["wrong"] != false || len(c["sources"].([]any)) != 0 || len(c["history"].([]any)) != 0 {
		t.Errorf("nothing is known: %v, error %q", c, failure)
	}
	slow := clock.Estimate{Source: clock.Chrony, Offset: -42 * time.Second, Error: time.Millisecond, Detail: "chrony", At: h.clock()}
	h.report = monitor.Report{
		State: clock.State{Estimate: slow, Bad: true, Since: h.clock(), Mend: "chronyc makestep"}, Warn: 5 * time.Second,
		Answers: []monitor.Answer{{Estimate: slow, Name: clock.Chrony, Text: "says so"}, {Name: clock.Codes, Text: "do not know"}},
		History: []clock.Point{{At: h.clock(), Source: clock.Chrony, Offset: -42 * time.Second}},
	}
	reply, failure = h.call(t, 0, "io.sallyport.Admin.Clock", nil)
	c, _ = reply["clock"].(map[string]any)
	if failure != "" || c["wrong"] != true || c["offset"] != -42.0 || c["error"] != 0.001 || c["warn"] != 5.0 || c["mend"] != "chronyc makestep" || c["since"] != "2026-11-23T12:00:00Z" {
		t.Errorf("%v, error %q", c, failure)
	}
	if text := c["text"].(string); !strings.Contains(text, "42 s slow") {
		t.Errorf("text %q", text)
	}
	sources := c["sources"].([]any)
	if _, known := sources[1].(map[string]any)["offset"]; known || sources[0].(map[string]any)["offset"] != -42.0 {
		t.Errorf("sources %v", sources)
	}
	if points := c["history"].([]any); points[0].(map[string]any)["offset"] != -42.0 {
		t.Errorf("history %v", points)
	}
}
