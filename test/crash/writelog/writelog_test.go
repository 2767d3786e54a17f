package writelog

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

// sector is the unit of the logs that are written here.
const sector = 512

// logOf writes a log with the count that its first sector is to name.
func logOf(t *testing.T, magic uint64, count int, sectors ...[]byte) string {
	t.Helper()
	super := binary.LittleEndian.AppendUint64(nil, magic)
	super = binary.LittleEndian.AppendUint64(super, version)
	super = binary.LittleEndian.AppendUint64(super, uint64(count))
	super = binary.LittleEndian.AppendUint32(super, sector)
	var all []byte
	for _, s := range append([][]byte{super}, sectors...) {
		all = append(all, s...)
		all = append(all, make([]byte, sector-len(s))...)
	}
	path := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(path, all, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func head(at, sectors, flags uint64) []byte {
	var b []byte
	for _, n := range []uint64{at, sectors, flags, 0} {
		b = binary.LittleEndian.AppendUint64(b, n)
	}
	return b
}

func TestRead(t *testing.T) {
	a, b := bytes.Repeat([]byte("a"), sector), bytes.Repeat([]byte("b"), sector)
	path := logOf(t, magic, 4, head(8, 2, 0), a, b, head(0, 0, flushFlag), head(16, 4, discardFlag), head(3, 1, 0), a,
		head(9, 1, 0), b) // this one is not counted yet
	want := []Entry{
		{Offset: 8 * sector, Data: append(bytes.Clone(a), b...)},
		{Flush: true},
		{Offset: 16 * sector},
		{Offset: 3 * sector, Data: a},
	}
	got, err := Read(path)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Read = %v, %v; want %v", got, err, want)
	}
	if n, err := Count(path); n != 4 || err != nil {
		t.Errorf("Count = %d, %v", n, err)
	}
}

// TestReadRefuses: an entry that this package would replay wrongly is an error.
func TestReadRefuses(t *testing.T) {
	for name, path := range map[string]string{
		"another magic":               logOf(t, magic+1, 0),
		"a write that FUA makes safe": logOf(t, magic, 1, head(0, 1, 2), nil),
		"a mark":                      logOf(t, magic, 1, head(0, 0, 8), nil),
		"a flush with data":           logOf(t, magic, 1, head(0, 1, flushFlag), nil),
		"less than is counted":        logOf(t, magic, 2, head(0, 0, flushFlag)),
		"less than is written":        logOf(t, magic, 1, head(0, 2, 0), nil),
	} {
		if got, err := Read(path); err == nil {
			t.Errorf("%s: Read = %v", name, got)
		}
	}
}
