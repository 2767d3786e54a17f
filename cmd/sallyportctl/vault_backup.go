package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"filippo.io/age"
	"github.com/spf13/cobra"
	"github.com/varlink/go/varlink"
	"golang.org/x/sys/unix"

	admin "sallyport/internal/api/iosallyportadmin"
)

func (a *app) vaultBackup() *cobra.Command {
	var recipients []string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "backup FILE",
		Short: "Write everybody's second factor into an encrypted archive",
		Long: `Backup writes the second factors of all users into a new file, for
sallyportctl vault restore on this host or another. It is encrypted with a
passphrase, which is asked for, or read from standard input; or to recipients of
age (age-keygen). The vault key of this host is not needed to open it.

Counters of HOTP devices and recovery codes are as they are now: one that is
used afterwards comes back with a restore. Used codes of TOTP devices do not
travel; those of the minute of the restore do not work there.

The file is there whole or not at all. The backup stands in the journal.`,
		Example: `  sallyportctl vault backup /root/sallyport.age
  sallyportctl vault backup /root/sallyport.age --recipient age1...`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			to, err := a.recipients(args[0], recipients)
			if err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
			defer stop()
			return a.backup(ctx, args[0], to, asJSON)
		},
	}
	cmd.Flags().StringArrayVar(&recipients, "recipient", nil, "encrypt it to the age public `KEY` instead; may be given several times")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON: file, users, problems")
	return cmd
}

// leastPassphrase is in bytes: an archive can be tried for as long as somebody likes.
const leastPassphrase = 12

// recipients are those given, or a new passphrase. That the file is there already is said before anybody types one.
func (a *app) recipients(path string, keys []string) ([]age.Recipient, error) {
	if _, err := os.Lstat(path); err == nil {
		return nil, sentence(fmt.Sprintf("There is a file %q already. Name another, or remove it.", path))
	}
	var all []age.Recipient
	for _, key := range keys {
		r, err := age.ParseX25519Recipient(key)
		if err != nil {
			return nil, usageError{fmt.Sprintf("--recipient %q is not a public key of age: it begins with \"age1\".", key)}
		}
		all = append(all, r)
	}
	if len(all) > 0 {
		return all, nil
	}
	passphrase, err := a.newPassphrase()
	if err != nil {
		return nil, err
	}
	r, err := age.NewScryptRecipient(passphrase)
	return []age.Recipient{r}, err
}

// newPassphrase asks twice where somebody types.
func (a *app) newPassphrase() (string, error) {
	passphrase, err := a.askHidden(askNewPassphrase)
	if err != nil {
		return "", err
	}
	if len(passphrase) < leastPassphrase {
		return "", sentence(fmt.Sprintf("The passphrase must have at least %d characters.", leastPassphrase))
	}
	if !a.interactive() {
		return passphrase, nil
	}
	again, err := a.askHidden(askPassphraseAgain)
	if err == nil && again != passphrase {
		err = sentence("The passphrases are not the same.")
	}
	return passphrase, err
}

// backupResult is what a backup did.
type backupResult struct {
	File     string   `json:"file"`
	Users    int      `json:"users"`
	Problems []string `json:"problems"` // of users who are not in it
}

func (a *app) backup(ctx context.Context, path string, to []age.Recipient, asJSON bool) error {
	r := backupResult{File: path, Problems: []string{}}
	err := writeNew(path, func(f *os.File) error {
		host, _ := os.Hostname() // only for who reads it
		archive, err := newArchive(f, archiveHead{Host: host, Created: time.Now().UTC().Format(time.RFC3339)}, to...)
		if err != nil {
			return sourceError{path, err}
		}
		if err := a.collect(ctx, archive, &r); err != nil {
			return err
		}
		if err := archive.close(); err != nil {
			return sourceError{path, plainError(err)}
		}
		return nil
	})
	if ctx.Err() != nil {
		return sentence("Stopped, and nothing was written.")
	}
	if err != nil {
		return err
	}
	for _, problem := range r.Problems {
		a.fail(sentence(fmt.Sprintf("Not in the backup: %s.", problem)))
	}
	if asJSON {
		err = a.writeJSON(r)
	} else {
		a.say("The second factors of %d users are in %q. Keep the passphrase where the file is not.", r.Users, path)
	}
	if err == nil && len(r.Problems) > 0 {
		err = errSaid
	}
	return err
}

// collect puts what the daemon gives out into the archive.
func (a *app) collect(ctx context.Context, archive *archiveWriter, r *backupResult) error {
	progress := a.progress("users")
	defer progress.done()
	var writing error
	err := a.callLong(ctx, func(ctx context.Context, c *varlink.Connection) error {
		receive, err := admin.Backup().Send(ctx, c, varlink.More)
		if err != nil {
			return err
		}
		for {
			account, problem, flags, err := receive(ctx)
			switch {
			case err != nil:
				return err
			case problem != nil:
				r.Problems = append(r.Problems, *problem)
			case account != nil:
				if writing = archive.line(account); writing != nil {
					return writing
				}
				r.Users++
				progress.step()
			}
			if flags&varlink.Continues == 0 {
				return nil
			}
		}
	})
	if writing != nil {
		return sourceError{r.File, plainError(writing)}
	}
	return err
}

// writeNew makes a file that was not there, with mode 0600: whole and on the disk when it returns nil, and else not at all.
func writeNew(path string, write func(*os.File) error) (err error) {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".sallyport-")
	if err != nil {
		return sourceError{path, plainError(err)}
	}
	defer func() {
		_ = f.Close() // done below where it counts
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	if err := write(f); err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return sourceError{path, plainError(err)}
	}
	err = unix.Renameat2(unix.AT_FDCWD, f.Name(), unix.AT_FDCWD, path, unix.RENAME_NOREPLACE)
	if errors.Is(err, fs.ErrExist) {
		return sentence(fmt.Sprintf("There is a file %q already. Name another, or remove it.", path))
	}
	if err != nil {
		return sourceError{path, err}
	}
	d, err := os.Open(dir)
	if err != nil {
		return sourceError{path, plainError(err)}
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return sourceError{path, plainError(err)}
	}
	return nil
}
