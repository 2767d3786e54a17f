package vault

import (
	"bytes"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"sallyport/internal/disk"
	"sallyport/internal/disk/disktest"
	"sallyport/internal/otp"
)

// keyLine is a key as its file has it, always the same for the same letter.
func keyLine(t testing.TB, letter string) (line, id string) {
	t.Helper()
	k, err := keyOf([]byte(strings.Repeat(letter, keyBytes)))
	must(t, err)
	return k.line(), k.id
}

func TestSealedSecretIsNotInTheFile(t *testing.T) {
	files, v := newVault(t)
	sealVault(t, v)
	must(t, v.Put(alice()))
	file, err := files.ReadFile(aliceFile, maxRecord)
	must(t, err)
	for _, tok := range append(alice().Tokens, alice().Pending.Token) {
		if bytes.Contains(file, []byte(tok.Key.Secret.Base32())) {
			t.Errorf("the secret of token %s is in the file", tok.ID)
		}
	}
	again := encode(alice(), v.keys.Load())
	if bytes.Equal(file, again) {
		t.Error("sealing the same record twice gives the same file: the nonce is not random")
	}
}

// A file that is copied over another user's, or a sealed secret that is put into another place, does not open.
func TestSealedSecretOpensOnlyInItsPlace(t *testing.T) {
	keys := testKeys(t)
	body := string(encode(alice(), keys))[headLen:]
	swap := strings.NewReplacer("00112233445566aa", "00112233445566bb", "00112233445566bb", "00112233445566aa")
	for name, changed := range map[string]string{
		"as bob's":                    strings.Replace(body, `user = "alice"`, `user = "bob"`, 1),
		"secrets of tokens exchanged": swap.Replace(body),
		"one letter changed":          strings.Replace(body, `sealed = "`+keys.keys[0].id+":", `sealed = "`+keys.keys[0].id+":A", 1),
		"no key ID":                   strings.Replace(body, keys.keys[0].id+":", "", 1),
		"nothing sealed":              strings.Replace(body, `sealed = "`, `sealed = "`+keys.keys[0].id+":\"\n#", 1),
	} {
		user := "alice"
		if strings.Contains(changed, `"bob"`) {
			user = "bob"
		}
		if _, _, err := decode([]byte(head(changed)+changed), user, keys); err == nil {
			t.Errorf("%s: opens", name)
		}
	}

	files, v := newVault(t)
	sealVault(t, v)
	must(t, v.Put(alice()))
	file, err := files.ReadFile(aliceFile, maxRecord)
	must(t, err)
	files.Put(root.Users()+"/bob.toml", file)
	if _, err := v.Get("bob", 1000); !errors.As(err, new(*DamagedError)) {
		t.Errorf("alice's file in bob's place: %v", err)
	}
}

func TestKeyMissing(t *testing.T) {
	files, v := newVault(t)
	sealVault(t, v)
	must(t, v.Put(alice()))
	must(t, v.Put(simple("bob", 1001)))
	id := v.keys.Load().keys[0].id
	keyFile, err := files.ReadFile(root.KeyFile(), maxKeyFile)
	must(t, err)
	line, _ := keyLine(t, "x")
	for name, other := range map[string]string{"none": "", "another": line} {
		must(t, files.Remove(root.KeyFile()))
		if other != "" {
			files.Put(root.KeyFile(), []byte(other))
		}
		v := reopen(t, files)
		_, err := v.Get("alice", 1000)
		var missing *KeyMissingError
		if !errors.As(err, &missing) || missing.KeyID != id || missing.Path != aliceFile ||
			!strings.Contains(missing.Mend, root.KeyFile()) || !strings.Contains(err.Error(), id) {
			t.Errorf("key file with %s: Get = %v", name, err)
		}
		if !errors.As(err, new(*DamagedError)) {
			t.Errorf("key file with %s: not a DamagedError", name)
		}
		files.Put(root.KeyFile(), keyFile)
		if _, err := v.Get("alice", 1000); err != nil {
			t.Errorf("the key is back, and the running vault says %v", err)
		}
		if got := v.keys.Load().keys[0].id; got != id {
			t.Errorf("seals with %s", got)
		}
	}
}

