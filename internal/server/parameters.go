package server

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/varlink/go/varlink/idl"

	"sallyport/internal/otp"
	"sallyport/internal/wire"
)

// parameters are those of a call, or the fields of a struct in one, by name: string, int64, bool, parameters, []any of
// these or, for a map, map[string]any of them or nil. One that is absent or null is not there.
type parameters map[string]any

// errParameter names a parameter that is missing, unknown, there twice, or of the wrong type.
type errParameter string

func (e errParameter) Error() string { return "invalid parameter " + strconv.Quote(string(e)) }

// parse reads a call's parameters, strictly by the interface's description. The generated code would ignore unknown
// ones, take names in any case, and of two the last. named are the interface's own types.
func parse(raw json.RawMessage, fields []idl.TypeField, named map[string]*idl.Type) (parameters, error) {
	types := make(map[string]*idl.Type, len(fields))
	for _, f := range fields {
		types[f.Name] = f.Type
	}
	given, err := members(raw)
	if err != nil {
		return nil, err
	}
	values := make(parameters)
	for _, m := range given {
		t, known := types[m.name]
		if !known {
			return nil, errParameter(m.name)
		}
		v, ok := value(m.raw, t, named)
		if !ok {
			return nil, errParameter(m.name)
		}
		if v != nil {
			values[m.name] = v
		}
	}
	for _, f := range fields {
		if _, ok := values[f.Name]; !ok && f.Type.Kind != idl.TypeMaybe {
			return nil, errParameter(f.Name)
		}
	}
	return values, nil
}

// member is one name and value of a JSON object.
type member struct {
	name string
	raw  json.RawMessage
}

// members splits a JSON object. A name that is there twice is an errParameter.
func members(raw json.RawMessage) ([]member, error) {
	rest := bytes.TrimLeft(raw, jsonSpace)
	if !json.Valid(raw) || rest[0] != '{' {
		return nil, errParameter("parameters")
	}
	var all []member
	for {
		rest = bytes.TrimLeft(rest[1:], jsonSpace) // behind "{" or ","
		if rest[0] == '}' {
			return all, nil
		}
		end := stringEnd(rest)
		name, err := text(rest[:end])
		if err != nil {
			return nil, errParameter("parameters")
		}
		if slices.ContainsFunc(all, func(m member) bool { return m.name == name }) {
			return nil, errParameter(name)
		}
		rest = bytes.TrimLeft(rest[end:], jsonSpace)[1:] // behind ":"
		end = valueEnd(rest)
		all = append(all, member{name, bytes.Trim(rest[:end], jsonSpace)})
		rest = rest[end:]
		if rest[0] == '}' {
			return all, nil
		}
	}
}

const jsonSpace = " \t\r\n" // RFC 8259 §2

// valueEnd is where, in valid JSON, the value ends that b begins with: at the "," or the bracket behind it.
func valueEnd(b []byte) int {
	depth := 0
	for i := 0; ; i++ {
		switch b[i] {
		case '"':
			i += stringEnd(b[i:]) - 1
		case '{', '[':
			depth++
		case ',', '}', ']':
			if depth == 0 {
				return i
			}
			if b[i] != ',' {
				depth--
			}
		}
	}
}

// stringEnd is where, in valid JSON, the string ends that b begins with.
func stringEnd(b []byte) int {
	for i := 1; ; i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
}

// text reads a string. Most have nothing in them that the decoder would have to replace.
func text(raw json.RawMessage) (string, error) {
	if n := len(raw); n >= 2 && raw[0] == '"' && bytes.IndexByte(raw, '\\') < 0 && utf8.Valid(raw) {
		return string(raw[1 : n-1]), nil
	}
	var s string
	err := json.Unmarshal(raw, &s)
	return s, err
}

// value reads one value; nil is null where the type allows it.
func value(raw json.RawMessage, t *idl.Type, named map[string]*idl.Type) (v any, ok bool) {
	if t.Kind == idl.TypeMaybe {
		if string(raw) == "null" {
			return nil, true
		}
		t = t.ElementType
	}
	if string(raw) == "null" {
		return nil, false
	}
	var err error
	switch t.Kind {
	case idl.TypeString:
		v, err = text(raw)
	case idl.TypeInt:
		var n int64
		err = json.Unmarshal(raw, &n)
		v = n
	case idl.TypeBool:
		var b bool
		err = json.Unmarshal(raw, &b)
		v = b
	case idl.TypeMap:
		return entries(raw, t.ElementType, named)
	case idl.TypeArray:
		return array(raw, t.ElementType, named)
	case idl.TypeStruct:
		v, err = parse(raw, t.Fields, named)
	case idl.TypeAlias:
		if t = named[t.Alias]; t != nil {
			return value(raw, t, named)
		}
		err = errors.ErrUnsupported
	default:
		err = errors.ErrUnsupported
	}
	return v, err == nil
}

