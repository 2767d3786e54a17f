package main

import (
	"strings"
	"testing"

	admin "sallyport/internal/api/iosallyportadmin"
)

// TestUserOrders sorts the same users by each key. They come by name.
func TestUserOrders(t *testing.T) {
	text := func(s string) *string { return &s }
	seconds := func(n int64) *int64 { return &n }
	users := []admin.User{
		{User: "alice", Devices: []admin.Device{{Drift: seconds(-90)}, {Drift: seconds(30)}}, Since: text("2026-03-01T00:00:00Z"), Recovery_codes: 3,
			Last: &admin.LastLogin{At: "2026-11-01T00:00:00Z"}},
		{User: "bob", Devices: []admin.Device{{Drift: seconds(60)}}, Since: text("2026-01-01T00:00:00Z"), Recovery_codes: 10,
			Last: &admin.LastLogin{At: "2026-10-01T00:00:00Z"}, Locked_until: text("2026-11-24T00:00:00Z")},
		{User: "carol"}, // damaged
		{User: "dave", Devices: []admin.Device{{}}, Since: text("2026-02-01T00:00:00Z"), Locked_until: text("2026-11-23T00:00:00Z")},
	}
	for key, want := range map[string]string{
		"since":  "bob dave alice carol",
		"last":   "bob alice carol dave",
		"locked": "dave bob alice carol",
		"codes":  "dave alice bob carol",
		"drift":  "alice bob carol dave",
	} {
		s := sortedUsers{less: userOrders()[key]}
		for _, u := range users {
			if err := s.add(u); err != nil {
				t.Fatal(err)
			}
		}
		var got []string
		if err := s.give(func(u admin.User) error { got = append(got, u.User); return nil }); err != nil || strings.Join(got, " ") != want {
			t.Errorf("by %s: %s, want %s (error %v)", key, strings.Join(got, " "), want, err)
		}
	}
	if len(userOrders()) != 6 {
		t.Errorf("%d orders: this test knows six", len(userOrders()))
	}
}

// TestUserCells shows the drift of the device that is worst off, with its sign, and no formula.
func TestUserCells(t *testing.T) {
	seconds := func(n int64) *int64 { return &n }
	u := admin.User{User: "a", Devices: []admin.Device{{Label: "phone", Drift: seconds(30)}, {Label: "tablet", Drift: seconds(-90)}, {Label: "key"}}}
	same := func(s string) string { return s }
	if c := userCells(u, same); c[1] != "phone, tablet, key" || c[7] != "-90" {
		t.Errorf("cells %q", c)
	}
	for text, want := range map[string]string{
		"": "", "phone": "phone", "-90": "-90", "=1+1": "'=1+1", "@x": "'@x", "+x": "'+x", "-x": "'-x", "a=b": "a=b",
	} {
		if got := harmless(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"mein Gerät": "mein Gerät", `DOM\alice`: `DOM\alice`, "a\x1b[2Jb": `a\x1b[2Jb`, "a\u202eb": `a\u202eb`, "a\nb": `a\nb`, "'": "'",
	} {
		if got := printable(text); got != want {
			t.Errorf("%q becomes %s, want %s", text, got, want)
		}
	}
}