// While a key that is there cannot be read, nothing is written in the clear in its place; what needs no key is read.
func TestUnreadableKey(t *testing.T) {
	files, plain := newVault(t)
	must(t, plain.Put(simple("bob", 1001)))
	line, _ := keyLine(t, "x")
	for name, content := range map[string]string{
		"empty":          "",
		"only a break":   "\n",
		"not base64":     "key\n",
		"31 bytes":       line[:40] + "\n",
		"empty line":     line + "\n" + line,
		"carriage":       strings.Replace(line, "\n", "\r\n", 1),
		"too many":       strings.Repeat(line, maxKeys+1),
		"too large":      strings.Repeat("A", maxKeyFile+1),
		"odd final bits": strings.Replace(line, "g=", "h=", 1),
	} {
		files.Put(root.KeyFile(), []byte(content))
		keys := LoadKeys(files, root, "")
		if keys.Problem() == nil {
			t.Errorf("%s: is taken for a key file", name)
			continue
		}
		if text := keys.Problem().Error(); !strings.Contains(text, root.KeyFile()) || strings.Contains(text, line[:20]) {
			t.Errorf("%s: the error is %q", name, text)
		}
		v := Open(files, root, keys)
		got, err := v.Get("bob", 1001)
		must(t, err)
		if err := v.Put(got); err == nil {
			t.Errorf("%s: Put is content", name)
		}
		for what, change := range map[string]func(func(int)) (Change, error){"Seal": v.Seal, "Rekey": v.Rekey, "Unseal": v.Unseal} {
			if _, err := change(nil); err == nil {
				t.Errorf("%s: %s is content", name, what)
			}
		}
	}

	files.Put(root.KeyFile(), []byte(line))
	sealed := reopen(t, files)
	must(t, sealed.Put(alice()))
	files.Put(root.KeyFile(), nil)
	_, err := Open(files, root, LoadKeys(files, root, "")).Get("alice", 1000)
	if !errors.As(err, new(*KeyMissingError)) || !strings.Contains(err.Error(), "is empty") {
		t.Errorf("sealed record, empty key file: %v", err)
	}
}

// One read error while the process starts is forgotten at the next write, which is sealed, and by RetryKeys.
func TestUnreadableKeyIsTriedAgain(t *testing.T) {
	files, v := newVault(t)
	sealVault(t, v)
	must(t, v.Put(alice()))
	failed := errors.New("input/output error")
	for name, try := range map[string]func(*Vault) error{
		"writing":   func(v *Vault) error { return v.Put(simple("bob", 1001)) },
		"RetryKeys": (*Vault).RetryKeys,
		"reading":   func(v *Vault) error { _, err := v.Get("alice", 1000); return err },
	} {
		files.FailNext(disktest.Read, failed)
		keys := LoadKeys(files, root, "")
		if !errors.Is(keys.Problem(), failed) {
			t.Fatalf("%s: the keys are read: %v", name, keys.Problem())
		}
		v := Open(files, root, keys)
		files.Fail(disktest.Read, failed)
		if err := try(v); !errors.Is(err, failed) {
			t.Errorf("%s, while the disk fails: %v", name, err)
		}
		files.Fail(disktest.Read, nil)
		if err := try(v); err != nil {
			t.Errorf("%s, when the disk is well again: %v", name, err)
		}
		must(t, v.Put(simple("bob", 1001)))
		if file, err := files.ReadFile(root.Users()+"/bob.toml", maxRecord); err != nil || !bytes.Contains(file, []byte("sealed = ")) {
			t.Errorf("%s: what is written then is not sealed: %v", name, err)
		}
		if _, err := v.Get("alice", 1000); err != nil {
			t.Errorf("%s: a sealed record does not open: %v", name, err)
		}
	}
}

