package ledger

import (
	"fmt"
	"testing"

	"sallyport/internal/disk"
)

// BenchmarkStep is one step of a login that is verified while the daemon is away.
func BenchmarkStep(b *testing.B) {
	for _, users := range []int{10, 1000, 20000} {
		b.Run(fmt.Sprint(users), func(b *testing.B) {
			root := newRoot(b)
			l := mustOpen(b, root, start, new(disk.OS))
			fill(b, l, users)
			if err := l.Close(); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				l, err := Open(Options{Root: root, FS: new(disk.OS), Now: start})
				if err != nil {
					b.Fatal(err)
				}
				mustPut(b, l, "user3", mustGet(b, l, "user3"))
				if err := l.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkHeld is one step of a login that the daemon verifies.
func BenchmarkHeld(b *testing.B) {
	l := mustOpen(b, newRoot(b), start, new(disk.OS))
	fill(b, l, 20000)
	for i := 0; b.Loop(); i++ {
		user := fmt.Sprint("user", i%20000)
		mustPut(b, l, user, mustGet(b, l, user))
	}
}

func fill(b *testing.B, l *Ledger, users int) {
	b.Helper()
	a := used(1000, 1001, 1005, 1010, 1020, 1030, 1040, 1050, 1060, 1070, 1080, 1090, 1100, 1110, 1120, 1130)
	a.Accept("sshd", "10.0.0.5", start)
	a.Accept("sudo", "local", start)
	a.Fail("10.2.3.4", start, limits)
	for i := range users {
		mustPut(b, l, fmt.Sprint("user", i), a)
	}
}
