package rollout

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"sallyport/internal/disk"
	"sallyport/internal/sshdconfig"
)

// Options say how a change is made.
type Options struct {
	ConfirmWithin time.Duration // it undoes itself after that, unless it is confirmed; 0: it stays
	NoReload      bool          // leave sshd as it runs
}

// ErrOther says that an earlier change is still kept, and the files are not as it left them.
var ErrOther = errors.New("an earlier setup was changed since")

// Apply makes the changes, all of them or none. What sshd does not take is taken back at once. The error ErrNotRunning
// comes with a change that is in place.
func (s Setup) Apply(ctx context.Context, changes []Change, o Options) (*Saved, error) {
	unlock, err := s.lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	before, err := s.Saved()
	if err != nil {
		return nil, err
	}
	if before != nil {
		return nil, ErrOther
	}
	if err := unchanged(changes); err != nil {
		return nil, err
	}
	v := &Saved{ID: rand.Text(), Applied: s.Now.UTC().Truncate(time.Second), Confirmed: o.ConfirmWithin == 0}
	if o.ConfirmWithin > 0 {
		by := v.Applied.Add(o.ConfirmWithin)
		v.ConfirmBy = &by
	}
	if err := s.save(v, changes); err != nil {
		return nil, err
	}
	if o.ConfirmWithin > 0 {
		err = s.arm(ctx, v.ID, o.ConfirmWithin) // before anything is changed
	}
	if err == nil {
		err = s.write(ctx, changes)
	}
	var notRunning error
	if err == nil && !o.NoReload {
		if err = s.reload(ctx); errors.Is(err, ErrNotRunning) {
			notRunning, err = err, nil
		}
	}
	if err == nil {
		v.Boot, v.Since, err = bootTime()
	}
	if err == nil {
		err = s.store(v)
	}
	if err != nil {
		return nil, errors.Join(err, s.restore(v), s.forget(v))
	}
	return v, notRunning
}

// unchanged makes sure that the files are still as the plan found them.
func unchanged(changes []Change) error {
	for _, c := range changes {
		now, err := os.ReadFile(c.Path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if !bytes.Equal(now, c.Before) || (err == nil) != c.Existed {
			return fmt.Errorf("%s was changed just now", c.Path)
		}
	}
	return nil
}

// write puts the new files in place, and asks sshd about them.
func (s Setup) write(ctx context.Context, changes []Change) error {
	for _, c := range changes {
		if err := replace(c.Path, c.After, c.Mode, c.UID, c.GID); err != nil {
			return err
		}
	}
	if s.Target != SSH {
		return nil
	}
	if s.live() {
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil { // without it sshd takes nothing
			return err
		}
	}
	err := sshdconfig.Check(ctx, s.prefix())
	if errors.Is(err, sshdconfig.ErrNotStarted) && !s.live() {
		return nil // this host's sshd cannot say; that of the tree's host will
	}
	if err != nil {
		return fmt.Errorf("sshd does not take it: %w", err)
	}
	return nil
}

// ChangedError says that files are not as the setup left them.
type ChangedError struct{ Paths []string }

func (e *ChangedError) Error() string {
	return fmt.Sprintf("changed by somebody else since: %q", e.Paths)
}

// Revert puts the files back as they were, byte for byte. Where one was changed since, it does nothing and returns a
// *ChangedError, unless force: then that file is kept beside the originals, and the paths of the copies are returned.
func (s Setup) Revert(ctx context.Context, force, noReload bool) (copies []string, err error) {
	unlock, err := s.lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	v, err := s.Saved()
	if err != nil {
		return nil, err
	}
	if v == nil {
		return nil, ErrNothing
	}
	return s.revert(ctx, v, force, noReload)
}

// ErrNothing says that there is no change of ours.
var ErrNothing = errors.New("nothing was set up")

func (s Setup) revert(ctx context.Context, v *Saved, force, noReload bool) (copies []string, err error) {
	changed, err := v.changed()
	if err != nil {
		return nil, err
	}
	if len(changed) > 0 && !force {
		return nil, &ChangedError{changed}
	}
	for _, path := range changed {
		data, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		to := filepath.Join(s.dir(), filepath.Base(path)+".replaced-"+v.ID)
		if err == nil {
			err = new(disk.OS).WriteFile(to, data)
		}
		if err != nil {
			return copies, err
		}
		copies = append(copies, to)
	}
	if err := s.restore(v); err != nil {
		return copies, err
	}
	if err := s.forget(v); err != nil {
		return copies, err
	}
	if noReload {
		return copies, nil
	}
	return copies, s.reload(ctx)
}

// changed lists the files that are neither as they were nor as they were made.
func (v *Saved) changed() ([]string, error) {
	var paths []string
	for _, k := range v.Files {
		data, err := os.ReadFile(k.Path)
		missing := errors.Is(err, fs.ErrNotExist)
		if err != nil && !missing {
			return nil, err
		}
		before := missing && !k.Existed || !missing && k.Existed && sum(data) == k.Before
		if !before && (missing || sum(data) != k.After) {
			paths = append(paths, k.Path)
		}
	}
	return paths, nil
}

// restore puts all files back.
func (s Setup) restore(v *Saved) error {
	var all error
	for i, k := range v.Files {
		all = errors.Join(all, s.restoreFile(k, i))
	}
	return all
}

func (s Setup) restoreFile(k kept, i int) error {
	if !k.Existed {
		if err := os.Remove(k.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	data, err := new(disk.OS).ReadFile(s.originalPath(i), maxSaved)
	if err != nil {
		return err
	}
	if sum(data) != k.Before {
		return fmt.Errorf("%s is damaged: it is not what %s was", s.originalPath(i), k.Path)
	}
	return replace(k.Path, data, k.Mode, k.UID, k.GID)
}
