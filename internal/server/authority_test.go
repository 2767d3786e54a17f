package server

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/varlink/go/varlink/idl"

	account "sallyport/internal/api/iosallyportaccount"
	admin "sallyport/internal/api/iosallyportadmin"
	login "sallyport/internal/api/iosallyportlogin"
)

// interfaces are the descriptions of all interfaces that the server has.
func interfaces(t testing.TB) []*idl.IDL {
	t.Helper()
	var all []*idl.IDL
	for _, d := range []dispatcher{login.VarlinkNew(nil), account.VarlinkNew(nil), admin.VarlinkNew(nil)} {
		i, err := idl.New(d.VarlinkGetDescription())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, i)
	}
	return all
}

// TestTableIsComplete fails for a method without a row, and for a row without a method.
func TestTableIsComplete(t *testing.T) {
	rows := table()
	for _, i := range interfaces(t) {
		for _, m := range i.Methods {
			name := i.Name + "." + m.Name
			if len(rows[name]) == 0 {
				t.Errorf("%s has no row", name)
			}
			delete(rows, name)
		}
	}
	if len(rows) > 0 {
		t.Errorf("rows of no method: %v", slices.Sorted(maps.Keys(rows)))
	}
}

// callers are those that a method may be called by. Each calls it about alice, or about itself.
var callers = []struct {
	name string
	uid  uint32
	user string // whom the call is about
}{
	{"root", 0, "alice"},
	{"root itself", 0, "root"},
	{"the user", 1000, "alice"},
	{"another user", 1001, "alice"},
	{"a delegate", 1002, "alice"},
	{"a delegate over others", 1002, "bob"},
	{"a delegate over root", 1002, "root"},
	{"trusted", 33, "alice"},
	{"no user", nobody, "alice"},
}

// authority says who of the callers may call what; admins_may_enroll is off.
var authority = map[string][]string{
	"io.sallyport.Login.Begin":        {"root", "root itself", "the user", "trusted"},
	"io.sallyport.Login.Answer":       {"root", "root itself", "the user", "another user", "a delegate", "a delegate over others", "a delegate over root", "trusted", "no user"},
	"io.sallyport.Login.Verify":       {"root", "root itself", "the user", "trusted"},
	"io.sallyport.Login.OpenSession":  {"root", "root itself", "the user", "trusted"},
	"io.sallyport.Login.CloseSession": {"root", "root itself", "the user", "trusted"},

	"io.sallyport.Account.Status":        {"root", "root itself", "the user"},
	"io.sallyport.Account.Enroll":        {"root itself", "the user"},
	"io.sallyport.Account.Confirm":       {"root itself", "the user"},
	"io.sallyport.Account.Rename":        {"root itself", "the user"},
	"io.sallyport.Account.Forget":        {"root", "root itself", "the user"},
	"io.sallyport.Account.Remove":        {"root itself", "the user"},
	"io.sallyport.Account.RecoveryCodes": {"root itself", "the user"},
	"io.sallyport.Account.Resync":        {"root", "root itself", "the user"},

	"io.sallyport.Admin.Rights":      {"root", "root itself", "the user", "another user", "a delegate", "a delegate over others", "a delegate over root", "trusted", "no user"},
	"io.sallyport.Admin.Users":       {"root", "root itself", "a delegate", "a delegate over others", "a delegate over root"},
	"io.sallyport.Admin.Disable":     {"root", "root itself", "a delegate"},
	"io.sallyport.Admin.Unlock":      {"root", "root itself"},
	"io.sallyport.Admin.Sessions":    {"root", "root itself", "the user"},
	"io.sallyport.Admin.EndSession":  {"root", "root itself", "the user"},
	"io.sallyport.Admin.Explain":     {"root", "root itself"},
	"io.sallyport.Admin.Policy":      {"root", "root itself"},
	"io.sallyport.Admin.Set":         {"root", "root itself"},
	"io.sallyport.Admin.Clock":       {"root", "root itself", "trusted"},
	"io.sallyport.Admin.Reload":      {"root", "root itself"},
	"io.sallyport.Admin.Import":      {"root", "root itself"},
	"io.sallyport.Admin.Export":      {"root", "root itself"},
	"io.sallyport.Admin.Backup":      {"root", "root itself"},
	"io.sallyport.Admin.SealVault":   {"root", "root itself"},
	"io.sallyport.Admin.RekeyVault":  {"root", "root itself"},
	"io.sallyport.Admin.UnsealVault": {"root", "root itself"},
}

const authorityPolicy = `
[clock]
notify = ["@panel"]

[login]
trusted = ["panel"]

[[delegate]]
who  = ["@helpdesk"]
over = ["@customers"]
may  = ["list", "disable"]
`

// TestAuthority has each caller call each method of each interface.
func TestAuthority(t *testing.T) {
	for _, i := range interfaces(t) {
		for _, m := range i.Methods {
			name := i.Name + "." + m.Name
			allowed, ok := authority[name]
			if !ok {
				t.Errorf("%s is not in the test's table", name)
				continue
			}
			for _, c := range callers {
				h := newHost(t, authorityPolicy)
				_, failure := h.call(t, c.uid, name, sample(m, c.user))
				want := slices.Contains(allowed, c.name)
				if got := failure != "NotAllowed"; got != want {
					t.Errorf("%s by %s: let through is %v, want %v (error %q)", name, c.name, got, want, failure)
				}
				if strings.HasPrefix(failure, "InvalidParameter") || failure == "BadInput" {
					t.Errorf("%s by %s: the test's parameters are refused: %s", name, c.name, failure)
				}
				if recorded := strings.Contains(h.events.all(), "request refused"); recorded == want {
					t.Errorf("%s by %s: let through is %v, and the journal has a refusal: %v", name, c.name, want, recorded)
				}
			}
		}
	}
}

