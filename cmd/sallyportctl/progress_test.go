package main

import (
	"bytes"
	"testing"
	"time"
)

// TestProgress: nothing for two seconds, then a few times a second, and nothing stays.
func TestProgress(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	var screen bytes.Buffer
	p := newProgress(&screen, "users", func() time.Time { return now })
	for range 200 { // 10 ms each
		now = now.Add(10 * time.Millisecond)
		p.step()
	}
	p.done()
	if screen.Len() > 0 {
		t.Errorf("within two seconds: %q", screen.String())
	}
	for range 30 {
		now = now.Add(10 * time.Millisecond)
		p.step()
	}
	p.done()
	p.done()
	if got, want := screen.String(), "\r201 users ...\r222 users ...\r\x1b[K"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	p = newProgress(nil, "users", func() time.Time { return now })
	now = now.Add(time.Hour)
	p.step()
	p.done()
}
