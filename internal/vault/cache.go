package vault

import (
	"errors"
	"slices"
	"sync"

	"sallyport/internal/disk"
)

// maxCached is how many records are kept in memory: some 2 MiB of them.
const maxCached = 1024

// cache keeps records that were read lately, with the stamp of the file that each was made of. The file is the truth: a
// record counts only while its file has that stamp, and still passes for a file that is root's alone. So whoever
// replaces, changes or loosens a file, by hand or by another program, is noticed at the next look.
//
// That secrets stay in memory gives nobody anything: the key that opens them is there as well, and who can look into
// root's memory can read root's files. The zero value is empty.
type cache struct {
	mu      sync.Mutex
	records map[string]cached
}

type cached struct {
	record *Record
	source
}

// find gives a copy of the user's record, made with these keys, if its file is as it was; or nil.
func (c *cache) find(user string, keys *Keyring, look func() (disk.Stamp, error)) *Record {
	c.mu.Lock()
	kept, ok := c.records[user]
	c.mu.Unlock()
	if !ok || kept.keys != keys {
		return nil
	}
	if stamp, err := look(); err != nil || stamp != kept.stamp {
		return nil // whoever reads the file is told what is wrong
	}
	return kept.record.clone()
}

// keep keeps a copy of a record that was just read. Where it is one too many, any other goes.
func (c *cache) keep(r *Record, from source) {
	if from.stamp == (disk.Stamp{}) {
		return
	}
	copied := r.clone()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.records == nil {
		c.records = map[string]cached{}
	}
	if _, known := c.records[r.User]; !known && len(c.records) >= maxCached {
		for other := range c.records {
			delete(c.records, other)
			break
		}
	}
	c.records[r.User] = cached{copied, from}
}

func (c *cache) drop(user string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.records, user)
}

// clone is a copy to change. What a token or a hash is made of is never changed in place.
func (r *Record) clone() *Record {
	c := *r
	c.Tokens, c.Recovery = slices.Clone(r.Tokens), slices.Clone(r.Recovery)
	if r.Pending != nil {
		pending := *r.Pending
		c.Pending = &pending
	}
	return &c
}

// stamp is the file's stamp, an error on a disk that has none.
func stamp(files disk.FS, path string) (disk.Stamp, error) {
	if stamper, ok := files.(disk.Stamper); ok {
		return stamper.Stamp(path)
	}
	return disk.Stamp{}, errors.ErrUnsupported
}

func readStamped(files disk.FS, path string) ([]byte, disk.Stamp, error) {
	if stamper, ok := files.(disk.Stamper); ok {
		return stamper.ReadStamped(path, maxRecord)
	}
	data, err := files.ReadFile(path, maxRecord)
	return data, disk.Stamp{}, err
}
