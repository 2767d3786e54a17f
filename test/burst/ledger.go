package burst

import (
	"testing"
	"time"

	"sallyport/internal/disk"
	"sallyport/internal/ledger"
)

// BeginLedger gives a tree that has none a ledger that began an hour ago, so that nothing is in quarantine. The daemon must
// not run.
func BeginLedger(t *testing.T, root disk.Root) {
	t.Helper()
	l, err := ledger.Open(ledger.Options{Root: root, FS: new(disk.OS), Now: time.Now().Add(-time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}
