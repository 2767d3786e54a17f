package vault

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"sallyport/internal/disk/disktest"
)

// people is some users' records, of different shapes.
func people() []*Record {
	empty := &Record{User: "empty", UID: 1003, Created: noon}
	return []*Record{alice(), simple("bob", 1001), simple("carol-1", 1002), empty}
}

func populate(t testing.TB, v *Vault) {
	t.Helper()
	for _, r := range people() {
		must(t, v.Put(r))
	}
}

// readable fails the test where one of the people cannot be read, or reads as another.
func readable(t testing.TB, v *Vault) {
	t.Helper()
	for _, want := range people() {
		got, err := v.Get(want.User, want.UID)
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		same(t, got, want)
	}
}

// seals counts the IDs of the keys in all records' files; "" is a secret that is not sealed.
func seals(t testing.TB, v *Vault) map[string]int {
	t.Helper()
	count := map[string]int{}
	for user, err := range v.Users() {
		must(t, err)
		_, used, err := v.read(user)
		must(t, err)
		for _, id := range used {
			count[id]++
		}
	}
	return count
}

const secretsOfPeople = 3 + 1 + 1

func TestSealRekeyUnseal(t *testing.T) {
	files, v := newVault(t)
	populate(t, v)
	var steps []int
	progress := func(done int) { steps = append(steps, done) }

	change, err := v.Seal(progress)
	must(t, err)
	first := change.KeyID
	if change != (Change{Records: 3, KeyID: first, KeyFile: root.KeyFile()}) || !slices.Equal(steps, []int{1, 2, 3}) {
		t.Errorf("Seal = %+v, progress %v", change, steps)
	}
	if n := seals(t, v); n[first] != secretsOfPeople || len(n) != 1 {
		t.Errorf("after Seal: %v", n)
	}
	readable(t, reopen(t, files))
	if change, err = v.Seal(nil); err != nil || change != (Change{KeyID: first}) {
		t.Errorf("the second Seal = %+v, %v", change, err)
	}

	change, err = v.Rekey(nil)
	must(t, err)
	second := change.KeyID
	if change != (Change{Records: 3, KeyID: second, KeyFile: root.KeyFile()}) || second == first {
		t.Errorf("Rekey = %+v", change)
	}
	again := reopen(t, files)
	readable(t, again)
	if n := seals(t, again); n[second] != secretsOfPeople || len(n) != 1 || len(again.keys.Load().keys) != 1 {
		t.Errorf("after Rekey: %v", n)
	}

	change, err = v.Unseal(nil)
	must(t, err)
	if change != (Change{Records: 3, KeyFile: root.KeyFile()}) {
		t.Errorf("Unseal = %+v", change)
	}
	again = reopen(t, files)
	readable(t, again)
	if n := seals(t, again); n[""] != secretsOfPeople || len(again.keys.Load().keys) != 0 || len(files.Files()) != 4 {
		t.Errorf("after Unseal: %v, files %q", n, files.Files())
	}
	must(t, v.Put(alice()))
	readable(t, reopen(t, files))
	if change, err := v.Unseal(nil); err != nil || change != (Change{}) {
		t.Errorf("the second Unseal = %+v, %v", change, err)
	}
	if _, err := v.Rekey(nil); !errors.Is(err, ErrNoKey) {
		t.Errorf("Rekey without a key = %v", err)
	}
}

// At whichever step the power fails, every record is readable afterwards, is sealed when it is written, and doing it again ends as if nothing
// had been. The same where a step fails and the process lives on.
func TestRekeyWithCredential(t *testing.T) {
	files := new(disktest.FS)
	line, old := keyLine(t, "o")
	files.Put(root.Credential(), []byte(line))
	v := reopen(t, files)
	populate(t, v)
	if n := seals(t, v); n[old] != secretsOfPeople {
		t.Errorf("with a credential: %v", n)
	}
	if _, err := v.Unseal(nil); err == nil || !strings.Contains(err.Error(), root.Credential()) {
		t.Errorf("Unseal with a credential = %v", err)
	}
	change, err := v.Rekey(nil)
	must(t, err)
	if change.Credential != root.Credential() || change.KeyFile != root.KeyFile() {
		t.Errorf("Rekey = %+v", change)
	}
	readable(t, reopen(t, files))
	must(t, files.Remove(root.Credential()))
	v = reopen(t, files)
	readable(t, v)
	if n := seals(t, v); n[change.KeyID] != secretsOfPeople || len(n) != 1 {
		t.Errorf("after Rekey: %v", n)
	}
}

