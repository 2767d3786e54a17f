package vault

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"sallyport/internal/disk"
)

const (
	maxKeys    = 16
	maxKeyFile = 4096 // bytes
	credential = "vault-key"
)

// Keyring is the keys of the vault. The first one seals; all of them open. Without keys, secrets are stored as they are.
type Keyring struct {
	keys    []*key // the key file's, newest first, then the credentials'
	inFile  int    // how many are the key file's
	opening bool   // they open only: Unseal is at work

	directory  string // of credentials, or ""
	credential string // the path of the systemd credential that is there, or ""
	problem    error  // a source that is there and gave no keys
}

// LoadKeys reads the key file, one key to a line, and systemd's credential of the daemon, by its path in /run and in
// the directory given ($CREDENTIALS_DIRECTORY of the daemon; "" in a process whose environment belongs to who called it, as
// sudo's does). A key that cannot be read is no reason to refuse the records that do not need it: Problem tells.
func LoadKeys(files disk.FS, root disk.Root, directory string) Keyring {
	r := Keyring{directory: directory}
	r.load(files, root.KeyFile())
	r.inFile = len(r.keys)
	paths := []string{root.Credential()}
	if directory != "" {
		paths = append(paths, filepath.Join(directory, credential))
	}
	for _, path := range paths {
		if r.load(files, path) {
			r.credential = path
		}
	}
	return r
}

// Problem is why a source of keys that is there could not be used, or nil. Until it is mended (see RetryKeys), nothing is written to the vault.
func (r *Keyring) Problem() error { return r.problem }

func (r *Keyring) load(files disk.FS, path string) bool {
	data, err := files.ReadFile(path, maxKeyFile)
	if errors.Is(err, fs.ErrNotExist) {
		return false
	}
	if err == nil {
		err = r.parse(path, string(data))
	}
	if err != nil {
		r.problem = errors.Join(r.problem, fmt.Errorf("loading vault keys: %w", err))
	}
	return err == nil
}

func (r *Keyring) parse(path, text string) error {
	damaged := func(problem string) error {
		return &DamagedError{path, problem, "restore it from a backup"}
	}
	if text == "" {
		return damaged("it is empty")
	}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) > maxKeys {
		return damaged(fmt.Sprintf("it has %d lines: must be at most %d keys", len(lines), maxKeys))
	}
	for i, line := range lines {
		k, err := parseKey(line)
		if err != nil {
			return damaged(fmt.Sprintf("line %d: %v", i+1, err))
		}
		if !r.has(k.id) {
			r.keys = append(r.keys, k)
		}
	}
	return nil
}

// sealer is the key for what is written from now on, or nil.
func (r *Keyring) sealer() *key {
	if len(r.keys) == 0 || r.opening {
		return nil
	}
	return r.keys[0]
}

func (r *Keyring) has(id string) bool {
	return slices.ContainsFunc(r.keys, func(k *key) bool { return k.id == id })
}

// with is the keyring with one more key in its file, that seals from now on.
func (r *Keyring) with(k *key) *Keyring {
	more := *r
	more.keys, more.inFile, more.opening = append([]*key{k}, r.keys...), r.inFile+1, false
	return &more
}

// newest is the keyring without the older keys.
func (r *Keyring) newest() *Keyring {
	fewer := *r
	fewer.keys, fewer.inFile = r.keys[:1:1], 1
	return &fewer
}

// onlyOpening is the keyring for writing secrets as they are.
func (r *Keyring) onlyOpening() *Keyring {
	quiet := *r
	quiet.opening = true
	return &quiet
}

// writeFile puts the file's keys into it.
func (r *Keyring) writeFile(files disk.FS, root disk.Root) error {
	if r.inFile > maxKeys {
		return fmt.Errorf("%q would have %d keys, must be at most %d: mend or remove the records that still need the old ones",
			root.KeyFile(), r.inFile, maxKeys)
	}
	var text strings.Builder
	for _, k := range r.keys[:r.inFile] {
		text.WriteString(k.line())
	}
	if err := writeFile(files, root.KeyFile(), []byte(text.String())); err != nil {
		return fmt.Errorf("writing the vault key: %w", err)
	}
	return nil
}
