package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"sallyport/internal/disk"
	"sallyport/internal/vault"
)

// checkFiles looks at owners and modes of all of Sallyport's files, and reads every record.
func (f *facts) checkFiles() []Finding {
	r := f.Root
	var all []Finding
	note := func(err error) {
		if found, ok := f.untrusted(err); ok && !slices.ContainsFunc(all, func(g Finding) bool { return g.File == found.File }) {
			all = append(all, found)
		}
	}
	for _, dir := range []string{r.Config(), r.Vendor(), r.State(), r.Runtime(), r.Users()} {
		note(disk.CheckDir(dir))
	}
	for _, pattern := range []string{r.Vendor() + "/*.toml", r.Config() + "/*.toml", r.Config() + "/sallyport.d/*.toml"} {
		found, _ := filepath.Glob(pattern) // only DIR of --root could be no pattern; then they are policy problems
		for _, file := range found {
			note(disk.CheckFile(file, disk.Config))
		}
	}
	for _, file := range []string{r.KeyFile(), r.LedgerFile(), r.Saved(), r.SavedClean()} {
		note(disk.CheckFile(file, disk.Secret))
	}
	files := new(disk.OS)
	keys := vault.LoadKeys(files, r, "")
	if err := keys.Problem(); err != nil {
		if _, ok := f.untrusted(err); ok {
			note(err)
		} else {
			all = append(all, Finding{
				ID: "vault-key", Effect: LocksOut, File: r.KeyFile(), What: fmt.Sprintf("The vault key cannot be used: %v.", err),
				Outcome: "Whoever's secrets are sealed with it is refused, and nobody can set up a second factor.",
				Mend:    text("Restore %s from your copy of it.", r.KeyFile()),
			})
		}
	}
	return append(all, f.checkRecords(vault.Open(files, r, keys), note)...)
}

// untrusted makes a finding of a file with the wrong owner, mode or kind. What is missing is none: it may come yet.
func (f *facts) untrusted(err error) (Finding, bool) {
	var trust *disk.TrustError
	if err == nil || errors.Is(err, fs.ErrNotExist) || !errors.As(err, &trust) {
		return Finding{}, false
	}
	return Finding{
		ID: "file-trust", Effect: LocksOut, File: trust.Path, What: fmt.Sprintf("%q %s.", trust.Path, trust.Problem),
		Outcome: "Sallyport does not believe what is in there: whoever needs a code is refused.",
		Mend:    Mend{Command: trust.Mend},
	}, true
}

// checkRecords reads every record, and so finds out who is enrolled.
func (f *facts) checkRecords(v *vault.Vault, note func(error)) []Finding {
	var all []Finding
	for user, err := range v.Users() {
		if err == nil {
			err = f.readRecord(v, user, &all)
		}
		var missing *vault.KeyMissingError
		var damaged *vault.DamagedError
		switch {
		case errors.As(err, &missing):
			all = append(all, Finding{
				ID: "vault-key-missing", Effect: LocksOut, File: f.Root.KeyFile(), Users: []string{user},
				What:    fmt.Sprintf("Records are sealed with the vault key %s, which is not there.", missing.KeyID),
				Outcome: "Their owners are refused.", Mend: text("Put the key back into %s.", f.Root.KeyFile()),
			})
		case errors.As(err, &damaged):
			all = append(all, Finding{
				ID: "record-damaged", Effect: LocksOut, File: damaged.Path, What: fmt.Sprintf("%s is damaged: %s.", damaged.Path, damaged.Problem),
				Outcome: "Its owner is refused.", Mend: damagedMend(damaged, user),
			})
		default:
			note(err)
		}
	}
	return all
}

// damagedMend has a command where there is one that loses only what is lost.
func damagedMend(d *vault.DamagedError, user string) Mend {
	if user == "" {
		return text("%s.", d.Mend)
	}
	return Mend{Text: "Restore it from a backup, or move it away; then the user sets it up again.", Command: fmt.Sprintf("mv %s /root/", disk.Quote(d.Path))}
}

func (f *facts) readRecord(v *vault.Vault, user string, all *[]Finding) error {
	uid, known := f.people.lookup(user)
	if !known {
		return nil // nobody's any more: it lets nobody in
	}
	_, err := v.Get(user, uid)
	if errors.Is(err, vault.ErrNotEnrolled) {
		*all = append(*all, Finding{
			ID: "record-uid", Effect: LetsPast, Users: []string{user},
			What:    fmt.Sprintf("The record of %s was made when that name had another uid.", user),
			Outcome: "It does not count: with \"if-enrolled\" nobody asks for a code.",
			Mend:    Mend{Text: "If it is somebody else now, remove the old record.", Command: "sallyportctl disable --yes " + disk.Quote(user)},
		})
		return nil
	}
	f.enrolled[user] = true // a record that cannot be read is one still
	return err
}
