package audit

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// messages are what a log has kept, and forgets.
func (k *kept) messages() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	var all []string
	for _, e := range k.events {
		all = append(all, e.Message())
	}
	k.events = nil
	return all
}

func refusedCall(uid uint32) Event { return Event{Kind: AccessRefused, UID: uid, Asker: uid} }

// TestModerated: of what one user asks for in a minute so much is recorded, and the rest is counted.
func TestModerated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next := new(kept)
		m := Moderate(next)
		for range 1000 {
			m.Record(refusedCall(1000))
			m.Record(Event{Kind: EnrollmentStarted, User: "mallory", Asker: 1000})
		}
		m.Record(refusedCall(1001))
		if got := len(next.messages()); got != mostOfOne+1 {
			t.Errorf("%d events were recorded at once, want %d of one user and the other's", got, mostOfOne)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		want := fmt.Sprintf("a user asked too often: more %d (uid 1000; request refused: 985, set-up begun: 985)", 2000-mostOfOne)
		if got := fmt.Sprint(next.messages()); got != "["+want+"]" {
			t.Errorf("after the minute: %s\nwant [%s]", got, want)
		}
		m.Record(refusedCall(1000))
		if got := len(next.messages()); got != 1 {
			t.Errorf("%d events were recorded of the next minute, want 1", got)
		}
		m.Flush()
		if got := next.messages(); len(got) != 0 {
			t.Errorf("nothing was counted, and %q is recorded", got)
		}
	})
}

// TestModeratedSparesOthers: what root, logins and people with a right code cause is recorded, whatever users do.
func TestModeratedSparesOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next := new(kept)
		m := Moderate(next)
		for uid := uint32(1000); uid < 3000; uid++ {
			for range mostOfOne {
				m.Record(refusedCall(uid))
			}
		}
		if got := len(next.messages()); got != mostOfAll {
			t.Errorf("%d events of 2,000 users were recorded at once, want %d", got, mostOfAll)
		}
		for range 10 * mostOfAll {
			m.Record(Event{Kind: LoginAccepted, User: "alice"})
			m.Record(Event{Kind: AccessRefused}) // root's
		}
		m.Record(Event{Kind: Removed, User: "mallory", Asker: 1000})
		m.Record(Event{Kind: LoginAccepted, User: "bob", Asker: 4000})
		if got := len(next.messages()); got != 20*mostOfAll+2 {
			t.Errorf("%d events of others were recorded, want %d", got, 20*mostOfAll+2)
		}
		m.Flush()
		want := fmt.Sprintf("[a user asked too often: more %d (other users; request refused: %[1]d)]", 2000*mostOfOne-mostOfAll)
		if got := fmt.Sprint(next.messages()); got != want {
			t.Errorf("then %s is recorded\nwant %s", got, want)
		}
	})
}

// TestModeratedProven: nobody floods with what takes a right code, either, and it is counted by itself.
func TestModeratedProven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next := new(kept)
		m := Moderate(next)
		for range 2 * mostOfOne {
			m.Record(Event{Kind: Enrolled, User: "mallory", Asker: 1000})
			m.Record(Event{Kind: Forgotten, User: "mallory", Asker: 1000})
		}
		if got := len(next.messages()); got != 2*mostOfOne {
			t.Errorf("%d events were recorded at once, want %d of each sort", got, mostOfOne)
		}
		m.Flush()
		if got := next.messages(); len(got) != 2 {
			t.Errorf("the counts are %q, want two", got)
		}
	})
}
