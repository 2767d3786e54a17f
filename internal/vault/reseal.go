package vault

import (
	"errors"
	"fmt"
	"io/fs"
)

// Change is what Seal, Rekey or Unseal has done.
type Change struct {
	Records    int    // that were rewritten
	KeyID      string // of the key that seals from now on; "": none
	KeyFile    string // that was made, changed or removed; "": was not touched
	Credential string // still brings a key that no record needs: it can go from the unit
}

// ErrNoKey says that there is nothing to rekey.
var ErrNoKey = errors.New("the vault is not sealed; seal it with: sallyportctl vault seal")

// Seal seals the secrets that are not, with a new key in the key file where there is none yet. Stopped at any moment,
// every record can be read, and Seal can be run again. progress is called after each record that was rewritten, with
// their number; it may be nil.
//
// The same holds for Rekey and Unseal. A record that cannot be read stays as it is, and keeps old keys where they are;
// the others are done, and the error tells. All three read the keys afresh, and are for the process that holds the ledger.
func (v *Vault) Seal(progress func(done int)) (Change, error) {
	v.rewriting.Lock()
	defer v.rewriting.Unlock()
	keys, err := v.loadKeys()
	if err != nil {
		return Change{}, err
	}
	var change Change
	if keys.sealer() == nil {
		if err := v.keyLost(); err != nil {
			return Change{}, err
		}
		if keys, err = v.addKey(keys); err != nil {
			return Change{}, err
		}
		change.KeyFile = v.root.KeyFile()
	}
	change.KeyID = keys.sealer().id
	change.Records, err = v.reseal(progress)
	return change, err
}

// Rekey seals everything with a new key, which goes into the key file, and drops the old ones. Where the old key is a systemd
// credential, the change names it: it cannot be dropped from here.
func (v *Vault) Rekey(progress func(done int)) (Change, error) {
	v.rewriting.Lock()
	defer v.rewriting.Unlock()
	keys, err := v.loadKeys()
	if err != nil {
		return Change{}, err
	}
	if keys.sealer() == nil {
		return Change{}, ErrNoKey
	}
	if keys, err = v.addKey(keys); err != nil {
		return Change{}, err
	}
	change := Change{KeyID: keys.sealer().id, KeyFile: v.root.KeyFile(), Credential: keys.credential}
	if change.Records, err = v.reseal(progress); err != nil {
		change.Credential = ""
		return change, fmt.Errorf("the old key stays: %w", err)
	}
	newest := keys.newest()
	if err := newest.writeFile(v.files, v.root); err != nil {
		return change, err
	}
	v.keys.Store(newest)
	return change, nil
}

// Unseal writes all secrets as they are and removes the key file. It refuses where a systemd credential brings a key:
// the next start would seal with that again.
func (v *Vault) Unseal(progress func(done int)) (Change, error) {
	v.rewriting.Lock()
	defer v.rewriting.Unlock()
	keys, err := v.loadKeys()
	if err != nil {
		return Change{}, err
	}
	if keys.credential != "" {
		return Change{}, fmt.Errorf("the vault key comes from the systemd credential %q: "+
			"copy it to %q (mode 0600), take it out of the unit, restart, and unseal then", keys.credential, v.root.KeyFile())
	}
	v.keys.Store(keys.onlyOpening())
	var change Change
	if change.Records, err = v.reseal(progress); err != nil {
		v.keys.Store(keys)
		return change, fmt.Errorf("the key stays: %w", err)
	}
	// From here on nothing may be sealed with the key, even if its file is still there.
	err = v.files.Remove(v.root.KeyFile())
	if errors.Is(err, fs.ErrNotExist) {
		return change, nil
	}
	if err != nil {
		return change, fmt.Errorf("removing the vault key: %w", err)
	}
	change.KeyFile = v.root.KeyFile()
	v.keys.Store(&Keyring{directory: keys.directory})
	return change, nil
}

func (v *Vault) loadKeys() (*Keyring, error) {
	keys := LoadKeys(v.files, v.root, v.keys.Load().directory)
	if keys.problem != nil {
		return nil, keys.problem
	}
	v.keys.Store(&keys)
	return &keys, nil
}

// addKey makes a key that seals from now on. It is on disk before it seals anything.
func (v *Vault) addKey(keys *Keyring) (*Keyring, error) {
	k, err := newKey()
	if err != nil {
		return nil, err
	}
	keys = keys.with(k)
	if err := keys.writeFile(v.files, v.root); err != nil {
		return nil, err
	}
	v.keys.Store(keys)
	return keys, nil
}

// keyLost finds a record that is sealed although there is no key: a new key would stand in the way of the lost one.
func (v *Vault) keyLost() error {
	for user, err := range v.Users() {
		if err != nil {
			continue
		}
		var missing *KeyMissingError
		if _, _, err := v.read(user); errors.As(err, &missing) {
			return err
		}
	}
	return nil
}

// reseal rewrites what is not as the current keys would write it. It is done when a whole pass finds nothing more: a directory that
// changes may show a name twice or, in one pass, not at all.
func (v *Vault) reseal(progress func(done int)) (int, error) {
	total := 0
	for {
		before := total
		var unread []error
		for user, err := range v.Users() {
			if user == "" {
				if !errors.As(err, new(*DamagedError)) {
					return total, err
				}
				continue // not a record, so nobody's key
			}
			rewritten, err := v.resealOne(user)
			switch {
			case errors.Is(err, errRewrite):
				return total, err // a full disk: the next one would fare no better
			case err != nil:
				unread = append(unread, err)
			case rewritten:
				total++
				if progress != nil {
					progress(total)
				}
			}
		}
		if total == before {
			return total, joinSome(unread)
		}
	}
}

var errRewrite = errors.New("the record stays as it was")

// resealOne keeps Put and Delete away, so that what it writes is what is there.
func (v *Vault) resealOne(user string) (bool, error) {
	v.changes.Lock()
	defer v.changes.Unlock()
	r, used, err := v.read(user)
	if errors.Is(err, ErrNotEnrolled) {
		return false, nil // deleted meanwhile
	}
	if err != nil {
		return false, err
	}
	keys, want := v.keys.Load(), ""
	if k := keys.sealer(); k != nil {
		want = k.id
	}
	for _, id := range used {
		if id != want {
			if err := v.write(r, keys); err != nil {
				return false, fmt.Errorf("%w: %w", err, errRewrite)
			}
			return true, nil
		}
	}
	return false, nil
}

// joinSome keeps an error readable that a thousand records have caused.
func joinSome(errs []error) error {
	const most = 10
	if more := len(errs) - most; more > 0 {
		errs = append(errs[:most:most], fmt.Errorf("and %d more records", more))
	}
	return errors.Join(errs...)
}
