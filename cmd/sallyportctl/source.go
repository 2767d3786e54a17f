package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"sallyport/internal/disk"
)

// stdinName is standard input, as the name of a file.
const stdinName = "-"

// sourceError says what is wrong with a file as a whole.
type sourceError struct {
	path string
	err  error
}

func (e sourceError) Error() string {
	name := fmt.Sprintf("%q", e.path)
	if e.path == stdinName {
		name = "Standard input"
	}
	return fmt.Sprintf("%s cannot be used: %v.", name, e.err)
}

func (e sourceError) Unwrap() error { return e.err }

// readFile reads a file with secrets in it. What others can read or change is not read; standard input is, for whoever
// has opened it has judged it.
func (a *app) readFile(path string, limit int) ([]byte, error) {
	data, err := a.openAndRead(path, limit)
	if err == nil && len(data) > limit {
		err = fmt.Errorf("it has more than %d bytes", limit)
	}
	if err != nil {
		return nil, sourceError{path, plainError(err)}
	}
	return data, nil
}

func (a *app) openAndRead(path string, limit int) ([]byte, error) {
	if path == stdinName {
		return io.ReadAll(io.LimitReader(a.lines, int64(limit)+1))
	}
	whole, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	f, err := disk.OpenTrusted(whole, disk.Secret)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, int64(limit)+1))
}

// plainError leaves out the path, which the sentence has.
func plainError(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
