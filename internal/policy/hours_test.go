package policy

import (
	"testing"
	"time"
)

func TestHours(t *testing.T) {
	for _, test := range []struct {
		hours    string
		in, out  []string
		location *time.Location
	}{
		{"08:00-18:00", []string{"08:00:00", "12:00:00", "17:59:59"}, []string{"07:59:59", "18:00:00", "00:00:00", "23:59:59"}, time.Local},
		{"22:00-06:00", []string{"22:00:00", "23:59:59", "00:00:00", "05:59:59"}, []string{"06:00:00", "12:00:00", "21:59:59"}, time.Local},
		{"00:00-00:01", []string{"00:00:00", "00:00:59"}, []string{"00:01:00", "23:59:59"}, time.Local},
		{"23:30-24:00", []string{"23:30:00", "23:59:59"}, []string{"00:00:00", "23:29:59"}, time.Local},
		{"23:30-00:00", []string{"23:30:00", "23:59:59"}, []string{"00:00:00", "23:29:59"}, time.Local},
	} {
		h, ok := parseHours(test.hours)
		if !ok || h.String() != test.hours {
			t.Errorf("%s is read as %v, %v", test.hours, h, ok)
		}
		for want, clocks := range map[bool][]string{true: test.in, false: test.out} {
			for _, clock := range clocks {
				at, err := time.ParseInLocation(time.DateTime, "2027-02-03 "+clock, time.Local)
				if err != nil {
					t.Fatal(err)
				}
				// The host's clock decides, whatever zone the time is told in.
				if got := h.Include(at.In(time.FixedZone("elsewhere", 5*3600))); got != want {
					t.Errorf("%s has %s: %v, want %v", test.hours, clock, got, want)
				}
			}
		}
	}
	if !(Hours{}).Include(march) {
		t.Error("the zero value is not the whole day")
	}
}

// TestHoursOfTheHost: the host's zone and its summer time count.
func TestHoursOfTheHost(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	before := time.Local
	time.Local = berlin
	defer func() { time.Local = before }()
	h, _ := parseHours("08:00-18:00")
	for at, want := range map[string]bool{
		"2027-01-15T06:59:59Z": false, "2027-01-15T07:00:00Z": true, // 08:00 +01:00
		"2027-07-15T05:59:59Z": false, "2027-07-15T06:00:00Z": true, // 08:00 +02:00
	} {
		instant, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := h.Include(instant); got != want {
			t.Errorf("%s: %v, want %v", at, got, want)
		}
	}
}

// TestRememberMark: it changes with what is remembered, and with nothing else.
func TestRememberMark(t *testing.T) {
	const rule = "[[rule]]\nservices = [\"sshd\"]\nremember = \"12h\"\n"
	mark := parsed(t, "f", rule).RememberMark()
	for text, same := range map[string]bool{
		"# A comment.\nenabled = false\n[codes]\nwindow = 3\n" + rule + "window = 2\nprompt = \"PIN\"\n[[rule]]\nrequire = \"always\"\n": true,
		"": false,
		"[[rule]]\nservices = [\"sshd\"]\nremember = \"11h\"\n":                      false,
		"[[rule]]\nservices = [\"sudo\"]\nremember = \"12h\"\n":                      false,
		"[[rule]]\nremember = \"12h\"\n":                                             false,
		rule + "publickey = true\n":                                                  false,
		rule + "between = \"08:00-18:00\"\n":                                         false,
		rule + "users = [\"alice\"]\n":                                               false,
		rule + "from = [\"10.0.0.0/8\"]\n":                                           false,
		"[[rule]]\nusers = [\"alice\"]\nremember = \"0s\"\n" + rule:                  false,
		rule + "[[rule]]\nremember = \"1h\"\n":                                       false,
		"[[rule]]\nremember = \"1h\"\n" + rule:                                       false,
		"[[rule]]\nservices = [\"sshd\"]\nrequire = \"always\"\nwindow = 2\n" + rule: true,
	} {
		if got := parsed(t, "f", text).RememberMark() == mark; got != same {
			t.Errorf("the same mark as\n%s\nhas\n%s\n%v, want %v", rule, text, got, same)
		}
	}
	for _, text := range []string{"", "[[rule]]\nremember = \"0s\"\n"} {
		if got := parsed(t, "f", text).RememberMark(); got != "" {
			t.Errorf("nothing is remembered, and the mark is %q", got)
		}
	}
}
