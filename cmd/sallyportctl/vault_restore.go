package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"filippo.io/age"
	"github.com/spf13/cobra"

	admin "sallyport/internal/api/iosallyportadmin"
	"sallyport/internal/disk"
)

func (a *app) vaultRestore() *cobra.Command {
	var o importOptions
	var identity string
	cmd := &cobra.Command{
		Use:   "restore FILE [USER...]",
		Short: "Give users the second factors of a backup",
		Long: `Restore reads an archive that sallyportctl vault backup has written, here or on
another host, and says for each user in it, or each that is named, what it would
do; with --apply it does it. Nothing that a user has here is overwritten without
--replace, and a user's second factor comes whole or not at all.

Users are found by their names; one whose number differs gets the number that it
has here. Secrets are sealed if the vault is. Counters and recovery codes are
those of the day of the backup: what was used since works again.`,
		Example: `  sallyportctl vault restore /root/sallyport.age
  sallyportctl vault restore /root/sallyport.age --apply
  sallyportctl vault restore /root/sallyport.age alice --replace --apply`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			with, err := a.identity(identity)
			if err != nil {
				return err
			}
			return a.restore(cmd.Context(), args[0], args[1:], with, &o)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&o.apply, "apply", false, "do it; without this it is only said")
	f.BoolVar(&o.replace, "replace", false, "also for users who have another second factor here, which they lose")
	f.BoolVar(&o.asJSON, "json", false, "print JSON: applied, users, counts")
	f.StringVar(&identity, "identity", "", "open it with the age private key in `FILE` instead of a passphrase")
	return cmd
}

// identity is what opens the archive.
func (a *app) identity(path string) (age.Identity, error) {
	if path == "" {
		passphrase, err := a.askHidden(askPassphrase)
		if err != nil {
			return nil, err
		}
		return age.NewScryptIdentity(passphrase)
	}
	const most = 64 << 10
	data, err := a.readFile(path, most)
	if err != nil {
		return nil, err
	}
	keys, err := age.ParseIdentities(bytes.NewReader(data))
	if err != nil || len(keys) != 1 {
		return nil, sourceError{path, errors.New("it must have one private key of age, as age-keygen writes it")} // err may have it
	}
	return keys[0], nil
}

func (a *app) restore(ctx context.Context, path string, only []string, with age.Identity, o *importOptions) error {
	whole, err := filepath.Abs(path)
	if err != nil {
		return sourceError{path, err}
	}
	f, err := disk.OpenTrusted(whole, disk.Config)
	if err != nil {
		return sourceError{path, plainError(err)}
	}
	defer f.Close()
	// Once through, so that a damaged archive changes nothing.
	there := map[string]bool{}
	if err := eachIn(f, with, func(p admin.Portable) bool { there[p.User] = true; return true }); err != nil {
		return sourceError{path, err}
	}
	for _, user := range only {
		if !there[user] {
			return sentence(fmt.Sprintf("%q has no second factor in %q.", user, path))
		}
	}
	return a.importEach(o, func(yield func(importedUser, error) bool) {
		on := true
		err := eachIn(f, with, func(p admin.Portable) bool {
			if len(only) == 0 || slices.Contains(only, p.User) {
				on = yield(a.restoreUser(ctx, p, o))
			}
			return on
		})
		if err != nil && on {
			yield(importedUser{}, sourceError{path, err})
		}
	})
}

// eachIn goes through an archive from its beginning, until fn returns false.
func eachIn(f *os.File, with age.Identity, fn func(admin.Portable) bool) error {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	accounts, err := readArchive(f, with)
	if err != nil {
		return err
	}
	for p, err := range accounts {
		if err != nil {
			return err
		}
		if !fn(p) {
			break
		}
	}
	return nil
}

func (a *app) restoreUser(ctx context.Context, p admin.Portable, o *importOptions) (importedUser, error) {
	u := importedUser{User: p.User, Devices: len(p.Devices), RecoveryCodes: len(p.Recovery)}
	uid, err := a.send(ctx, &u, p, o)
	if err == nil && u.Error == "" && u.Outcome != outcomeUnknown && uid != p.Uid {
		u.Notes = append(u.Notes, fmt.Sprintf("Its number is %d here, and was %d there.", uid, p.Uid))
	}
	return u, err
}
