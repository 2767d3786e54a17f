// Package writelog reads what QEMU's blklogwrites driver has recorded of a disk: each write and each flush, in the
// order in which they ended. The format is that of Linux's dm-log-writes (log-writes.rst in the kernel's documentation).
package writelog

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
)

const (
	magic   = 0x6a736677736872
	version = 1

	flushFlag   = 1
	discardFlag = 4

	superSize = 28 // magic, version, entries uint64, sector size uint32
	entrySize = 32 // sector, sectors, flags, length of a mark uint64
)

// Entry is a write or a flush.
type Entry struct {
	Flush  bool
	Offset int64 // in bytes
	Data   []byte
}

// Count is how many entries a log has by now. It may be written meanwhile, with log-super-update-interval=1.
func Count(path string) (int, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	count, _, err := readSuper(f)
	return count, err
}

// Read reads a log to its end. A discard is passed over: what was there before may still be read.
func Read(path string) ([]Entry, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	count, sector, err := readSuper(f)
	if err != nil {
		return nil, err
	}
	var entries []Entry
	at := sector
	for i := range count {
		e, next, err := readEntry(f, at, sector)
		if err != nil {
			return nil, fmt.Errorf("%s: entry %d: %w", path, i, err)
		}
		entries, at = append(entries, e), next
	}
	return entries, nil
}

func readSuper(f *os.File) (count int, sector int64, err error) {
	var super [superSize]byte
	if _, err := f.ReadAt(super[:], 0); err != nil {
		return 0, 0, fmt.Errorf("%s: %w", f.Name(), err)
	}
	le := binary.LittleEndian
	if le.Uint64(super[:]) != magic || le.Uint64(super[8:]) != version {
		return 0, 0, fmt.Errorf("%s: not a log of writes, version %d", f.Name(), version)
	}
	return int(le.Uint64(super[16:])), int64(le.Uint32(super[24:])), nil
}

// readEntry reads the entry at an offset, and returns where the next one is. Its head takes a sector of its own.
func readEntry(f io.ReaderAt, at, sector int64) (e Entry, next int64, err error) {
	var head [entrySize]byte
	if _, err := f.ReadAt(head[:], at); err != nil {
		return e, 0, err
	}
	le := binary.LittleEndian
	size := int64(le.Uint64(head[8:])) * sector
	next = at + sector
	e.Offset = int64(le.Uint64(head[:])) * sector
	switch flags := le.Uint64(head[16:]); {
	case flags == discardFlag:
	case flags == flushFlag && size == 0:
		e.Flush = true
	case flags == 0:
		e.Data = make([]byte, size)
		_, err = f.ReadAt(e.Data, next)
		next += size
	default:
		err = fmt.Errorf("flags %#x with %d bytes: must be a write, a flush or a discard", flags, size)
	}
	return e, next, err
}