// sample is good parameters for a method.
func sample(m *idl.Method, user string) map[string]any {
	values := map[string]any{
		"user": user, "service": "sshd", "pid": 4711, "text": "000000", "code": "000000", "code1": "000000", "code2": "111111",
		"settings": map[string]any{"enabled": "false"},
		"token":    "phone", "label": "tablet",
		"id": strings.Repeat("0", 32), "recovery": []any{}, "replace": false, "apply": false,
		"devices": []any{map[string]any{
			"label": "phone", "uri": "otpauth://totp/alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "offset": 0, "used": []int{},
		}},
	}
	parameters := map[string]any{}
	for _, f := range m.In.Fields {
		if v, ok := values[f.Name]; ok {
			parameters[f.Name] = v
		}
	}
	return parameters
}

// TestAdminsMayEnroll shows what that setting lets root do, and nobody else.
func TestAdminsMayEnroll(t *testing.T) {
	for _, method := range []string{"Enroll", "Confirm"} {
		for _, c := range callers {
			h := newHost(t, "admins_may_enroll = true")
			parameters := map[string]any{"user": c.user}
			if method == "Confirm" {
				parameters["id"], parameters["code"] = strings.Repeat("0", 32), "000000"
			}
			_, failure := h.call(t, c.uid, "io.sallyport.Account."+method, parameters)
			want := c.uid == 0 || c.name == "the user"
			if got := failure != "NotAllowed"; got != want {
				t.Errorf("%s by %s: let through is %v, want %v (error %q)", method, c.name, got, want, failure)
			}
		}
	}
}

// TestAdminNeedsNoCode shows that root's word replaces the code of a user whom it sets up, and its own does not.
func TestAdminNeedsNoCode(t *testing.T) {
	h := newHost(t, "admins_may_enroll = true")
	h.enroll(t, "alice")
	h.enroll(t, "root")
	if _, failure := h.call(t, 0, "io.sallyport.Account.Enroll", map[string]any{"user": "alice"}); failure != "" {
		t.Errorf("root sets alice up: %s", failure)
	}
	for _, parameters := range []map[string]any{{}, {"user": "root"}} {
		if _, failure := h.call(t, 0, "io.sallyport.Account.Enroll", parameters); failure != "CodeRequired" {
			t.Errorf("root sets itself up with %v: %q, want CodeRequired", parameters, failure)
		}
	}
	if _, failure := h.call(t, 1000, "io.sallyport.Account.Enroll", nil); failure != "CodeRequired" {
		t.Errorf("alice sets herself up: %q, want CodeRequired", failure)
	}
}

// TestNobodyDecidesWithoutTheUserDatabase shows that what cannot be looked up lets nobody through but root, and that
// root is not let through as somebody.
func TestNobodyDecidesWithoutTheUserDatabase(t *testing.T) {
	for _, i := range interfaces(t) {
		for _, m := range i.Methods {
			name := i.Name + "." + m.Name
			if name == "io.sallyport.Login.Answer" {
				continue // needs none
			}
			h := newHost(t, authorityPolicy)
			h.down = true
			if _, failure := h.call(t, 1000, name, sample(m, "alice")); failure != "Unavailable" && failure != "NotAllowed" {
				t.Errorf("%s without the user database: %q, want Unavailable or NotAllowed", name, failure)
			}
		}
	}
}

// TestCallerIsTheSubject shows that a method without a user acts on the caller's own account.
func TestCallerIsTheSubject(t *testing.T) {
	h := newHost(t, "")
	for uid, name := range map[uint32]string{0: "root", 1000: "alice"} {
		reply, failure := h.call(t, uid, "io.sallyport.Account.Status", nil)
		status, _ := reply["status"].(map[string]any)
		if status["user"] != name {
			t.Errorf("uid %d: status of %v (error %q), want of %s", uid, status["user"], failure, name)
		}
	}
	if _, failure := h.call(t, nobody, "io.sallyport.Account.Status", nil); failure != "NotAllowed" {
		t.Errorf("a uid without a name: %q, want NotAllowed", failure)
	}
	if _, failure := h.call(t, 1000, "io.sallyport.Account.Status", map[string]any{"user": "mallory"}); failure != "NotAllowed" {
		t.Errorf("about an unknown user: %q, want NotAllowed, as about a known one", failure)
	}
}

func TestMethodWithoutRowIsRefused(t *testing.T) {
	h := newHost(t, "")
	g, err := newGuard(h.Server, admin.VarlinkNew(&adminMethods{server: h.Server}))
	if err != nil {
		t.Fatal(err)
	}
	delete(g.rows, "io.sallyport.Admin.Reload")
	k := &call{caller: &caller{}, method: "io.sallyport.Admin.Reload"}
	if err := g.allow(k); err == nil {
		t.Error("root may call a method that has no row")
	}
}
