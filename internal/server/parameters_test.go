package server

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/varlink/go/varlink/idl"
)

// TestEveryParameterIsChecked fails for a parameter that check does not know.
func TestEveryParameterIsChecked(t *testing.T) {
	for _, i := range interfaces(t) {
		for _, m := range i.Methods {
			for _, f := range m.In.Fields {
				if reason := check(f.Name, some(i, f.Type)); strings.Contains(reason, "not known") {
					t.Errorf("%s.%s: its parameter %s is not checked", i.Name, m.Name, f.Name)
				}
			}
		}
	}
}

// some is a value of the type, as parse gives it.
func some(i *idl.IDL, t *idl.Type) any {
	switch t.Kind {
	case idl.TypeMaybe:
		return some(i, t.ElementType)
	case idl.TypeInt:
		return int64(7)
	case idl.TypeBool:
		return true
	case idl.TypeMap:
		return map[string]any{"enabled": "true"}
	case idl.TypeArray:
		return []any{some(i, t.ElementType)}
	case idl.TypeAlias:
		for _, a := range i.Aliases {
			if a.Name == t.Alias {
				return some(i, a.Type)
			}
		}
	case idl.TypeStruct:
		fields := parameters{}
		for _, f := range t.Fields {
			fields[f.Name] = some(i, f.Type)
		}
		return fields
	}
	return "x"
}

func TestCheck(t *testing.T) {
	x := func(n int) string { return strings.Repeat("x", n) }
	for _, test := range []struct {
		name string
		good []any
		bad  []any
	}{
		{"user", []any{"alice", "a b", "DOM\\alice", "ü", x(255)}, []any{"", x(256), "a/b", "a\nb", "a\x00b", "a\x7fb", "a\u0085b"}},
		{"group", []any{"sudo", x(255)}, []any{"", x(256), "a/b", "a\nb"}},
		{"locked", []any{true, false}, []any{"true", int64(1)}},
		{"unenrolled", []any{true, false}, []any{"true"}},
		{"service", []any{"sshd", "su-l", x(64)}, []any{"", x(65), "a b", "a/b", "ü"}},
		{"rhost", []any{"", "192.0.2.7", x(255)}, []any{x(256), "a\nb", "a\x1b[0mb"}},
		{"tty", []any{"", "pts/1", x(64)}, []any{x(65), "a\tb"}},
		{"text", []any{"", "123456", "a\x80b", x(512)}, []any{x(513), "a\x00b"}},
		{"code", []any{"123456", x(512)}, []any{x(513)}},
		{"code1", []any{"123456"}, []any{x(513)}},
		{"code2", []any{"123456"}, []any{x(513)}},
		{"label", []any{"phone", "mein Gerät", x(64)}, []any{"", x(65), "a\nb", "a\u202eb"}},
		{"id", []any{x(32)}, []any{"", x(65)}},
		{"token", []any{"phone"}, []any{"", x(65)}},
		{"reconfigure", []any{"phone"}, []any{"", x(65)}},
		{"kind", []any{"totp", "hotp"}, []any{"", "TOTP", "steam"}},
		{"algorithm", []any{"SHA1", "SHA256", "SHA512"}, []any{"", "sha1", "MD5"}},
		{"digits", []any{int64(6), int64(8)}, []any{int64(5), int64(9), int64(-1), "6"}},
		{"pid", []any{int64(1), int64(1 << 22)}, []any{int64(0), int64(-1), int64(1<<22 + 1), int64(1 << 62)}},
		{"at", []any{"2027-03-01T22:30:00Z", "2027-03-01T22:30:00+01:00"}, []any{"", "tomorrow", "2027-03-01"}},
		{"publickey", []any{true, false}, []any{"x", int64(1)}},
		{"settings", []any{map[string]any{"enabled": "true"}, map[string]any{"issuer": nil}},
			[]any{map[string]any{}, map[string]any{"": "true"}, map[string]any{x(65): "1"}, map[string]any{"issuer": x(8<<10 + 1)}, map[string]any{"issuer": "\"a\nb\""}, "x"}},
		{"user", nil, []any{map[string]any{"enabled": "true"}, true}},
		{"replace", []any{true, false}, nil},
		{"uri", []any{"", x(2048)}, []any{x(2049)}}, // what it says is looked at when it is read
		{"created", []any{"2026-11-24T12:00:00Z"}, []any{"", "2026-11-24", "yesterday"}},
		{"salt", []any{"Ej7/PEpyEpw="}, []any{"Ej7/PEpyEpw", x(68)}},
		{"offset", []any{int64(-2), int64(8640)}, []any{int64(8641), int64(-8641)}},
		{"used", []any{[]any{}, []any{int64(1)}, make([]any, 0, 100)}, []any{[]any{int64(-1)}, []any{"x"}, ints(101)}},
		{"devices", []any{[]any{parameters{"label": "phone"}}}, []any{[]any{}, ints(17), []any{parameters{"label": ""}}, []any{parameters{"unheard": "x"}}}},
		{"recovery", []any{[]any{}}, []any{ints(21)}},
		{"unheard", nil, []any{"x", int64(1), true, []any{}}},
	} {
		for _, v := range test.good {
			if reason := check(test.name, v); reason != "" {
				t.Errorf("%s = %.40q is refused: it %s", test.name, v, reason)
			}
		}
		for _, v := range test.bad {
			if check(test.name, v) == "" {
				t.Errorf("%s = %.40q is taken", test.name, v)
			}
		}
	}
}

