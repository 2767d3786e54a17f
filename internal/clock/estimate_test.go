package clock

import (
	"testing"
	"time"
)

func TestWords(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-42 * time.Second:        "42 s slow",
		10 * time.Minute:         "10 minutes fast",
		5 * time.Second:          "5 s fast",
		1500 * time.Millisecond:  "1.5 s fast",
		-9999 * time.Millisecond: "10 s slow",
		-20 * time.Millisecond:   "20 ms slow",
		250 * time.Microsecond:   "0.25 ms fast",
		119 * time.Second:        "119 s fast",
		-24 * time.Hour:          "24 hours slow",
		72 * time.Hour:           "3 days fast",
		1000 * time.Millisecond:  "1 s fast",
	} {
		if got := Words(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

func TestWrong(t *testing.T) {
	const s = time.Second
	for _, c := range []struct {
		e    Estimate
		want bool
	}{
		{Estimate{}, false},
		{Estimate{Offset: time.Hour}, false}, // nobody says so
		{Estimate{Source: Chrony, Offset: 4 * s}, false},
		{Estimate{Source: Chrony, Offset: 5 * s}, true},
		{Estimate{Source: Chrony, Offset: -5 * s}, true},
		{Estimate{Source: Codes, Offset: 6 * s, Error: 7 * s}, false},
		{Estimate{Source: Codes, Offset: 8 * s, Error: 7 * s}, true},
	} {
		if got := c.e.Wrong(5 * s); got != c.want {
			t.Errorf("%+v: %v, want %v", c.e, got, c.want)
		}
	}
}

func TestBest(t *testing.T) {
	const s = time.Second
	kernel := Estimate{Source: Kernel, Error: s}
	chrony := Estimate{Source: Chrony, Error: s / 100}
	servers := Estimate{Source: Servers, Offset: 10 * s, Error: s / 10}
	few := Estimate{Source: Codes, Offset: 42 * s, Error: 7 * s}
	many := few
	many.Sure = true
	agreeing := Estimate{Source: Codes, Offset: 2 * s, Error: 7 * s, Sure: true}
	for _, c := range []struct {
		name string
		all  []Estimate
		want Source
	}{
		{"nothing", nil, ""},
		{"nothing known", []Estimate{{}, {}}, ""},
		{"kernel", []Estimate{kernel}, Kernel},
		{"chrony is closer to it than the kernel", []Estimate{kernel, chrony}, Chrony},
		{"the administrator's servers", []Estimate{kernel, chrony, servers, many}, Servers},
		{"a few people", []Estimate{few}, Codes},
		{"a few people against chrony", []Estimate{chrony, few}, Chrony},
		{"many people against chrony", []Estimate{chrony, kernel, many}, Codes},
		{"many people who agree with chrony", []Estimate{chrony, agreeing}, Chrony},
	} {
		if got := Best(c.all).Source; got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestVoteOutvotesFalsetickers(t *testing.T) {
	const s = time.Second
	right := Reading{"a", s / 100, s / 10}
	for _, c := range []struct {
		name     string
		readings []Reading
		ok       bool
		agree    int
	}{
		{"one", []Reading{right}, true, 1},
		{"two that disagree", []Reading{right, {"b", 42 * s, s / 10}}, false, 0},
		{"one of three is false", []Reading{right, {"b", -s / 100, s / 10}, {"c", 42 * s, s / 10}}, true, 2},
		{"two of three are false", []Reading{right, {"b", 20 * s, s / 10}, {"c", 42 * s, s / 10}}, false, 0},
		{"none", nil, false, 0},
	} {
		offset, err, agree, ok := Vote(c.readings)
		if ok != c.ok || len(agree) != c.agree || ok && (offset.Abs() > s/10 || err > s/10) {
			t.Errorf("%s: %v ± %v by %v, %v", c.name, offset, err, agree, ok)
		}
	}
}

// TestBooted shows that it stands still while the clock is not set.
func TestBooted(t *testing.T) {
	first := Booted()
	if first.IsZero() || !first.Before(time.Now()) {
		t.Fatalf("the machine started at %v", first)
	}
	if moved := Booted().Sub(first).Abs(); moved > time.Second {
		t.Errorf("it moved by %v", moved)
	}
}
