package server

import (
	"context"
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/varlink/go/varlink"

	admin "sallyport/internal/api/iosallyportadmin"
	"sallyport/internal/enroll"
	"sallyport/internal/vault"
	"sallyport/internal/verifier"
)

const importMethod = "io.sallyport.Admin.Import"

// fields is what the interface makes of a value, as the parameters of a call.
func fields(t *testing.T, v any) map[string]any {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// importOf is the call that gives a user what another one, or the same elsewhere, has.
func importOf(t *testing.T, p admin.Portable, user string, replace, apply bool) map[string]any {
	t.Helper()
	m := fields(t, p)
	delete(m, "uid")
	m["user"], m["replace"], m["apply"] = user, replace, apply
	return m
}

func (h *host) export(t *testing.T, user string) admin.Portable {
	t.Helper()
	c := h.dial(t, 0)
	p, err := admin.Export().Call(context.Background(), c, user)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestExportAndImport(t *testing.T) {
	old, fresh := newHost(t, ""), newHost(t, "")
	alice := old.enroll(t, "alice")
	p := old.export(t, "alice")
	if log := old.events.all(); !strings.Contains(log, `secrets exported: user "alice", by "root"`) {
		t.Errorf("the journal does not say it:\n%s", log)
	}
	if p.User != "alice" || p.Uid != 1000 || len(p.Devices) != 1 || len(p.Recovery) != 10 || p.Devices[0].Label != "phone" {
		t.Errorf("exported %+v", p)
	}
	for _, test := range []struct {
		user           string
		replace, apply bool
		want           string
	}{
		{"alice", false, false, "added"},
		{"alice", false, true, "added"},
		{"alice", false, true, "same"},
		{"alice", true, true, "replaced"},
		{"mallory", false, true, "NoSuchUser"},
	} {
		reply, failure := fresh.call(t, 0, importMethod, importOf(t, p, test.user, test.replace, test.apply))
		if got, _ := reply["outcome"].(string); got+failure != test.want {
			t.Errorf("%+v: %q %q", test, got, failure)
		}
	}
	if n := strings.Count(fresh.events.all(), `second factor imported: user "alice", device "phone", by "root"`); n != 2 {
		t.Errorf("the journal has %d imports, want 2:\n%s", n, fresh.events.all())
	}
	again := fresh.export(t, "alice")
	again.Devices[0].Uri = p.Devices[0].Uri // the issuer may differ
	if a, b := fields(t, p), fields(t, again); !maps.EqualFunc(a, b, func(x, y any) bool { return jsonOf(x) == jsonOf(y) }) {
		t.Errorf("what comes back is\n%v\nnot\n%v", b, a)
	}
	verify := func(code string) string {
		reply, failure := fresh.call(t, 0, "io.sallyport.Login.Verify", map[string]any{"user": "alice", "service": "sshd", "code": code})
		verdict, _ := reply["verdict"].(string)
		return verdict + failure
	}
	if got := verify(alice.code(t, fresh)); got != "denied" {
		t.Errorf("a code that may have been used elsewhere: %q", got)
	}
	if got := verify(alice.recovery[3]); got != "granted" {
		t.Errorf("a recovery code: %q", got)
	}
	fresh.wait(time.Minute)
	if got := verify(alice.code(t, fresh)); got != "granted" {
		t.Errorf("the code of a minute later: %q", got)
	}
}

func jsonOf(v any) string { text, _ := json.Marshal(v); return string(text) }

// A dry run changes nothing, not even where the user's account is stored for another reason.
func TestDryRunChangesNothing(t *testing.T) {
	h := newHost(t, "")
	alice := h.enroll(t, "alice")
	p, before := h.export(t, "alice"), h.export(t, "alice")
	p.Devices[0].Uri = "otpauth://totp/alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	used := alice.code(t, h)
	verify := func(code string) any {
		reply, _ := h.call(t, 0, "io.sallyport.Login.Verify", map[string]any{"user": "alice", "service": "sshd", "code": code})
		return reply["verdict"]
	}
	if v := verify(used); v != "granted" {
		t.Fatalf("a code: %v", v)
	}
	if v := verify("00000000"); v != "denied" {
		t.Fatalf("a wrong code: %v", v)
	}
	h.wait(-time.Hour) // the wrong code lies in the future now: whoever comes next has the account corrected, and stored
	reply, failure := h.call(t, 0, importMethod, importOf(t, p, "alice", true, false))
	if reply["outcome"] != "replaced" {
		t.Errorf("%v %s", reply, failure)
	}
	if strings.Contains(h.events.all(), "imported") {
		t.Errorf("the journal says that something happened:\n%s", h.events.all())
	}
	if after := h.export(t, "alice"); jsonOf(after) != jsonOf(before) {
		t.Errorf("the record is %v, was %v", after, before)
	}
	h.wait(time.Hour)
	if v := verify(used); v != "denied" {
		t.Errorf("a used code works again: %v", v)
	}
}

func TestImportRefusesWhatIsNoRecord(t *testing.T) {
	h := newHost(t, "")
	h.enroll(t, "alice")
	good := h.export(t, "alice")
	for name, spoil := range map[string]func(p *admin.Portable){
		"no URI":           func(p *admin.Portable) { p.Devices[0].Uri = "otpauth://totp/alice?secret=ABC" },
		"offset of a year": func(p *admin.Portable) { p.Devices[0].Offset = 8640 },
		"short salt":       func(p *admin.Portable) { p.Recovery[0].Salt = "AAAA" },
		"no base64":        func(p *admin.Portable) { p.Recovery[0].Hash = "!" },
		"no device":        func(p *admin.Portable) { p.Devices = []admin.PortableToken{} },
		"no year":          func(p *admin.Portable) { p.Created = "0000-01-01T00:00:00Z" },
	} {
		p := good
		p.Devices = append([]admin.PortableToken{}, good.Devices...)
		p.Recovery = append([]admin.RecoveryHash{}, good.Recovery...)
		spoil(&p)
		reply, failure := h.call(t, 0, importMethod, importOf(t, p, "bob", false, true))
		if failure != "BadInput" {
			t.Errorf("%s: %v %q", name, reply, failure)
		}
		if secret := "GEZDG"; strings.Contains(failure, secret) {
			t.Errorf("%s: the error has the secret", name)
		}
	}
	if st, err := h.Verifier.Status("bob"); err != nil || st.Enrolled {
		t.Errorf("bob: %+v, %v", st, err)
	}
}

func TestBackup(t *testing.T) {
	h := newHost(t, "")
	h.enroll(t, "alice")
	h.enroll(t, "bob")
	if _, err := h.Verifier.Enroll("help", enroll.Options{}, verifier.Proof{}); err != nil { // and no code yet
		t.Fatal(err)
	}
	if err := h.Vault.Put(&vault.Record{User: "gone", UID: 4711, Created: h.clock()}); err != nil {
		t.Fatal(err)
	}
	c := h.dial(t, 0)
	receive, err := admin.Backup().Send(context.Background(), c, varlink.More)
	if err != nil {
		t.Fatal(err)
	}
	var users []string
	for {
		p, problem, flags, err := receive(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if p != nil {
			users = append(users, p.User)
		}
		if problem != nil {
			users = append(users, *problem)
		}
		if flags&varlink.Continues == 0 {
			break
		}
	}
	all := strings.Join(users, "\n")
	if len(users) != 3 || !strings.Contains(all, "alice") || !strings.Contains(all, "bob") || !strings.Contains(all, `"gone" is no user`) {
		t.Errorf("the backup has %q", users)
	}
	if log := h.events.all(); !strings.Contains(log, `all secrets given out for a backup: by "root"`) {
		t.Errorf("the journal does not say it:\n%s", log)
	}
	if reply, failure := h.call(t, 0, "io.sallyport.Admin.Backup", nil); failure != "" || len(reply) != 0 {
		t.Errorf("without more: %v %q", reply, failure)
	}
}
