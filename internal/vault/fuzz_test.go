package vault

import (
	"errors"
	"strings"
	"testing"

	"sallyport/internal/otp"
)

// FuzzKeyring gives a key file. What passes seals and opens, and no error has a key in it.
func FuzzKeyring(f *testing.F) {
	const key = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
	for _, seed := range []string{key + "\n", key, key + "\n" + key + "\n", "\n", key + "\r\n", strings.Repeat(key+"\n", 17), key[:40]} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var r Keyring
		if err := r.parse("vault.key", text); err != nil {
			var damage *DamagedError
			if !errors.As(err, &damage) {
				t.Errorf("%v is no *DamagedError", err)
			}
			for line := range strings.Lines(text) {
				if line = strings.TrimSpace(line); len(line) > 20 && strings.Contains(err.Error(), line) {
					t.Errorf("the error holds a line of the file: %v", err)
				}
			}
			return
		}
		k := r.sealer()
		if k == nil || len(r.keys) > maxKeys {
			t.Fatalf("%d keys, of which %v seals", len(r.keys), k)
		}
		secret := otp.NewSecret([]byte("12345678901234567890"))
		opened, id, err := r.open(k.seal(secret, "alice", "t"), "alice", "t")
		if err != nil || id != k.id || string(opened.Bytes()) != string(secret.Bytes()) {
			t.Errorf("what it sealed does not open: %v", err)
		}
	})
}

// FuzzUserOf gives the name of a file in the vault's directory. One file is one user's, and one user's is one file.
func FuzzUserOf(f *testing.F) {
	for _, seed := range []string{"alice.toml", `\x2ealice.toml`, `a\x2db.toml`, `\x2`, `\xff.toml`, ".toml", `a\x61.toml`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if user, err := userOf(text); err == nil && (fileName(user) != text || strings.Contains(user, "/")) {
			t.Errorf("%q is the file of %q, whose is %q", text, user, fileName(user))
		}
		if checkUser(text) != nil {
			return
		}
		if name := fileName(text); len(name) <= maxName {
			if user, err := userOf(name); err != nil || user != text || strings.ContainsRune(name, '/') {
				t.Errorf("the file of %q is %q, which is %q's: %v", text, name, user, err)
			}
		}
	})
}
