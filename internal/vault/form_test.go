package vault

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/BurntSushi/toml"
)

// testKeys is a keyring with one key that is always the same.
func testKeys(t testing.TB) *Keyring {
	t.Helper()
	k, err := keyOf([]byte("a key of precisely thirty-two by"))
	must(t, err)
	return &Keyring{keys: []*key{k}, inFile: 1}
}

// A reader that knows nothing of ours finds the same in the file.
func TestFileIsTOML(t *testing.T) {
	type token struct {
		ID, Label, Kind, Algorithm, Secret string
		Digits, Period, Offset, Counter    int64
		Confirmed                          time.Time
	}
	type record struct {
		Version  int
		User     string
		UID      uint32
		Created  time.Time
		Lock     Lock
		Recovery []struct{ Salt, Hash string }
		Token    []token
		Pending  struct {
			ID, Replaces string
			Expires      time.Time
			Token        token
		}
	}
	compare := func(got token, want Token) {
		t.Helper()
		k := want.Key
		w := token{want.ID, want.Label, string(k.Kind), string(k.Algorithm), k.Secret.Base32(), int64(k.Digits), int64(k.Period.Seconds()),
			want.Offset, want.Counter, want.Confirmed.UTC()}
		if got != w {
			t.Fatalf("toml reads the token %+v, want %+v", got, w)
		}
	}
	rnd := rand.New(rand.NewPCG(3, 4))
	records := []*Record{alice(), simple("bob", 1001)}
	for range 200 {
		records = append(records, randomRecord(rnd))
	}
	for _, want := range records {
		var got record
		meta, err := toml.Decode(plainText(want), &got)
		must(t, err)
		if unknown := meta.Undecoded(); len(unknown) > 0 {
			t.Fatalf("the file has the keys %v", unknown)
		}
		if got.Version != 1 || got.User != want.User || got.UID != want.UID || !got.Created.Equal(want.Created) ||
			!got.Lock.Until.Equal(want.Lock.Until) || got.Lock.Source != want.Lock.Source ||
			len(got.Token) != len(want.Tokens) || len(got.Recovery) != len(want.Recovery) {
			t.Fatalf("toml reads %+v from\n%s", got, plainText(want))
		}
		for i, tok := range got.Token {
			compare(tok, want.Tokens[i])
		}
		if p := want.Pending; p != nil {
			compare(got.Pending.Token, p.Token)
			if got.Pending.ID != p.ID || got.Pending.Replaces != p.Replaces || !got.Pending.Expires.Equal(p.Expires) {
				t.Fatalf("toml reads the set-up %+v, want %+v", got.Pending, p)
			}
		}
	}
}

func TestEveryCutAndFlippedBitIsNoticed(t *testing.T) {
	for _, keys := range []*Keyring{new(Keyring), testKeys(t)} {
		file := encode(alice(), keys)
		for n := range file {
			if _, _, err := decode(file[:n], "alice", keys); err == nil {
				t.Errorf("the first %d of %d bytes are taken", n, len(file))
			}
			for bit := range 8 {
				file[n] ^= 1 << bit
				if _, _, err := decode(file, "alice", keys); err == nil {
					t.Errorf("bit %d of byte %d flipped, and nobody notices", bit, n)
				}
				file[n] ^= 1 << bit
			}
		}
		if _, _, err := decode(append(file, '\n'), "alice", keys); err == nil {
			t.Error("an additional line is taken")
		}
	}
}

