package ledger

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
)

// What bbolt's own check cannot do is to survive what it checks: it follows page numbers wherever they lead, in
// goroutines of its own, and a page that leads to itself, or to where the file has no page any more, ends the process.
// So the file is looked at here first, from the two meta pages down to each value's checksum. The layout is that of bbolt's
// internal/common: page.go, meta.go, inode.go, bucket.go; numbers are in the machine's own order.
const (
	pageHeader    = 16 // id uint64, flags, count uint16, overflow uint32
	elementSize   = 16 // branch: pos, ksize uint32, pgid uint64; leaf: flags, pos, ksize, vsize uint32; pos is from here
	bucketHeader  = 16 // root pgid uint64 (0: the bucket's only page follows), sequence uint64
	metaSize      = 64 // magic, version, page size, flags uint32, root bucket, freelist, pgid, txid, checksum uint64
	boltMagic     = 0xED0CDAED
	boltVersion   = 2
	branchPage    = 0x01
	leafPage      = 0x02
	metaPage      = 0x04
	freelistPage  = 0x10
	bucketElement = 0x01
)

var native = binary.NativeEndian

// checker walks a file in memory. A slice expression that is out of range means damage; shielded turns it into an error.
type checker struct {
	data  []byte
	size  int    // of a page
	end   uint64 // pages in use; what is behind them does not count
	seen  []bool // by page
	prev  []byte // the key before, in the tree's order
	least []byte // by the branch above: the next key is not below
}

// page is a page with those that it overflows into.
type page struct {
	flags uint16
	count int
	body  []byte // with the header
}

// check returns the head of a ledger file, or what is wrong with the file.
func check(data []byte) (head, error) {
	c := &checker{data: data, size: os.Getpagesize()}
	var h head
	if len(data) < 4*c.size {
		return h, errors.New("it is too short")
	}
	meta, err := c.meta()
	if err != nil {
		return h, err
	}
	c.end = native.Uint64(meta[40:])
	if c.end > uint64(len(data)/c.size) {
		return h, fmt.Errorf("it has %d pages instead of %d", len(data)/c.size, c.end)
	}
	c.seen = make([]bool, c.end)
	found := map[string]int{}
	err = c.tree(native.Uint64(meta[16:]), func(flags uint32, name, value []byte) error {
		if flags != bucketElement || !isBucket(name) {
			return errors.New("it is another program's")
		}
		n, err := c.bucket(value, func(key, content []byte) error {
			if string(name) == string(headBucket) {
				return json.Unmarshal(content, &h) // of any format
			}
			return nil
		})
		found[string(name)] = n
		return err
	})
	_, hasAccounts := found[string(accountsBucket)]
	switch {
	case err != nil:
		return h, err
	case found[string(headBucket)] != 1 || !hasAccounts:
		return h, errors.New("it is another program's")
	case h.Format != format && h.Format != formatJSON:
		return h, fmt.Errorf("it has format %d instead of %d", h.Format, format)
	}
	return h, c.freelist(native.Uint64(meta[32:]))
}

// meta returns the newer of the two meta pages. Both must be right: bbolt would go back to the older one, and with it to
// where the last code was not used yet.
func (c *checker) meta() ([]byte, error) {
	var newest []byte
	var txids [2]uint64
	for i := range 2 {
		p := c.data[i*c.size:]
		m := p[pageHeader:][:metaSize]
		h := fnv.New64a()
		_, _ = h.Write(m[:56])
		switch {
		case native.Uint16(p[8:]) != metaPage, native.Uint32(m) != boltMagic, native.Uint32(m[4:]) != boltVersion:
			return nil, errors.New("it is not a bbolt file")
		case native.Uint32(m[8:]) != uint32(c.size):
			return nil, fmt.Errorf("it has pages of %d bytes instead of %d", native.Uint32(m[8:]), c.size)
		case native.Uint64(m[56:]) != h.Sum64(), native.Uint64(p) != uint64(i), native.Uint64(m[48:])%2 != uint64(i):
			return nil, fmt.Errorf("meta page %d is damaged", i)
		}
		if txids[i] = native.Uint64(m[48:]); txids[i] >= txids[0] {
			newest = m
		}
	}
	if txids[0] != txids[1]+1 && txids[1] != txids[0]+1 {
		return nil, errors.New("the meta pages are not of consecutive changes")
	}
	return newest, nil
}

