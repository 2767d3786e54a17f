package crash

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"sallyport/test/crash/writelog"
	"sallyport/test/host"
	"sallyport/test/system"
)

// TestEveryFlush: the disk as of each flush, with nothing of what was written later or with any part of it, needs nothing
// but the replay of its file system's journal, has all that had been acknowledged by then, and takes no used code.
func TestEveryFlush(t *testing.T) {
	r := record(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	r.people.add(t)
	every := 1
	if os.Getenv("CI") != "" {
		every = max(1, len(r.flushes)/50)
	}
	cuts, required, began := 0, 0, time.Now()
	for n := range r.flushes {
		r.replay(t, n)
		if n%every != 0 && n != len(r.flushes)-1 {
			continue
		}
		cuts++
		required += r.check(t, n, fmt.Sprintf("flush %d", n), nil)
		r.check(t, n, fmt.Sprintf("flush %d and parts of what follows", n), random)
		if cuts%20 == 0 {
			r.ask(t, n)
		}
		if t.Failed() {
			t.Fatalf("flush %d of %d", n, len(r.flushes))
		}
	}
	t.Logf("%d writes, %d flushes, %d acknowledgements; %d cuts found %d things that had been acknowledged, in %v",
		len(r.entries)-len(r.flushes), len(r.flushes), len(r.acknowledged), cuts, required, time.Since(began).Round(time.Second))
}

// recording is a run of which each write to the disk under /var/lib/sallyport is known.
type recording struct {
	disk         string // as of the last replay
	log          string
	entries      []writelog.Entry
	flushes      []int // each one's index among the entries
	people       users
	acknowledged []acknowledgement
}

// acknowledgement is what somebody was told.
type acknowledgement struct {
	person  *person
	used    int // how many codes the person had used by then
	at      time.Time
	entries int // how many the log had by then
}

// record has people live, one after the other: so no flush of somebody else's work makes up for one that is missing.
func record(t *testing.T) *recording {
	t.Helper()
	dir := t.TempDir()
	r := &recording{disk: filepath.Join(dir, "disk"), log: filepath.Join(dir, "log")}
	written := filepath.Join(dir, "written")
	host.Output(t, "mkfs.ext4", "-q", "-b", fmt.Sprint(block), "-J", "size=4", "-E", "lazy_itable_init=0,lazy_journal_init=0", r.disk, "64M")
	host.Output(t, "cp", "--sparse=always", r.disk, written)
	host.Output(t, "truncate", "--size", "1G", r.log)
	g := system.BootMachine(t, system.MachineOptions{Cold: true, QEMU: []string{
		"-blockdev", "driver=file,node-name=written,cache.no-flush=on,filename=" + written,
		"-blockdev", "driver=file,node-name=log,cache.no-flush=on,filename=" + r.log,
		"-blockdev", "driver=blklogwrites,node-name=data,file=written,log=log,log-super-update-interval=1",
		"-device", "virtio-blk-pci,drive=data,serial=data,addr=0x10", // behind the disk that it boots from
	}})
	// With the defaults ext4 makes up for what a program forgets: it commits after five seconds, and flushes a file that is
	// renamed over another.
	g.Run("mkdir -m 0700 /var/lib/sallyport && mount -o noauto_da_alloc,commit=600 /dev/disk/by-id/virtio-data /var/lib/sallyport")
	g.InstallPackages(g.CopyPackages())
	for i, kind := range []string{"totp", "hotp", "totp", "hotp", "totp", "hotp", "totp"} {
		p := &person{Person: g.AddUser(fmt.Sprintf("user%d", i))}
		if _, err := fmt.Sscan(g.Run("id --user "+p.Name), &p.uid); err != nil {
			t.Fatalf("%v", err)
		}
		r.people = append(r.people, p)
		r.live(t, g, p, kind)
	}
	g.Cut()
	r.read(t)
	return r
}

// live has a person set up a device and use its codes and recovery codes, before and after an orderly restart of the daemon.
func (r *recording) live(t *testing.T, g *system.Guest, p *person, kind string) {
	t.Helper()
	if !p.setUp(t, g, kind) {
		t.Fatalf("%s cannot set up a device", p.Name)
	}
	r.note(t, p)
	for i := range 2 { // with the first one these are three codes of the clock's, as many as there are at once
		if i == 1 {
			g.Run("systemctl restart sallyportd")
		}
		code := p.code(t)
		in := p.use(g, code)
		if !in { // the guest's clock may be a second behind: the code's time comes
			in = p.use(g, code)
		}
		if !in {
			t.Fatalf("%s does not get in:\n%s", p.Name, g.Log())
		}
		r.note(t, p)
		if !p.use(g, p.recovery[i]) {
			t.Fatalf("%s does not get in by a recovery code:\n%s", p.Name, g.Log())
		}
		r.note(t, p)
	}
	p.recovery = p.recovery[2:]
}

// note notes that the person was told something.
func (r *recording) note(t *testing.T, p *person) {
	t.Helper()
	entries, err := writelog.Count(r.log)
	if err != nil {
		t.Fatalf("%v", err)
	}
	r.acknowledged = append(r.acknowledged, acknowledgement{p, len(p.used), time.Now(), entries})
}

// read reads the log.
func (r *recording) read(t *testing.T) {
	t.Helper()
	var err error
	if r.entries, err = writelog.Read(r.log); err != nil {
		t.Fatalf("%v", err)
	}
	for i, e := range r.entries {
		if e.Flush {
			r.flushes = append(r.flushes, i)
		}
	}
}

// last is the last thing that each person was told by a flush, and the time of the last of all. What was acknowledged after
// it and before the next had to be safe by then.
func (r *recording) last(n int) (last map[*person]acknowledgement, at time.Time) {
	next := len(r.entries)
	if n+1 < len(r.flushes) {
		next = r.flushes[n+1]
	}
	last = map[*person]acknowledgement{}
	for _, a := range r.acknowledged {
		if a.entries <= next {
			last[a.person], at = a, a.at
		}
	}
	return last, at
}
