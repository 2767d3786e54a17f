package vault

import (
	"errors"
	"fmt"

	"sallyport/internal/disk"
)

// ErrNotEnrolled says that the user has no record, or that the record is of another uid: the name was given to
// somebody else since.
var ErrNotEnrolled = errors.New("not enrolled in two-factor login")

// DamagedError says that a file cannot be what Sallyport wrote. Nothing on disk was changed.
type DamagedError struct {
	Path    string
	Problem string // without a secret
	Mend    string
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("%q is damaged: %s; %s", e.Path, e.Problem, e.Mend)
}

func damagedRecord(path, user, problem string) *DamagedError {
	return &DamagedError{path, problem, fmt.Sprintf("restore it from a backup, or let %q set up again: rm %s", user, disk.Quote(path))}
}

// KeyMissingError is a DamagedError too: the record is sealed with a key that the keyring does not have.
type KeyMissingError struct {
	DamagedError
	KeyID string
	Keys  error // why keys could not be loaded, or nil
}

func (e *KeyMissingError) Error() string {
	text := fmt.Sprintf("%q cannot be opened: %s; %s", e.Path, e.Problem, e.Mend)
	if e.Keys != nil {
		text += fmt.Sprintf(" (%v)", e.Keys)
	}
	return text
}

func (e *KeyMissingError) Unwrap() []error {
	if e.Keys == nil {
		return []error{&e.DamagedError}
	}
	return []error{&e.DamagedError, e.Keys}
}
