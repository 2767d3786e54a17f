package verifier

import (
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	recentFor  = 2 * time.Second
	lookEvery  = 20 * time.Millisecond // a look takes three system calls, as long as a tenth of a login
	recentMost = 4096                  // answers of each kind
	// settles is by how much a file must be older than the look at it: two changes within one tick of the kernel's clock
	// (at most 10 ms) leave the same times.
	settles = 50 * time.Millisecond
)

// Recent keeps what another Directory has answered in the last two seconds: a panel's calls and the steps of one login ask the
// same again and again, and each answer costs more than all else in a login. A change of the local files is seen within 20 ms.
// That of a directory service may be seen two seconds late, which is less than nscd and sssd take. Only answers are
// kept: whoever was unknown, or could not be looked up, is looked up anew.
type Recent struct {
	from   Directory
	files  []string
	kernel Kernel

	mu     sync.Mutex
	looked time.Time   // when the files were looked at last
	stamps []fileStamp // of files, when the answers were given
	uids   answers[string, uint32]
	groups answers[string, []string]
	names  answers[uint32, string]
}

// Kernel is what it asks of the kernel: the time, with the monotonic clock, and the state of a file (stat(2)).
type Kernel struct {
	Now  func() time.Time
	Stat func(path string, st *unix.Stat_t) error
}

// NewRecent keeps the answers of the host's user database.
func NewRecent() *Recent {
	return RecentOf(NSS{}, Kernel{time.Now, unix.Stat}, "/etc/passwd", "/etc/group", "/etc/nsswitch.conf")
}

// RecentOf keeps the answers of another one, which is made of these files.
func RecentOf(from Directory, k Kernel, files ...string) *Recent {
	return &Recent{from: from, files: files, kernel: k}
}

// Lookup is Directory's.
func (r *Recent) Lookup(user string) (uint32, error) {
	return ask(r, &r.uids, user, r.from.Lookup)
}

// Groups is Directory's. The list is not the caller's to change.
func (r *Recent) Groups(user string) ([]string, error) {
	return ask(r, &r.groups, user, r.from.Groups)
}

// Name is Directory's.
func (r *Recent) Name(uid uint32) (string, error) {
	return ask(r, &r.names, uid, r.from.Name)
}

// answers are those to one kind of question.
type answers[Q comparable, A any] struct{ kept map[Q]answer[A] }

type answer[A any] struct {
	value A
	at    time.Time // with the monotonic clock, which nobody sets
}

// ask gives the answer that is kept, or asks. The question is put while nobody is kept waiting by it. Its answer belongs to
// the files as they were before.
func ask[Q comparable, A any](r *Recent, kept *answers[Q, A], question Q, put func(Q) (A, error)) (A, error) {
	if value, ok := kept.find(r, question); ok {
		return value, nil
	}
	now, settled := r.look()
	at := r.kernel.Now()
	value, err := put(question)
	if err == nil && settled {
		kept.keep(r, now, question, answer[A]{value, at})
	}
	return value, err
}

func (a *answers[Q, A]) find(r *Recent, question Q) (value A, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at := r.kernel.Now()
	if at.Sub(r.looked) >= lookEvery {
		r.looked = at
		now, _ := r.look()
		r.forgetBefore(now)
	}
	old, ok := a.kept[question]
	return old.value, ok && at.Sub(old.at) < recentFor
}

func (a *answers[Q, A]) keep(r *Recent, now []fileStamp, question Q, value answer[A]) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forgetBefore(now)
	if a.kept == nil || len(a.kept) >= recentMost {
		a.kept = make(map[Q]answer[A])
	}
	a.kept[question] = value
}

// fileStamp is what tells two states of a file apart; zero: it is not there.
type fileStamp struct {
	dev, ino     uint64
	size         int64
	mtime, ctime unix.Timespec
}

// look looks at the files. settled reports whether a change of them from now on would show.
func (r *Recent) look() (now []fileStamp, settled bool) {
	began := r.kernel.Now()
	settled = true
	now = make([]fileStamp, len(r.files))
	for i, path := range r.files {
		var st unix.Stat_t
		if r.kernel.Stat(path, &st) != nil {
			continue
		}
		now[i] = fileStamp{st.Dev, st.Ino, st.Size, st.Mtim, st.Ctim}
		age := began.Sub(time.Unix(st.Ctim.Unix()))
		settled = settled && age >= settles // not where the clock was set back behind it, either
	}
	return now, settled
}

// forgetBefore forgets the answers where the files are not those that they were made of.
func (r *Recent) forgetBefore(now []fileStamp) {
	if !slices.Equal(now, r.stamps) {
		r.stamps = now
		r.uids.kept, r.groups.kept, r.names.kept = nil, nil, nil
	}
}
