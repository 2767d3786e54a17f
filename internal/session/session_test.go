package session

import (
	"strings"
	"testing"
	"time"

	"sallyport/internal/ledger"
	"sallyport/internal/policy"
)

// windows makes them of "session@source", the oldest first; one in brackets is being ended.
func windows(texts ...string) []ledger.Window {
	var all []ledger.Window
	for _, text := range texts {
		inner := strings.Trim(text, "()")
		id, source, _ := strings.Cut(inner, "@")
		w := ledger.Window{Session: id, Source: source}
		if inner != text {
			w.Ending = time.Unix(1, 0)
		}
		all = append(all, w)
	}
	return all
}

func TestPlace(t *testing.T) {
	for _, test := range []struct {
		windows string
		source  string
		rules   policy.Sessions
		join    string
		excess  string
	}{
		{"", "a", policy.Sessions{Limit: 1, Join: "source"}, "", ""},
		{"1@a", "a", policy.Sessions{Limit: 1, Join: "source"}, "1", ""},
		{"1@a", "b", policy.Sessions{Limit: 1, Join: "source"}, "", "1"},
		{"1@a", "a", policy.Sessions{Limit: 1, Join: "never"}, "", "1"},
		{"1@a 1@a 2@b", "c", policy.Sessions{Limit: 3, Join: "source"}, "", ""},
		{"1@a 2@b 1@a", "c", policy.Sessions{Limit: 2, Join: "source"}, "", "1"},
		{"1@a 2@b 3@c", "d", policy.Sessions{Limit: 1, Join: "source"}, "", "1 2 3"},
		{"1@a 2@b 3@c", "b", policy.Sessions{Limit: 1, Join: "source"}, "2", ""},
		{"1@a 2@b 3@c", "d", policy.Sessions{Limit: 0, Join: "source"}, "", ""},
		{"(1@a)", "b", policy.Sessions{Limit: 1, Join: "source"}, "", ""},
		{"(1@a)", "a", policy.Sessions{Limit: 1, Join: "source"}, "", ""},
		{"1@192.0.2.7", "::ffff:192.0.2.7", policy.Sessions{Limit: 1, Join: "source"}, "1", ""},
		{"1@192.0.2.7", "::ffff:192.0.2.8", policy.Sessions{Limit: 1, Join: "source"}, "", "1"},
	} {
		join, excess := Place(Group(windows(strings.Fields(test.windows)...)), test.source, test.rules)
		var ids []string
		for _, s := range excess {
			ids = append(ids, s.ID)
		}
		if got := strings.Join(ids, " "); join != test.join || got != test.excess {
			t.Errorf("%q and one from %s by %+v: joins %q, ends %q; want %q, %q", test.windows, test.source, test.rules, join, got, test.join, test.excess)
		}
	}
}
