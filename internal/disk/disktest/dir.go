package disktest

import (
	"bytes"
	"io/fs"
	"maps"
	"path"

	"sallyport/internal/disk"
)

// dir is one open directory of an FS.
type dir struct {
	fs   *FS
	path string
}

func (d *dir) Create(name string) (disk.File, error) {
	d.fs.mu.Lock()
	defer d.fs.mu.Unlock()
	full := path.Join(d.path, name)
	if err := d.fs.step(Create, full); err != nil {
		return nil, err
	}
	names := d.fs.now[d.path]
	if names[name] != nil {
		return nil, &fs.PathError{Op: string(Create), Path: full, Err: fs.ErrExist}
	}
	names[name] = d.fs.newFile()
	return &openFile{d.fs, full, names[name]}, nil
}

func (d *dir) Rename(name string, to disk.Dir, newName string) error {
	d.fs.mu.Lock()
	defer d.fs.mu.Unlock()
	full := path.Join(d.path, name)
	if err := d.fs.step(Rename, full); err != nil {
		return err
	}
	source, target := d.fs.now[d.path], d.fs.now[to.(*dir).path]
	if source[name] == nil {
		return &fs.PathError{Op: string(Rename), Path: full, Err: fs.ErrNotExist}
	}
	f := source[name]
	delete(source, name)
	target[newName] = f
	d.fs.touch(f)
	return nil
}

func (d *dir) Remove(name string) error {
	d.fs.mu.Lock()
	defer d.fs.mu.Unlock()
	full := path.Join(d.path, name)
	if err := d.fs.step(Remove, full); err != nil {
		return err
	}
	names := d.fs.now[d.path]
	if names[name] == nil {
		return &fs.PathError{Op: string(Remove), Path: full, Err: fs.ErrNotExist}
	}
	delete(names, name)
	return nil
}

func (d *dir) Sync() error {
	d.fs.mu.Lock()
	defer d.fs.mu.Unlock()
	if err := d.fs.step(SyncDir, d.path); err != nil {
		return err
	}
	d.fs.kept.mkdirAll(d.path)
	d.fs.kept[d.path] = maps.Clone(d.fs.now[d.path])
	return nil
}

func (d *dir) Close() error { return nil }

// openFile is one file being written.
type openFile struct {
	fs   *FS
	path string
	file *file
}

// Write of a full disk keeps the first half, as a real one may.
func (f *openFile) Write(data []byte) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	n, err := len(data), f.fs.step(Write, f.path)
	if err != nil {
		n /= 2
	}
	f.file.now = append(f.file.now, data[:n]...)
	f.fs.touch(f.file)
	return n, err
}

func (f *openFile) Sync() error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.fs.step(SyncFile, f.path); err != nil {
		return err
	}
	f.file.kept = bytes.Clone(f.file.now)
	return nil
}

func (f *openFile) Close() error { return nil }
