package server

import "testing"

func TestBudget(t *testing.T) {
	b := budget{root: 2, users: 3, perUser: 2}
	take := func(uid uint32, want bool) {
		t.Helper()
		if got := b.take(uid); got != want {
			t.Errorf("take(%d) = %v, want %v with %v open", uid, got, want, b.open)
		}
	}
	take(1, true)
	take(1, true)
	take(1, false) // its own share
	take(2, true)
	take(3, false) // all users' share
	take(0, true)  // which is not root's
	take(0, true)
	take(0, false)
	b.give(1)
	take(3, true)
	b.give(0)
	take(0, true)
	for _, uid := range []uint32{0, 0, 1, 2, 3} {
		b.give(uid)
	}
	if len(b.open) != 0 || b.openUsers != 0 {
		t.Errorf("after all are closed %v and %d are open", b.open, b.openUsers)
	}
}
