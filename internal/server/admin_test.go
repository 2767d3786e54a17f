package server

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/varlink/go/varlink"

	admin "sallyport/internal/api/iosallyportadmin"
	"sallyport/internal/disk/disktest"
	"sallyport/internal/enroll"
	"sallyport/internal/policy"
)

func TestDisableAndUnlock(t *testing.T) {
	h := newHost(t, authorityPolicy)
	h.enroll(t, "alice")
	for _, test := range []struct{ method, user, want string }{
		{"Disable", "bob", "NotEnrolled"},
		{"Unlock", "alice", ""},
		{"Unlock", "mallory", "NoSuchUser"},
	} {
		if _, failure := h.call(t, 0, "io.sallyport.Admin."+test.method, map[string]any{"user": test.user}); failure != test.want {
			t.Errorf("%s(%s): %q, want %q", test.method, test.user, failure, test.want)
		}
	}
	if _, failure := h.call(t, 1002, "io.sallyport.Admin.Disable", map[string]any{"user": "alice"}); failure != "" {
		t.Errorf("a delegate disables alice: %s", failure)
	}
	if st, err := h.Verifier.Status("alice"); err != nil || st.Enrolled {
		t.Errorf("alice is enrolled: %v, %v", st.Enrolled, err)
	}
	if log := h.events.all(); !strings.Contains(log, `second factor disabled: user "alice", by "help"`) {
		t.Errorf("the journal does not say who disabled alice:\n%s", log)
	}
}

func TestPolicyAndExplain(t *testing.T) {
	h := newHost(t, authorityPolicy+"\n[[rule]]\nservices = [\"sshd\"]\nrequire = \"never\"\n")
	reply, failure := h.call(t, 0, "io.sallyport.Admin.Policy", nil)
	if failure != "" || len(reply["settings"].([]any)) == 0 || len(reply["rules"].([]any)) != 1 || len(reply["delegates"].([]any)) != 1 {
		t.Errorf("policy %v, error %q", reply, failure)
	}
	reply, failure = h.call(t, 0, "io.sallyport.Admin.Explain", map[string]any{"user": "alice", "service": "login"})
	if failure != "" {
		t.Fatal(failure)
	}
	for _, s := range reply["settings"].([]any) {
		s := s.(map[string]any)
		if s["name"] != "require" {
			continue
		}
		skipped := s["skipped"].([]any)
		if s["value"] != `"if-enrolled"` || len(skipped) != 1 || skipped[0].(map[string]any)["file"] != "sallyport.toml" {
			t.Errorf("require: %v", s)
		}
	}
}

// TestExplainAnotherLogin shows that the key and the time that it is asked about count, and not those of now.
func TestExplainAnotherLogin(t *testing.T) {
	h := newHost(t, "[[rule]]\npublickey = true\nrequire = \"never\"\n[[rule]]\nrequire = \"enroll\"\nuntil = 2027-03-01T00:00:00Z\n")
	for _, test := range []struct {
		parameters map[string]any
		want       string
	}{
		{nil, `"enroll" until rule`},
		{map[string]any{"publickey": false}, `"enroll" until rule`},
		{map[string]any{"publickey": true}, `"never"`},
		{map[string]any{"at": "2027-04-01T12:00:00+02:00"}, `"enroll" until rule; that time has passed`},
	} {
		parameters := map[string]any{"user": "alice", "service": "sshd"}
		maps.Copy(parameters, test.parameters)
		reply, failure := h.call(t, 0, "io.sallyport.Admin.Explain", parameters)
		if failure != "" {
			t.Fatal(failure)
		}
		got := ""
		for _, s := range reply["settings"].([]any) {
			switch s := s.(map[string]any); s["name"] {
			case "require":
				got = fmt.Sprint(s["value"])
			case "until":
				got += fmt.Sprint(" until ", s["why"])
			}
		}
		if got != test.want {
			t.Errorf("%v: %s, want %s", test.parameters, got, test.want)
		}
	}
}