func TestUntrustedKeyFile(t *testing.T) {
	here := disk.Root(t.TempDir())
	v := Open(new(disk.OS), here, Keyring{})
	sealVault(t, v)
	must(t, disk.CheckFile(here.KeyFile(), disk.Secret))
	must(t, exec.Command("chmod", "0644", here.KeyFile()).Run())
	keys := LoadKeys(new(disk.OS), here, "")
	if err := keys.Problem(); !errors.As(err, new(*disk.TrustError)) {
		t.Errorf("a key that others may read: %v", err)
	}
}

func TestKeySources(t *testing.T) {
	lineA, a := keyLine(t, "a")
	lineB, b := keyLine(t, "b")
	lineC, c := keyLine(t, "c")
	const directory = "/run/credentials/elsewhere"
	for name, tt := range map[string]struct {
		file, run, env string // contents
		want           string // the keys' IDs in order
		from           string // the credential
	}{
		"nothing":                {},
		"file":                   {file: lineA, want: a},
		"file, two keys":         {file: lineB + lineA, want: b + " " + a},
		"file, no last break":    {file: strings.TrimSuffix(lineA, "\n"), want: a},
		"credential of the unit": {run: lineA, want: a, from: root.Credential()},
		"credential by variable": {env: lineA, want: a, from: directory + "/vault-key"},
		"file before credential": {file: lineB, run: lineA, want: b + " " + a, from: root.Credential()},
		"all three":              {file: lineC, run: lineB, env: lineA, want: c + " " + b + " " + a, from: directory + "/vault-key"},
		"the same everywhere":    {file: lineA, run: lineA, env: lineA, want: a, from: directory + "/vault-key"},
	} {
		files := new(disktest.FS)
		for path, content := range map[string]string{root.KeyFile(): tt.file, root.Credential(): tt.run, directory + "/vault-key": tt.env} {
			if content != "" {
				files.Put(path, []byte(content))
			}
		}
		keys := LoadKeys(files, root, directory)
		must(t, keys.Problem())
		var ids []string
		for _, k := range keys.keys {
			ids = append(ids, k.id)
		}
		if got := strings.Join(ids, " "); got != tt.want || keys.credential != tt.from {
			t.Errorf("%s: keys %q from %q, want %q from %q", name, got, keys.credential, tt.want, tt.from)
		}
	}
	files := new(disktest.FS)
	files.Put(directory+"/vault-key", []byte(lineA))
	if keys := LoadKeys(files, root, ""); len(keys.keys) != 0 {
		t.Error("a directory of credentials is read that was not given")
	}
}

// What openssl makes is a key.
func TestKeyFromOpenSSL(t *testing.T) {
	out, err := exec.Command("openssl", "rand", "-base64", "32").Output()
	if err != nil {
		t.Fatalf("%v: run make deps", err)
	}
	files := new(disktest.FS)
	files.Put(root.KeyFile(), out)
	keys := LoadKeys(files, root, "")
	must(t, keys.Problem())
}

func TestKeysAreNotPrinted(t *testing.T) {
	keys := testKeys(t)
	v := Open(new(disktest.FS), root, *keys)
	secret := keys.keys[0].secret
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		for _, value := range []any{*keys, keys, keys.keys[0], *keys.keys[0], v, alice(), *alice(), alice().Tokens} {
			text := fmt.Sprintf(verb, value)
			for _, s := range []string{string(secret.Bytes()), secret.Base32(), fmt.Sprintf("%x", secret.Bytes()), fmt.Sprintf("%X", secret.Bytes()),
				strings.Trim(fmt.Sprint(secret.Bytes()), "[]"), "Jackdaws", fmt.Sprintf("%x", "Jackdaws"), otp.NewSecret([]byte("Jackdaws l")).Base32()} {
				if strings.Contains(text, s) {
					t.Errorf("%s of %T shows a secret", verb, value)
				}
			}
		}
	}
}
