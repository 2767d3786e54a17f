package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"

	"filippo.io/age"

	admin "sallyport/internal/api/iosallyportadmin"
)

// A backup of the vault is an age file (age-encryption.org/v1) with JSON inside, one value to a line: first the head, then an
// account in each. It does not depend on the host's vault key. age knows where it ends, so a file that was cut off is
// told from a whole one.

// archiveHead is the first line.
type archiveHead struct {
	Format  string `json:"format"`
	Version int    `json:"version"`
	Host    string `json:"host"`
	Created string `json:"created"` // RFC 3339
}

const (
	archiveFormat  = "sallyport-backup"
	archiveVersion = 1
	maxArchiveLine = 64 << 10 // what the daemon takes in one message
)

// archiveWriter writes accounts. What was written counts once close has returned nil.
type archiveWriter struct {
	sealed io.WriteCloser
	lines  *bufio.Writer
}

func newArchive(w io.Writer, head archiveHead, to ...age.Recipient) (*archiveWriter, error) {
	sealed, err := age.Encrypt(w, to...)
	if err != nil {
		return nil, err
	}
	a := &archiveWriter{sealed, bufio.NewWriter(sealed)}
	head.Format, head.Version = archiveFormat, archiveVersion
	return a, a.line(head)
}

func (a *archiveWriter) line(v any) error { return json.NewEncoder(a.lines).Encode(v) }

func (a *archiveWriter) close() error {
	if err := a.lines.Flush(); err != nil {
		return err
	}
	return a.sealed.Close()
}

// errArchiveKey says that what was given does not open the archive.
var errArchiveKey = errors.New("it does not open: the passphrase is wrong, or it is for a recipient, whose key --identity names")

// readArchive opens an archive, and returns its accounts. An error ends them.
func readArchive(r io.Reader, with age.Identity) (iter.Seq2[admin.Portable, error], error) {
	var head archiveHead
	plain, err := age.Decrypt(r, with)
	var other *age.NoIdentityMatchError
	if errors.As(err, &other) {
		return nil, errArchiveKey
	}
	if err != nil {
		return nil, errors.New("it is not a backup that sallyportctl vault backup has made")
	}
	lines := bufio.NewScanner(plain)
	lines.Buffer(nil, maxArchiveLine)
	if err := nextLine(lines, &head); err != nil {
		return nil, fmt.Errorf("its head is damaged: %w", err)
	}
	if head.Format != archiveFormat || head.Version != archiveVersion {
		return nil, fmt.Errorf("it has the format %q and version %d: must be %q and %d", head.Format, head.Version, archiveFormat, archiveVersion)
	}
	return func(yield func(admin.Portable, error) bool) {
		for n := 1; ; n++ {
			var p admin.Portable
			err := nextLine(lines, &p)
			if err == io.EOF {
				return
			}
			if err != nil {
				err = fmt.Errorf("user number %d: it is damaged or cut off: %w", n, err)
			}
			if !yield(p, err) || err != nil {
				return
			}
		}
	}, nil
}

// nextLine reads a line strictly; io.EOF says that there is none. Its errors have nothing of the line in them.
func nextLine(lines *bufio.Scanner, v any) error {
	if !lines.Scan() {
		if err := lines.Err(); err != nil {
			return err
		}
		return io.EOF
	}
	d := json.NewDecoder(bytes.NewReader(lines.Bytes()))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return errors.New("it is not the JSON that belongs there")
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("something follows the JSON")
	}
	return nil
}