// entries reads a map.
func entries(raw json.RawMessage, t *idl.Type, named map[string]*idl.Type) (v any, ok bool) {
	given, err := members(raw)
	if err != nil {
		return nil, false
	}
	all := make(map[string]any, len(given))
	for _, m := range given {
		if all[m.name], ok = value(m.raw, t, named); !ok {
			return nil, false
		}
	}
	return all, true
}

// maxName is the most bytes in the label or the id of a token or a set-up.
const maxName = 64

// check says what is wrong with a parameter's value, as the end of a sentence that begins with its name; "": nothing.
// What both sockets take is bounded by the rules of the other one (internal/wire). A parameter that is not known here
// is refused.
func check(name string, v any) string {
	switch v := v.(type) {
	case string:
		return checkText(name, v)
	case int64:
		return checkNumber(name, v)
	case bool:
		return checkBool(name)
	case map[string]any:
		return checkMap(name, v)
	case []any:
		return checkList(name, v)
	case parameters:
		return checkFields(v)
	}
	return "is not known"
}

func checkText(name, v string) string {
	switch name {
	case "user", "group":
		if !wire.TagUser.Holds(v) {
			return fmt.Sprintf("must have 1 to %d bytes, and no control character or \"/\"", wire.MaxUser)
		}
	case "service":
		if !wire.TagService.Holds(v) {
			return fmt.Sprintf("must have 1 to %d letters, digits and \"_.@+-\"", wire.MaxService)
		}
	case "rhost":
		if v != "" && !wire.TagRHost.Holds(v) {
			return fmt.Sprintf("must have at most %d bytes, and no control character", wire.MaxRHost)
		}
	case "tty":
		if v != "" && !wire.TagTTY.Holds(v) {
			return fmt.Sprintf("must have at most %d bytes, and no control character", wire.MaxTTY)
		}
	case "text", "code", "code1", "code2":
		if !wire.TagAnswer.Holds(v) {
			return fmt.Sprintf("must have at most %d bytes, and no NUL", wire.MaxAnswer)
		}
	case "id", "token", "label", "reconfigure":
		if v == "" || len(v) > maxName || strings.ContainsFunc(v, func(r rune) bool { return !unicode.IsPrint(r) }) {
			return fmt.Sprintf("must have 1 to %d bytes, all printable", maxName)
		}
	case "kind":
		if v != string(otp.TOTP) && v != string(otp.HOTP) {
			return "must be totp or hotp"
		}
	case "algorithm":
		if v != string(otp.SHA1) && v != string(otp.SHA256) && v != string(otp.SHA512) {
			return "must be SHA1, SHA256 or SHA512"
		}
	case "uri":
		if len(v) > otp.MaxURI { // what it says is looked at when it is read
			return fmt.Sprintf("must have at most %d bytes", otp.MaxURI)
		}
	case "at", "created", "confirmed":
		if _, err := time.Parse(time.RFC3339, v); err != nil {
			return "must be a time as RFC 3339 has it"
		}
	case "salt", "hash":
		if _, err := base64.StdEncoding.DecodeString(v); err != nil || len(v) > maxName {
			return fmt.Sprintf("must be base64, and have at most %d bytes", maxName)
		}
	default:
		return "is not known"
	}
	return ""
}

func checkNumber(name string, v int64) string {
	switch name {
	case "digits":
		if v < otp.MinDigits || v > otp.MaxDigits {
			return fmt.Sprintf("must be %d to %d", otp.MinDigits, otp.MaxDigits)
		}
	case "offset":
		const most = int64(24 * time.Hour / otp.MinPeriod)
		if v < -most || v > most {
			return fmt.Sprintf("must be %d to %d", -most, most)
		}
	case "used":
		if v < 0 {
			return "must not have negative steps"
		}
	case "pid":
		const most = 1 << 22 // PID_MAX_LIMIT, proc(5)
		if v < 1 || v > most {
			return fmt.Sprintf("must be 1 to %d", most)
		}
	default:
		return "is not known"
	}
	return ""
}

func checkBool(name string) string {
	switch name {
	case "publickey", "locked", "unenrolled", "replace", "apply":
		return ""
	}
	return "is not known"
}

func checkMap(name string, v map[string]any) string {
	if name != "settings" {
		return "is not known"
	}
	const most, longest = 64, 8 << 10
	if len(v) == 0 || len(v) > most {
		return fmt.Sprintf("must have 1 to %d entries", most)
	}
	for setting, value := range v {
		text, _ := value.(string)
		if setting == "" || len(setting) > maxName || len(text) > longest || strings.ContainsFunc(setting+text, func(r rune) bool { return !unicode.IsPrint(r) }) {
			return fmt.Sprintf("must have names of 1 to %d bytes and values of at most %d, all printable", maxName, longest)
		}
	}
	return ""
}
