package ledger

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"sallyport/internal/disk"
	"sallyport/internal/disk/disktest"
)

const writerVariable = "SALLYPORT_TEST_WRITER"

// TestKilled kills a process with SIGKILL while it begins ledgers, and opens, changes and closes them: every change that it
// acknowledged is there afterwards, and no ledger is damaged.
func TestKilled(t *testing.T) {
	if dir := os.Getenv(writerVariable); dir != "" {
		write(t, disk.Root(dir))
		return
	}
	const rounds = 60
	rnd := rand.New(rand.NewPCG(6, 6))
	root := newRoot(t)
	last := map[string]int64{} // by user, the last step that was acknowledged
	changes := 0
	for round := range rounds {
		if round%10 == 9 { // from the very beginning
			if err := os.RemoveAll(root.Runtime()); err != nil {
				t.Fatal(err)
			}
			clear(last)
		}
		child := exec.Command("/proc/self/exe", "-test.run=^TestKilled$")
		child.Env = append(os.Environ(), writerVariable+"="+string(root))
		child.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		// It dies at some moment after so many changes: however slow the machine is, there are some.
		left, moment := 1+rnd.IntN(150), time.Duration(rnd.IntN(3000))*time.Microsecond
		for lines := bufio.NewReader(out); ; changes++ {
			if left--; left == 0 {
				time.AfterFunc(moment, func() { _ = child.Process.Kill() })
			}
			line, err := lines.ReadString('\n')
			if err == io.EOF { // a line that was cut off is not acknowledged
				break
			}
			var user string
			var step int64
			if _, err := fmt.Sscan(line, &user, &step); err != nil {
				t.Fatalf("the child says %q", line)
			}
			last[user] = step
		}
		_ = child.Wait()
		l, err := tryOpen(t, root, start, &disktest.FS{})
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		for user, step := range last {
			a := mustGet(t, l, user)
			if u := a.Tokens[token]; u == nil || u.Steps[len(u.Steps)-1] < step {
				t.Fatalf("round %d: %s's step %d was acknowledged and is lost", round, user, step)
			}
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d changes in %d rounds", changes, rounds)
	if changes < 50*rounds {
		t.Error("the child hardly came to write")
	}
}

// write is the child: it changes accounts of all sizes until it is killed, and says so after each.
func write(t *testing.T, root disk.Root) {
	rnd := rand.New(rand.NewPCG(uint64(os.Getpid()), 7))
	for {
		l, err := Open(Options{Root: root, FS: new(disk.OS), Now: start, Wait: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		for range 1 + rnd.IntN(200) {
			user := "user" + strconv.Itoa(rnd.IntN(300))
			a := mustGet(t, l, user)
			step := int64(0)
			if u := a.Tokens[token]; u != nil {
				step = u.Steps[len(u.Steps)-1] + 1
			}
			a.Use(token, step)
			a.Wrong = make([]time.Time, rnd.IntN(8)*rnd.IntN(8)*rnd.IntN(8))
			mustPut(t, l, user, a)
			fmt.Println(user, step)
			if rnd.IntN(20) == 0 {
				if err := l.Delete("user" + strconv.Itoa(300+rnd.IntN(10))); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