// claim returns a page that nothing else has claimed.
func (c *checker) claim(id uint64) (page, error) {
	if id < 2 || id >= c.end {
		return page{}, fmt.Errorf("there is no page %d", id)
	}
	p := c.data[id*uint64(c.size):]
	last := id + uint64(native.Uint32(p[12:]))
	if native.Uint64(p) != id || last >= c.end {
		return page{}, fmt.Errorf("page %d is damaged", id)
	}
	for i := id; i <= last; i++ {
		if c.seen[i] {
			return page{}, fmt.Errorf("page %d is used twice", i)
		}
		c.seen[i] = true
	}
	size := (last - id + 1) * uint64(c.size)
	return newPage(p[:size:size]), nil
}

func newPage(body []byte) page {
	return page{native.Uint16(body[8:]), int(native.Uint16(body[10:])), body}
}

// tree calls leaf for each element of a B+ tree, and checks that bbolt would find them all by their keys.
func (c *checker) tree(id uint64, leaf func(flags uint32, key, value []byte) error) error {
	p, err := c.claim(id)
	if err != nil {
		return err
	}
	return c.elements(p, leaf)
}

func (c *checker) elements(p page, leaf func(flags uint32, key, value []byte) error) error {
	if p.flags != leafPage && (p.flags != branchPage || p.count == 0) {
		return fmt.Errorf("a page has type %#x and %d elements", p.flags, p.count)
	}
	for i := range p.count {
		e := p.body[pageHeader+i*elementSize:]
		if p.flags == branchPage {
			key := span(e, native.Uint32(e), native.Uint32(e[4:]))
			if !c.inOrder(key) {
				return fmt.Errorf("the key %q is out of order", key)
			}
			c.least = key
			if err := c.tree(native.Uint64(e[8:]), leaf); err != nil {
				return err
			}
			continue
		}
		pos, ksize, vsize := native.Uint32(e[4:]), native.Uint32(e[8:]), native.Uint32(e[12:])
		key, value := span(e, pos, ksize), span(e[ksize:], pos, vsize)
		if !c.inOrder(key) {
			return fmt.Errorf("the key %q is out of order", key)
		}
		c.prev, c.least = key, nil
		if err := leaf(native.Uint32(e), key, value); err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) inOrder(key []byte) bool {
	return bytes.Compare(key, c.prev) > 0 && bytes.Compare(key, c.least) >= 0 // no key is empty
}

func span(e []byte, pos, size uint32) []byte {
	return e[uint64(pos):][:uint64(size):uint64(size)]
}

// bucket checks the values of a bucket and their sum, and returns how many there are.
func (c *checker) bucket(value []byte, fn func(key, content []byte) error) (n int, err error) {
	inner := &checker{data: c.data, size: c.size, end: c.end, seen: c.seen}
	var total uint64
	leaf := func(flags uint32, key, value []byte) error {
		if flags != 0 {
			return errors.New("it is another program's")
		}
		content, err := unseal(key, value)
		if err != nil {
			return err
		}
		n, total = n+1, total+share(value)
		return fn(key, content)
	}
	if root := native.Uint64(value); root != 0 {
		err = inner.tree(root, leaf)
	} else {
		err = inner.elements(newPage(value[bucketHeader:]), leaf)
	}
	if err == nil && total != native.Uint64(value[8:]) {
		err = errors.New("an entry is missing")
	}
	return n, err
}

// freelist checks that no page that is in use passes for free: the next write would go there.
func (c *checker) freelist(id uint64) error {
	p, err := c.claim(id)
	if err != nil {
		return err
	}
	ids, n := p.body[pageHeader:], uint64(p.count)
	if n == 0xFFFF { // then the number is the first of the list
		n, ids = native.Uint64(ids), ids[8:]
	}
	if p.flags != freelistPage || n > uint64(len(ids)/8) {
		return errors.New("the list of free pages is damaged")
	}
	last := uint64(1)
	for i := range n {
		free := native.Uint64(ids[8*i:])
		if free <= last || free >= c.end || c.seen[free] {
			return fmt.Errorf("page %d is not free", free)
		}
		c.seen[free], last = true, free
	}
	return nil
}
