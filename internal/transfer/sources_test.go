package transfer

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

func TestCPanel(t *testing.T) {
	all, err := CPanel([]byte(`{"alice":{"secret":"` + secret32 + `"},"bob":{"secret":"GEZDGNBVGY3TQOJQ","issuer":"x"},"eve":{},"mal/lory":{"secret":"` + secret32 + `"}}`))
	if err != nil || len(all) != 4 {
		t.Fatalf("%v, %v", all, err)
	}
	for i, want := range []string{
		"alice: totp SHA1 6 30s c0 o0 u[]; 0 scratch; ",
		`bob: totp SHA1 6 30s c0 o0 u[]; 0 scratch; Its "issuer" is not taken over.`,
	} {
		if got := summary(all[i]); got != want || all[i].Err != nil {
			t.Errorf("%s, %v; want %s", got, all[i].Err, want)
		}
		if ours, theirs := code(t, all[i].Devices[0]), oathtool(t, all[i].Devices[0]); ours != theirs {
			t.Errorf("%s, and oathtool says %s", ours, theirs)
		}
	}
	wantError(t, "eve", all[2].Err, "secret: must be a text in base32")
	wantError(t, "mal/lory", all[3].Err, "user: must have")
	for text, want := range map[string]string{
		"":                "must be a JSON object",
		"[]":              "must be a JSON object",
		`{"a":1}`:         "user number 1: must be a JSON object",
		`{"a":{},"a":{}}`: "user number 2: is there twice",
		`{"a":{}`:         "ends too early",
		`{"a":{}} {}`:     "something follows",
	} {
		_, err := CPanel([]byte(text))
		wantError(t, text, err, want)
	}
}

func TestURIs(t *testing.T) {
	all, err := URIs([]byte("# alice's\notpauth://totp/Example:alice?secret=" + secret32 + "&issuer=Example&digits=8&algorithm=SHA256&period=60\r\n" +
		"otpauth://hotp/alice?secret=" + secret32 + "&counter=4\n\notpauth://totp/bob?secret=" + secret32 + "!\n"))
	if err != nil || len(all) != 2 {
		t.Fatalf("%v, %v", all, err)
	}
	if got, want := summary(all[0]), "alice: totp SHA256 8 1m0s c0 o0 u[], hotp SHA1 6 0s c4 o0 u[]; 0 scratch; "; got != want || all[0].Err != nil {
		t.Errorf("%s, %v; want %s", got, all[0].Err, want)
	}
	for _, d := range all[0].Devices {
		if ours, theirs := code(t, d), oathtool(t, d); ours != theirs {
			t.Errorf("%s, and oathtool says %s", ours, theirs)
		}
	}
	wantError(t, "the last", all[1].Err, "secret: must be base32")
	if all[1].Where != "line 5" {
		t.Errorf("the fault is at %s", all[1].Where)
	}
}

// transfer is what the app would show for keys, each a list of fields: bytes or a number behind its own.
func transferURI(batch, batches uint64, keys ...[]any) string {
	var message []byte
	for _, k := range keys {
		var key []byte
		for i := 0; i < len(k); i += 2 {
			number := protowire.Number(k[i].(int))
			switch v := k[i+1].(type) {
			case string:
				key = protowire.AppendString(protowire.AppendTag(key, number, protowire.BytesType), v)
			case int:
				key = protowire.AppendVarint(protowire.AppendTag(key, number, protowire.VarintType), uint64(v))
			}
		}
		message = protowire.AppendBytes(protowire.AppendTag(message, 1, protowire.BytesType), key)
	}
	for number, v := range map[protowire.Number]uint64{2: 1, 3: batches, 4: batch, 5: 99} {
		message = protowire.AppendVarint(protowire.AppendTag(message, number, protowire.VarintType), v)
	}
	return migrationPrefix + url.QueryEscape(base64.StdEncoding.EncodeToString(message))
}

func TestMigration(t *testing.T) {
	const secret = "12345678901234567890"
	all, err := Migration([]byte(transferURI(0, 2, []any{1, secret, 2, "Example:alice", 3, "Example", 4, 1, 5, 1, 6, 2}) + "\n" +
		transferURI(1, 2, []any{1, secret, 2, "alice", 4, 3, 5, 2, 6, 1, 7, 5, 8, "id"}, []any{1, secret, 2, "bob", 4, 4, 6, 2}) + "\n"))
	if err != nil || len(all) != 2 {
		t.Fatalf("%v, %v", all, err)
	}
	if got, want := summary(all[0]), "alice: totp SHA1 6 30s c0 o0 u[], hotp SHA512 8 0s c5 o0 u[]; 0 scratch; "; got != want || all[0].Err != nil {
		t.Errorf("%s, %v; want %s", got, all[0].Err, want)
	}
	if ours, theirs := code(t, all[0].Devices[0]), oathtool(t, all[0].Devices[0]); ours != theirs {
		t.Errorf("%s, and oathtool says %s", ours, theirs)
	}
	wantError(t, "bob, whose algorithm is MD5", all[1].Err, "algorithm: must be")
}

// The example that others test their readers with.
func TestMigrationOfOthers(t *testing.T) {
	all, err := Migration([]byte("otpauth-migration://offline?data=CjEKCkhlbGxvId6tvu8SGEV4YW1wbGU6YWxpY2VAZ29vZ2xlLmNvbRoHRXhhbXBsZSABKAEwAhABGAEgACjr4JKK%2B%2F%2F%2F%2F%2F8B"))
	a := only(t, all, err)
	if a.User != "alice@google.com" || a.Devices[0].Key.Secret.Base32() != "JBSWY3DPEHPK3PXP" {
		t.Errorf("%s", summary(a))
	}
}

func TestMigrationRefuses(t *testing.T) {
	good := transferURI(0, 1, []any{1, "12345678901234567890", 2, "alice", 6, 2})
	for text, want := range map[string]string{
		"otpauth://totp/alice?secret=" + secret32:                        "must begin with otpauth-migration",
		migrationPrefix + "!":                                            "must be base64",
		migrationPrefix + "%zz":                                          "escaped wrongly",
		good[:len(good)-16]:                                              "its data",
		migrationPrefix + "AAAA":                                         "no protocol buffer",
		transferURI(0, 1, []any{1, "short", 2, "alice"}):                 "secret of 5 bytes",
		transferURI(0, 1, []any{1, "12345678901234567890", 6, 3}):        "type: must be",
		transferURI(0, 1, []any{1, "12345678901234567890", 5, 3}):        "digits: must be",
		transferURI(0, 1, []any{1, "12345678901234567890", 6, 1, 7, -1}): "counter: must not",
		transferURI(0, 1, []any{1, "12345678901234567890", 2, "a\nb"}):   "user: must have",
	} {
		all, err := Migration([]byte(text))
		if err != nil || len(all) != 1 {
			t.Errorf("%s: %d accounts, %v", text, len(all), err)
			continue
		}
		wantError(t, text, all[0].Err, want)
	}
	_, err := Migration([]byte(transferURI(1, 3, []any{1, "12345678901234567890", 2, "alice"})))
	wantError(t, "one of three QR codes", err, "QR code 1 of 3 is missing")
	if _, err := Migration([]byte(strings.Repeat("x", MaxFile+1))); err == nil {
		t.Error("a file that is too large is read")
	}
}