func TestReload(t *testing.T) {
	h := newHost(t, "")
	if _, failure := h.call(t, 0, "io.sallyport.Admin.Reload", nil); failure != "" {
		t.Errorf("reload: %s", failure)
	}
	h.policy = policy.Problems{{File: "sallyport.toml", Line: 3, Text: "Bad."}}
	err := admin.Reload().Call(context.Background(), h.dial(t, 0))
	var rejected *admin.PolicyRejected
	if !errors.As(err, &rejected) || len(rejected.Problems) != 1 || rejected.Problems[0] != "sallyport.toml:3: Bad." {
		t.Errorf("reload of a bad policy: %v", err)
	}
}

// TestVaultReportsProgress seals more records than are done between two reports.
func TestVaultReportsProgress(t *testing.T) {
	h := newHost(t, "")
	const records = progressEvery + 50
	for i := range records {
		rec, _, err := enroll.Begin(nil, fmt.Sprintf("user%d", i), uint32(2000+i), enroll.Options{Issuer: "test"}, h.clock(), h.Verifier.Rand)
		if err != nil {
			t.Fatal(err)
		}
		if err := h.Vault.Put(rec); err != nil {
			t.Fatal(err)
		}
	}
	receive, err := admin.SealVault().Send(context.Background(), h.dial(t, 0), varlink.More)
	if err != nil {
		t.Fatal(err)
	}
	var reports []int64
	for {
		done, change, flags, err := receive(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		reports = append(reports, done)
		if flags&varlink.Continues == 0 {
			if change == nil || change.Records != records || change.Key_id == nil {
				t.Errorf("the last reply says %+v", change)
			}
			break
		}
		if change != nil {
			t.Errorf("a report has a change: %+v", change)
		}
	}
	if len(reports) != 2 || reports[0] != progressEvery || reports[1] != records {
		t.Errorf("reports of %v records, want of %d and %d", reports, progressEvery, records)
	}
	if reply, failure := h.call(t, 0, "io.sallyport.Admin.UnsealVault", nil); failure != "" || reply["done"] != float64(records) {
		t.Errorf("unsealed without more: %v, error %q", reply, failure)
	}
}

// TestFullDisk shows that what must be durable fails, and says why.
func TestFullDisk(t *testing.T) {
	h := newHost(t, "")
	h.disk.Fail(disktest.Write, errors.New("no space left on device"))
	if _, failure := h.call(t, 1000, "io.sallyport.Account.Enroll", nil); failure != "Unavailable" {
		t.Errorf("enrolment on a full disk: %q, want Unavailable", failure)
	}
	if !strings.Contains(h.events.all(), "no space left") {
		t.Errorf("the journal does not say so:\n%s", h.events.all())
	}
}

// TestSet shows what becomes of each entry, who is said to have done it, and that nothing is put into the reply but what was asked for.
func TestSet(t *testing.T) {
	h := newHost(t, "issuer = \"Example\"")
	reply, failure := h.call(t, 0, "io.sallyport.Admin.Set", map[string]any{"settings": map[string]any{"issuer": nil, "codes.window": "2"}})
	if failure != "" {
		t.Fatal(failure)
	}
	want := []policy.Change{{Name: "codes.window", Value: "2"}, {Name: "issuer", Unset: true}}
	if !slices.Equal(h.changes, want) || h.by != "root" {
		t.Errorf("changed %v by %q, want %v by root", h.changes, h.by, want)
	}
	settings := reply["settings"].([]any)
	if len(settings) != 2 || settings[0].(map[string]any)["value"] != `"Example"` || len(reply["changed"].([]any)) != 0 {
		t.Errorf("the reply is %v", reply)
	}
	for _, test := range []struct {
		err  error
		want string
	}{
		{&policy.SettingError{Name: "issuer", Text: "Too long."}, "BadSetting"},
		{&policy.OverriddenError{Name: "issuer", File: "60.toml", Line: 3}, "Overridden"},
		{policy.Problems{{File: "sallyport.toml", Line: 3, Text: "Bad."}}, "PolicyRejected"},
	} {
		h.policy = test.err
		if _, failure := h.call(t, 0, "io.sallyport.Admin.Set", map[string]any{"settings": map[string]any{"issuer": "1"}}); failure != test.want {
			t.Errorf("%v: %q, want %q", test.err, failure, test.want)
		}
	}
}