// A record that cannot be read may still need the old key one day.
func TestRekeyKeepsKeyThatIsNeeded(t *testing.T) {
	files, v := newVault(t)
	populate(t, v)
	sealVault(t, v)
	old := v.keys.Load().keys[0].id
	good, err := files.ReadFile(aliceFile, maxRecord)
	must(t, err)
	bad := slices.Clone(good)
	bad[500] ^= 1
	files.Put(aliceFile, bad)

	change, err := v.Rekey(nil)
	if !errors.As(err, new(*DamagedError)) || !strings.Contains(err.Error(), aliceFile) || change.Records != 2 {
		t.Errorf("Rekey with a damaged record = %+v, %v", change, err)
	}
	if _, err := v.Unseal(nil); !errors.As(err, new(*DamagedError)) {
		t.Errorf("Unseal with a damaged record = %v", err)
	}
	must(t, v.Put(simple("bob", 1001)))
	if _, used, err := v.read("bob"); err != nil || used[0] == "" {
		t.Errorf("after an Unseal that failed, Put does not seal: %q, %v", used, err)
	}
	if now, err := files.ReadFile(aliceFile, maxRecord); err != nil || !bytes.Equal(now, bad) {
		t.Errorf("the damaged record was changed, %v", err)
	}
	if keys := reopen(t, files).keys.Load(); !keys.has(old) || len(keys.keys) != 2 {
		t.Errorf("%d keys, the old one among them: %v", len(keys.keys), keys.has(old))
	}
	files.Put(aliceFile, good)
	_, err = v.Rekey(nil)
	must(t, err)
	v = reopen(t, files)
	readable(t, v)
	if n := len(v.keys.Load().keys); n != 1 {
		t.Errorf("%d keys after the record was mended", n)
	}
}

// Rekey that never succeeds does not make a key file that cannot be read any more.
func TestKeysDoNotPileUp(t *testing.T) {
	files, v := newVault(t)
	populate(t, v)
	sealVault(t, v)
	files.Put(aliceFile, []byte("damaged"))
	for range maxKeys + 3 {
		if _, err := v.Rekey(nil); err == nil {
			t.Fatal("Rekey with a damaged record is content")
		}
	}
	v = reopen(t, files)
	if n := len(v.keys.Load().keys); n != maxKeys {
		t.Errorf("%d keys", n)
	}
	_, err := v.Get("bob", 1001)
	must(t, err)
}

func TestSealWithLostKey(t *testing.T) {
	files, v := newVault(t)
	populate(t, v)
	sealVault(t, v)
	must(t, files.Remove(root.KeyFile()))
	if _, err := reopen(t, files).Seal(nil); !errors.As(err, new(*KeyMissingError)) {
		t.Errorf("Seal although the key is lost = %v", err)
	}
	if slices.Contains(files.Files(), root.KeyFile()) {
		t.Error("a new key was made in place of the lost one")
	}
}

// Names that are no records are nobody's, and stop nothing.
func TestStrayFilesAreLeftAlone(t *testing.T) {
	files, v := newVault(t)
	populate(t, v)
	files.Put(root.Users()+"/README", []byte("hello"))
	_, err := v.Seal(nil)
	must(t, err)
	_, err = v.Rekey(nil)
	must(t, err)
	if got, err := files.ReadFile(root.Users()+"/README", 10); string(got) != "hello" {
		t.Errorf("the stray file holds %q, %v", got, err)
	}
}

func TestManyUnreadableRecords(t *testing.T) {
	files, v := newVault(t)
	for i := range 30 {
		files.Put(fmt.Sprintf("%s/user%d.toml", root.Users(), i), []byte("damaged"))
	}
	_, err := v.Seal(nil)
	if err == nil || strings.Count(err.Error(), "\n") != 10 || !strings.Contains(err.Error(), "20 more") {
		t.Errorf("Seal = %v", err)
	}
}

// The rest would not fit either.
// A directory that changes may leave a name out.
// forgetfulFS leaves a name out once.
// hookedFS calls before it reads.
// Get has the old keys in its hand while the record is sealed with a new one.
// A change by a login is not undone by a change of keys at the same time, and is sealed with a key that stays.