func ints(n int) []any {
	all := make([]any, n)
	for i := range all {
		all[i] = int64(i)
	}
	return all
}

func TestParse(t *testing.T) {
	str, num := &idl.Type{Kind: idl.TypeString}, &idl.Type{Kind: idl.TypeInt}
	fields := []idl.TypeField{
		{Name: "user", Type: str},
		{Name: "tty", Type: &idl.Type{Kind: idl.TypeMaybe, ElementType: str}},
		{Name: "pid", Type: &idl.Type{Kind: idl.TypeMaybe, ElementType: num}},
		{Name: "off", Type: &idl.Type{Kind: idl.TypeMaybe, ElementType: &idl.Type{Kind: idl.TypeBool}}},
		{Name: "all", Type: &idl.Type{Kind: idl.TypeMaybe, ElementType: &idl.Type{Kind: idl.TypeMap, ElementType: &idl.Type{Kind: idl.TypeMaybe, ElementType: str}}}},
		{Name: "boxes", Type: &idl.Type{Kind: idl.TypeMaybe, ElementType: &idl.Type{Kind: idl.TypeArray, ElementType: &idl.Type{Kind: idl.TypeAlias, Alias: "Box"}}}},
	}
	named := map[string]*idl.Type{
		"Box": {Kind: idl.TypeStruct, Fields: []idl.TypeField{{Name: "open", Type: &idl.Type{Kind: idl.TypeBool}}, {Name: "size", Type: num}}},
	}
	good := map[string]int{ // how many are there
		`{"user":"a"}`:                          1,
		`{"user":"a","tty":null}`:               1,
		`{"pid":7, "user":"a", "tty":"pts/1"}`:  3,
		`{"user":"a","off":false}`:              2,
		`{"user":"a","all":{"b":"c","d":null}}`: 2,
		`{"user":"a","boxes":[]}`:               2,
		`{"user":"a","boxes":[{"open":true,"size":7},{"size":7,"open":false}]}`: 2,
	}
	for raw, want := range good {
		if got, err := parse([]byte(raw), fields, named); err != nil || len(got) != want {
			t.Errorf("%s gives %v, %v; want %d parameters", raw, got, err, want)
		}
	}
	bad := map[string]string{ // which one is wrong
		`{}`:                                         "user",
		`{"user":null}`:                              "user",
		`{"user":1}`:                                 "user",
		`{"user":["a"]}`:                             "user",
		`{"User":"a"}`:                               "User",
		`{"user":"a","USER":"b"}`:                    "USER",
		`{"user":"a","user":"b"}`:                    "user",
		`{"user":"a","\u0075ser":"b"}`:               "user",
		`{"user":"a","more":1}`:                      "more",
		`{"user":"a","pid":"7"}`:                     "pid",
		`{"user":"a","pid":7.5}`:                     "pid",
		`{"user":"a","pid":1e30}`:                    "pid",
		`{"user":"a","tty":true}`:                    "tty",
		`{"user":"a","off":1}`:                       "off",
		`{"user":"a","off":"true"}`:                  "off",
		`{"user":"a","all":["b"]}`:                   "all",
		`{"user":"a","boxes":{}}`:                    "boxes",
		`{"user":"a","boxes":[{"open":true}]}`:       "boxes",
		`{"user":"a","boxes":[{"open":1,"size":7}]}`: "boxes",
		`{"user":"a","boxes":[{"open":true,"size":7,"more":1}]}`: "boxes",
		`{"user":"a","boxes":[{"open":true,"size":7,"Size":1}]}`: "boxes",
		`{"user":"a","boxes":[null]}`:                            "boxes",
		`{"user":"a","all":{"b":1}}`:                             "all",
		`{"user":"a","all":{"b":"c","b":"d"}}`:                   "all",
		`[]`:                                                     "parameters",
		`"user"`:                                                 "parameters",
		`null`:                                                   "parameters",
		`{"user":"a"`:                                            "parameters",
		`{"user":` + strings.Repeat("[", 99):                     "parameters", // no JSON
	}
	for raw, want := range bad {
		got, err := parse([]byte(raw), fields, named)
		if err == nil || err != errParameter(want) {
			t.Errorf("%.60s gives %v, %v; want that %q is wrong", raw, got, err, want)
		}
	}
}

