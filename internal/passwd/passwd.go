// Package passwd lists the accounts of the host's user database, whatever NSS makes it of.
package passwd

/*
#include <pwd.h>
*/
import "C"

import (
	"errors"
	"fmt"
	"iter"
	"path"
	"slices"
	"sync"

	"golang.org/x/sys/unix"
)

// Account is an entry of the user database (passwd(5)).
type Account struct {
	Name  string
	UID   uint32
	Shell string // empty: /bin/sh
}

// Database is the host's. A process makes one: the C library keeps its place in the list for the whole process.
type Database struct{ mu sync.Mutex }

// Accounts streams all accounts (getpwent(3)), in no order; a name may come twice. An error ends it. What takes them must not
// be slow, for meanwhile nobody else gets any.
func (d *Database) Accounts() iter.Seq2[Account, error] {
	return func(yield func(Account, error) bool) {
		d.mu.Lock()
		defer d.mu.Unlock()
		C.setpwent()
		defer C.endpwent()
		for {
			entry, err := C.getpwent()
			if entry == nil {
				if failure(err) {
					yield(Account{}, fmt.Errorf("listing the host's users: %w", err))
				}
				return
			}
			if !yield(Account{C.GoString(entry.pw_name), uint32(entry.pw_uid), C.GoString(entry.pw_shell)}, nil) {
				return
			}
		}
	}
}

// failure tells what getpwent(3) names as errors from what a lookup leaves behind in errno at the end of the list.
func failure(err error) bool {
	return slices.ContainsFunc([]error{unix.EINTR, unix.EIO, unix.EMFILE, unix.ENFILE, unix.ENOMEM, unix.ERANGE},
		func(e error) bool { return errors.Is(err, e) })
}

// firstPerson is the first uid of people (UID_MIN, login.defs(5)).
const firstPerson = 1000

// IsPerson reports whether an account is somebody's who can log in: root's, or one outside the system's range, with a
// shell that lets in.
func (a Account) IsPerson() bool {
	if a.UID != 0 && a.UID < firstPerson {
		return false
	}
	shell := path.Base(a.Shell)
	return shell != "nologin" && shell != "false"
}
