package main

import (
	"errors"
	"strings"
	"testing"
)

// TestDecodeEntries reads what journalctl makes of entries that are not as ours.
func TestDecodeEntries(t *testing.T) {
	const entries = `{"__REALTIME_TIMESTAMP":"1795559304984208","_UID":"0","MESSAGE":"login accepted","PRIORITY":"5","SALLYPORT_KIND":"login-accepted","SALLYPORT_USER":"alice","OTHER":"x"}
{"_UID":"5","MESSAGE":[104,105,27],"SALLYPORT_KIND":["a","b"],"SALLYPORT_USER":[[98,27],"c"],"SALLYPORT_REASON":null,"PRIORITY":{"x":1}}
{}
`
	var got []event
	if err := decodeEntries(strings.NewReader(entries), func(e event) error { got = append(got, e); return nil }); err != nil || len(got) != 3 {
		t.Fatalf("%d entries, error %v", len(got), err)
	}
	a, b, c := got[0], got[1], got[2]
	if a.Time.Format("2006-01-02T15:04:05.999999Z07:00") != "2026-11-24T22:28:24.984208Z" || a.Kind != "login-accepted" || a.Priority != 5 || a.Sender != "" {
		t.Errorf("the first: %+v", a)
	}
	if len(a.Fields) != 1 || a.Fields["user"] != "alice" {
		t.Errorf("the first's fields: %v", a.Fields)
	}
	if b.Message != "hi\x1b" || b.Kind != "a" || b.Sender != "5" || b.Fields["user"] != "b\x1b" || b.Fields["reason"] != "" || b.Priority != 6 {
		t.Errorf("the second: %+v", b)
	}
	if c.Sender != "unknown" || !c.Time.IsZero() {
		t.Errorf("the third: %+v", c)
	}
	for _, bad := range []string{"x", `{"MESSAGE":`, `[]`} {
		if err := decodeEntries(strings.NewReader(bad), func(event) error { return nil }); err == nil {
			t.Errorf("%s passes for entries", bad)
		}
	}
	stop := errors.New("enough")
	if err := decodeEntries(strings.NewReader(entries), func(event) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("the error of who takes them is %v", err)
	}
}

// TestJournalArguments: nothing that somebody types is an option of journalctl's, or a match of its own.
func TestJournalArguments(t *testing.T) {
	o := eventsOptions{user: "--root=/x\n+", since: "--file=/x", lines: 3, follow: true}
	for _, arg := range o.arguments("") {
		switch {
		case strings.HasPrefix(arg, "MESSAGE_ID="), arg == "--no-pager", arg == "--output=json", arg == "--since=--file=/x", arg == "--lines=3", arg == "--follow":
		case arg == `SALLYPORT_USER=--root=/x\n+`:
		default:
			t.Errorf("journalctl gets %q", arg)
		}
	}
}
