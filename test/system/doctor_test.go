package system

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"sallyport/internal/doctor"
)

// findings are the doctor's in the guest, but for the clock: that is this machine's.
func (g *Guest) findings() []doctor.Finding {
	g.t.Helper()
	out, _ := g.Try("sallyportctl doctor --json") // status 1: there are some
	var all []doctor.Finding
	if err := json.Unmarshal([]byte(out), &all); err != nil {
		g.t.Fatalf("sallyportctl doctor --json: %v\n%s", err, out)
	}
	return slices.DeleteFunc(all, func(f doctor.Finding) bool { return f.ID == "clock-unsynchronised" })
}

// TestDoctorUnits: the doctor's commands put right what it finds about units.
func TestDoctorUnits(t *testing.T) {
	g := Boot(t)
	g.Install()
	g.ProtectSSH()
	if found := g.findings(); len(found) > 0 {
		t.Fatalf("nothing is wrong, and it finds %+v", found)
	}
	const policy = "/etc/sallyport/sallyport.toml"
	for _, test := range []struct{ name, spoil, byHand, want string }{
		{"disabled", "systemctl disable sallyportd.socket", "", "unit-disabled"},
		{"masked", "systemctl mask --now sallyportd.socket && systemctl stop sallyportd.service", "", "daemon-down unit-masked"},
		{"stopped", "systemctl stop sallyportd.socket sallyportd.service", "", "daemon-down"},
		{
			"failing", "cp " + policy + " /root/good && echo 'enabeld = true' >" + policy + " && ! systemctl restart sallyportd.service",
			"cp /root/good " + policy, "daemon-down policy-problem unit-failed",
		},
	} {
		g.Run(test.spoil)
		found := g.findings()
		var ids []string
		for _, f := range found {
			ids = append(ids, f.ID)
		}
		slices.Sort(ids)
		if got := strings.Join(ids, " "); got != test.want {
			t.Fatalf("%s: it finds %q, want %q: %+v", test.name, got, test.want, found)
		}
		if test.byHand != "" {
			g.Run(test.byHand)
		}
		slices.SortFunc(found, func(a, b doctor.Finding) int { return strings.Compare(b.ID, a.ID) }) // the unit before the daemon
		for _, f := range found {
			if f.Mend.Command != "" {
				g.Run(f.Mend.Command)
			}
		}
		if again := g.findings(); len(again) > 0 {
			t.Fatalf("%s: after the mends there is %+v", test.name, again)
		}
	}
}
