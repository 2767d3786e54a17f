// Package disktest is a disk in memory that forgets what was not synced, fails on demand, and can lose its power at any
// step. It runs disk's own Replace, Move and Discard, so what a test finds here is true of the machine's disk too.
package disktest

import (
	"bytes"
	"errors"
	"io/fs"
	"iter"
	"maps"
	"path"
	"slices"
	"sync"
	"time"

	"sallyport/internal/disk"
)

// Op is one step of a disk. What changes the disk is counted (Steps) and can be where the power fails (StopAfter).
type Op string

const (
	Read     Op = "read"
	ReadDir  Op = "readdir"
	Mkdir    Op = "mkdir"
	Create   Op = "create"
	Write    Op = "write"
	SyncFile Op = "sync file"
	Rename   Op = "rename"
	Remove   Op = "remove"
	SyncDir  Op = "sync directory"
)

// ErrStopped is every step's answer from a power failure on, until Crash.
var ErrStopped = errors.New("simulated power failure")

// FS is the disk; the zero value is empty and usable. It is safe for concurrent use.
type FS struct {
	mu    sync.Mutex
	now   tree // what processes see
	kept  tree // what a power failure leaves
	fails map[Op]failure
	steps int
	left  int // steps until the power fails
	armed bool

	// Before, if any, is called before each changing step. Where it panics, the process that took the step has died there.
	Before func(Op)
	// Now, if any, is the kernel's clock, by which files have changed: see Stamped.
	Now func() time.Time
}

var _ disk.FS = (*FS)(nil)

// tree is the directories by path, each with its files by name. Like an inode, a file is shared by the trees and by those
// who have it open.
type tree map[string]map[string]*file

type file struct {
	now, kept []byte
	ino       uint64
	changed   time.Time
}

type failure struct {
	err  error
	once bool
}

// Crash is a power failure and the start after it: what was not synced is gone, names and content alike. The steps work again.
func (d *FS) Crash() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.now = d.kept.clone()
	d.restart()
}

// CrashTorn is a power failure after which every name is as processes last saw it, but content that was not synced is gone:
// what a file system leaves that writes directories before files.
func (d *FS) CrashTorn() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.kept = d.now.clone()
	d.restart()
}

func (d *FS) restart() {
	for _, names := range d.now {
		for name, f := range names {
			names[name] = &file{now: f.kept, kept: f.kept, ino: f.ino, changed: f.changed}
		}
	}
	d.kept = d.now.clone()
	d.fails, d.armed = nil, false
}

// FailNext makes the next step of the kind fail.
func (d *FS) FailNext(op Op, err error) { d.fail(op, failure{err, true}) }

// Fail makes every step of the kind fail from now on, as on a full (Create, Write) or read-only disk; nil ends it.
func (d *FS) Fail(op Op, err error) { d.fail(op, failure{err, false}) }

func (d *FS) fail(op Op, f failure) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fails == nil {
		d.fails = map[Op]failure{}
	}
	d.fails[op] = f
}

// StopAfter lets n more changing steps through; then the power fails.
func (d *FS) StopAfter(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.left, d.armed = n, true
}

// Steps is how many changing steps there were.
func (d *FS) Steps() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.steps
}

// Durable reports whether a power failure would leave the file as processes see it now, or its absence.
func (d *FS) Durable(name string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	now, kept := d.now[path.Dir(name)][path.Base(name)], d.kept[path.Dir(name)][path.Base(name)]
	return now == kept && (now == nil || bytes.Equal(now.now, now.kept))
}

// Put places a file as if it had been there for long, with its directories.
func (d *FS) Put(name string, data []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	dir, base := path.Split(name)
	dir = path.Clean(dir)
	f := d.newFile()
	f.now, f.kept = bytes.Clone(data), bytes.Clone(data)
	for _, t := range []*tree{&d.now, &d.kept} {
		t.mkdirAll(dir)
		(*t)[dir][base] = f
	}
}

// Files is the paths of all files, sorted, temporary ones too.
func (d *FS) Files() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []string
	for dir, names := range d.now {
		for name := range names {
			all = append(all, path.Join(dir, name))
		}
	}
	slices.Sort(all)
	return all
}

func (d *FS) ReadFile(name string, limit int64) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.step(Read, name); err != nil {
		return nil, err
	}
	f := d.now[path.Dir(name)][path.Base(name)]
	if f == nil {
		return nil, &fs.PathError{Op: string(Read), Path: name, Err: fs.ErrNotExist}
	}
	if int64(len(f.now)) > limit {
		return nil, &fs.PathError{Op: string(Read), Path: name, Err: disk.ErrTooLarge}
	}
	return bytes.Clone(f.now), nil
}

func (d *FS) WriteFile(name string, data []byte) error {
	dir, err := d.OpenDir(path.Dir(name))
	if err != nil {
		return err
	}
	return disk.Replace(dir, path.Base(name), data)
}

func (d *FS) Remove(name string) error {
	dir, err := d.OpenDir(path.Dir(name))
	if err != nil {
		return err
	}
	return disk.Discard(dir, path.Base(name))
}

func (d *FS) Rename(from, to string) error {
	source, err := d.OpenDir(path.Dir(from))
	if err != nil {
		return err
	}
	target, err := d.OpenDir(path.Dir(to))
	if err != nil {
		return err
	}
	return disk.Move(source, path.Base(from), target, path.Base(to))
}

func (d *FS) ReadDir(name string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		d.mu.Lock()
		names, err := d.now[name], d.step(ReadDir, name)
		if err == nil && names == nil {
			err = &fs.PathError{Op: string(ReadDir), Path: name, Err: fs.ErrNotExist}
		}
		sorted := slices.Sorted(maps.Keys(names))
		d.mu.Unlock()
		if err != nil {
			yield("", err)
			return
		}
		for _, name := range sorted {
			if !yield(name, nil) {
				return
			}
		}
	}
}

func (d *FS) MkdirAll(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.now[name] != nil {
		return nil
	}
	if err := d.step(Mkdir, name); err != nil {
		return err
	}
	d.now.mkdirAll(name)
	d.kept.mkdirAll(name) // disk.OS syncs each parent before it goes on
	return nil
}

// OpenDir gives the steps themselves, for a test of what is made of them.
func (d *FS) OpenDir(name string) (disk.Dir, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.now[name] == nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &dir{d, name}, nil
}

// step says whether the step may happen. The caller holds mu.
func (d *FS) step(op Op, name string) error {
	if d.armed && d.left == 0 {
		return &fs.PathError{Op: string(op), Path: name, Err: ErrStopped}
	}
	if f := d.fails[op]; f.err != nil {
		if f.once {
			delete(d.fails, op)
		}
		return &fs.PathError{Op: string(op), Path: name, Err: f.err}
	}
	if op == Read || op == ReadDir {
		return nil
	}
	if d.Before != nil {
		d.Before(op)
	}
	d.steps++
	if d.armed {
		d.left--
	}
	return nil
}

func (t *tree) mkdirAll(name string) {
	if *t == nil {
		*t = tree{}
	}
	for ; (*t)[name] == nil; name = path.Dir(name) {
		(*t)[name] = map[string]*file{}
	}
}

func (t tree) clone() tree {
	c := tree{}
	for dir, names := range t {
		c[dir] = maps.Clone(names)
	}
	return c
}