// TestBadParametersEndTheConnection shows the whole way: a named error, then the end.
func TestBadParametersEndTheConnection(t *testing.T) {
	h := newHost(t, "")
	for _, test := range []struct {
		method     string
		parameters map[string]any
		want       string
	}{
		{"io.sallyport.Account.Status", map[string]any{"usr": "alice"}, "InvalidParameter usr"},
		{"io.sallyport.Account.Status", map[string]any{"user": 7}, "InvalidParameter user"},
		{"io.sallyport.Account.Status", map[string]any{"user": "a/b"}, "BadInput"},
		{"io.sallyport.Login.Begin", map[string]any{"user": "alice"}, "InvalidParameter service"},
		{"io.sallyport.Login.Begin", map[string]any{"user": "alice", "service": strings.Repeat("x", 65)}, "BadInput"},
		{"io.sallyport.Login.Answer", map[string]any{"text": strings.Repeat("1", 513)}, "BadInput"},
		{"io.sallyport.Admin.Disable", map[string]any{"user": "x\n"}, "BadInput"},
	} {
		c := h.dial(t, 0)
		if _, failure := callOn(t, c, test.method, test.parameters); failure != test.want {
			t.Errorf("%s(%v): %q, want %q", test.method, test.parameters, failure, test.want)
		}
		if _, failure := callOn(t, c, "io.sallyport.Account.Status", nil); failure == "" {
			t.Errorf("%s(%v): the connection goes on", test.method, test.parameters)
		}
	}
}

func TestUnknownMethods(t *testing.T) {
	h := newHost(t, "")
	c := h.dial(t, 0)
	for _, method := range []string{"io.sallyport.Admin.Nothing", "io.sallyport.Nothing.Status", "Status", "io.sallyport.Account.status"} {
		if _, failure := callOn(t, c, method, nil); failure == "" {
			t.Errorf("%s is answered", method)
		}
	}
	if _, failure := callOn(t, c, "io.sallyport.Account.Status", nil); failure != "" {
		t.Errorf("afterwards the connection answers nothing: %s", failure)
	}
}

// TestMembers splits objects that a careless search for quotes, commas and brackets would split elsewhere.
func TestMembers(t *testing.T) {
	for _, raw := range []string{
		`{}`, " {\t}\n", `{"a":1}`, `{ "a" : 1 , "b" : "c" }`, `{"a":"\"}, {\\","b":[{"c":"]"},[1,2]],"d":{"e":{}},"f":null}`,
		`{"\u0061\"":"\u00e9","ü":"ö"}`, `{"a":[],"b":{},"c":"","d":-1.5e3,"e":true}`, `{"":1}`,
	} {
		checkMembers(t, raw)
	}
	for _, raw := range []string{``, ` `, `[]`, `"a"`, `1`, `{"a":1`, `{"a"}`, `{"a":1,}`, `{"a":1}{}`, `{a:1}`, `null`} {
		if got, err := members([]byte(raw)); err == nil {
			t.Errorf("%q is split: %v", raw, got)
		}
	}
	for _, raw := range []string{`{"a":1,"a":2}`, `{"a":1,"\u0061":1}`} {
		if _, err := members([]byte(raw)); err != errParameter("a") {
			t.Errorf("%q: %v", raw, err)
		}
	}
}

// checkMembers compares with what the library makes of an object.
func checkMembers(t *testing.T, raw string) {
	t.Helper()
	var want map[string]json.RawMessage
	if json.Unmarshal([]byte(raw), &want) != nil || want == nil {
		if got, err := members([]byte(raw)); err == nil {
			t.Fatalf("%q is split: %q", raw, got)
		}
		return
	}
	got, err := members([]byte(raw))
	var twice errParameter
	if errors.As(err, &twice) && twice != "parameters" {
		return
	}
	if err != nil || len(got) != len(want) {
		t.Fatalf("%q: %q, %v; want %q", raw, got, err, want)
	}
	for _, m := range got {
		if string(m.raw) != string(want[m.name]) {
			t.Errorf("%q: %q is %q, want %q", raw, m.name, m.raw, want[m.name])
		}
		var text1 string
		err1 := json.Unmarshal(m.raw, &text1)
		if text2, err2 := text(m.raw); text2 != text1 && string(m.raw) != "null" || (err1 == nil) != (err2 == nil) {
			t.Errorf("%q as a text is %q, %v; want %q, %v", m.raw, text2, err2, text1, err1)
		}
	}
}

func FuzzMembers(f *testing.F) {
	f.Add(`{"a":"\"}, {\\","b":[{"c":"]"},[1,2]],"d":{"e":{}},"f":null}`)
	f.Fuzz(func(t *testing.T, raw string) { checkMembers(t, raw) })
}