// Files whose checksum is right and whose content is not: what another version or a hand with a hash could write.
func TestStrictForm(t *testing.T) {
	const secretLine = `secret = "`
	swap := func(old, new string) func(string) string {
		return func(s string) string { return strings.Replace(s, old, new, 1) }
	}
	for name, change := range map[string]func(string) string{
		"newer version":        swap("version = 1", "version = 2"),
		"no version":           swap("version = 1\n", ""),
		"unknown key":          swap("uid = 1000\n", "uid = 1000\nadmin = true\n"),
		"unknown key at end":   func(s string) string { return s + "admin = true\n" },
		"unknown table":        func(s string) string { return s + "\n[other]\n" },
		"key twice":            swap("uid = 1000\n", "uid = 1000\nuid = 0\n"),
		"keys in other order":  swap("id = \"00112233445566aa\"\nlabel", "label = \"x\"\nid"),
		"missing key":          swap("digits = 8\n", ""),
		"number as text":       swap("uid = 1000", `uid = "1000"`),
		"text as number":       swap(`user = "alice"`, "user = 1"),
		"uid below zero":       swap("uid = 1000", "uid = -1000"),
		"uid too large":        swap("uid = 1000", "uid = 4294968296"), // 1000 in 32 bits
		"number with sign":     swap("uid = 1000", "uid = +1000"),
		"number with zero":     swap("uid = 1000", "uid = 01000"),
		"hexadecimal number":   swap("uid = 1000", "uid = 0x3e8"),
		"period that wraps":    swap("period = 60", fmt.Sprint("period = ", 60-1<<55)),
		"period below zero":    swap("period = 60", "period = -60"),
		"digits that wrap":     swap("digits = 8", "digits = 18446744073709551624"),
		"space":                swap("uid = 1000", "uid  = 1000"),
		"comment":              swap("uid = 1000", "uid = 1000 # root"),
		"carriage return":      swap("uid = 1000\n", "uid = 1000\r\n"),
		"capital key":          swap("uid = ", "UID = "),
		"literal string":       swap(`user = "alice"`, `user = 'alice'`),
		"escape":               swap(`user = "alice"`, `user = "\u0061lice"`),
		"stray escape":         swap(`label = "button"`, `label = "but\ton"`),
		"string not ended":     swap(`user = "alice"`, `user = "alice`),
		"string ended twice":   swap(`label = "button"`, `label = "but"ton"`),
		"local time":           swap("created = 2026-11-23T12:00:00Z", "created = 2026-11-23T12:00:00"),
		"time with offset":     swap("created = 2026-11-23T12:00:00Z", "created = 2026-11-23T13:00:00+01:00"),
		"no time":              swap("created = 2026-11-23T12:00:00Z", "created = 0001-01-01T00:00:00Z"),
		"lock without end":     swap("until = 2026-11-23T13:00:00Z\nsource = \"192.0.2.1\"", "until = 0001-01-01T00:00:00Z\nsource = \"\""),
		"secret in small":      firstDigitInSmall,
		"secret with padding":  swap(secretLine, secretLine+"===="),
		"both secrets":         swap(secretLine, "sealed = \"\"\n"+secretLine),
		"no secret":            swap("secret = ", "mystery = "),
		"salt not base64":      swap(`salt = "`, `salt = "*`),
		"salt with break":      swap(`salt = "`, "salt = \"\r"),
		"pending without key":  func(s string) string { return s[:strings.Index(s, "\n[pending.token]")] },
		"last line break gone": func(s string) string { return strings.TrimSuffix(s, "\n") },
		"another user":         swap(`user = "alice"`, `user = "bob"`),
		"empty":                func(string) string { return "" },
	} {
		before := plainText(alice())[headLen:]
		body := change(before)
		if body == before {
			t.Errorf("%s: the test changes nothing", name)
		}
		got, _, err := decode([]byte(head(body)+body), "alice", new(Keyring))
		if err == nil {
			t.Errorf("%s: is read as\n%s", name, plainText(got))
		}
	}
}

func firstDigitInSmall(s string) string {
	i := strings.Index(s, `secret = "`) + len(`secret = "`)
	return s[:i] + strings.ToLower(s[i:i+1]) + s[i+1:]
}

// The error says where, and nothing of what is there: it may be a secret.
func TestNoSecretInErrors(t *testing.T) {
	r := alice()
	var secrets []string
	for _, tok := range append(r.Tokens, r.Pending.Token) {
		secrets = append(secrets, string(tok.Key.Secret.Bytes()), tok.Key.Secret.Base32())
	}
	check := func(err error) {
		t.Helper()
		if err == nil {
			return
		}
		for _, s := range secrets {
			for i := range len(s) - 6 {
				if strings.Contains(err.Error(), s[i:i+6]) {
					t.Fatalf("part of a secret is in %q", err)
				}
			}
		}
	}
	body := plainText(r)[headLen:]
	for i := range body {
		for _, put := range []string{"", "\n", `"`, "=", "x", "é", "\x00", `\`, body[i:min(len(body), i+40)]} {
			for _, drop := range []int{0, 1, 12} {
				broken := body[:i] + put + body[min(len(body), i+drop):]
				_, _, err := decode([]byte(head(broken)+broken), "alice", new(Keyring))
				check(err)
			}
		}
	}
	for i := range r.Tokens {
		r.Tokens[i].Key.Digits = 0
		check(r.Validate())
		r.Tokens[i].Key.Digits = 6
	}
}

// FuzzDecodeRecord: whatever the file says, reading it ends, and what is read is a valid record that says the same when it is written.
func FuzzDecodeRecord(f *testing.F) {
	keys := testKeys(f)
	f.Add(plainText(alice())[headLen:])
	f.Add(string(encode(alice(), keys))[headLen:])
	f.Fuzz(func(t *testing.T, body string) {
		// As it stands, and with a checksum before it.
		if r, _, err := decode([]byte(body), "alice", keys); err == nil && plainText(r) != body {
			t.Errorf("a file with its checksum is read as another: %q", body)
		}
		r, used, err := decode([]byte(head(body)+body), "alice", keys)
		if err != nil {
			return
		}
		if err := r.Validate(); err != nil {
			t.Errorf("an invalid record was read: %v", err)
		}
		again, _, err := decode(encode(r, keys), "alice", keys)
		must(t, err)
		same(t, again, r)
		if !strings.Contains(strings.Join(used, "+"), keys.keys[0].id) && plainText(r) != head(body)+body {
			t.Errorf("%q is read as\n%s", body, plainText(r))
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	for name, keys := range map[string]*Keyring{"plain": new(Keyring), "sealed": testKeys(b)} {
		file := encode(simple("alice", 1000), keys)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := decode(file, "alice", keys); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestHostileSizes(t *testing.T) {
	for _, piece := range []string{"[", "\"", "\\", "\n[[token]]\n", "\n[[recovery]]\n", "=", "\n"} {
		body := plainText(alice())[headLen:] + strings.Repeat(piece, maxRecord/len(piece))
		if _, _, err := decode([]byte(head(body)+body), "alice", new(Keyring)); err == nil {
			t.Errorf("%q without end is taken", piece)
		}
	}
}
