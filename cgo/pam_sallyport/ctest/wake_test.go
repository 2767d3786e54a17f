package ctest

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"sallyport/internal/wire"
)

// In these tests the C half wakes testdata/half.c, and the script of socket "half" is what the Go half replies.

// half serves the scripts of Go halves, whose first packet is how they found their process.
func (tr *tree) half(t *testing.T, s script) (stop func()) {
	t.Helper()
	return tr.serve(t, "half", func(p *peer) {
		report := make([]byte, 4096)
		if _, err := p.unix.Read(report); err != nil {
			t.Errorf("no report: %v", err)
		}
		s(p)
	})
}

func TestDaemonAway(t *testing.T) {
	tr := newTree(t, sanitized)
	var woken atomic.Int32
	stop := tr.half(t, func(p *peer) {
		woken.Add(1)
		packet, err := p.conn.Read(soon())
		if err != nil {
			t.Error(err)
		}
		if packet.Kind != wire.Begin {
			p.verdict(wire.NotRequired)
			return
		}
		p.ask("Code: ", info("Hello."))
		p.answer("123456")
		p.verdict(wire.Granted)
	})
	o := tr.login(t, "answer=123456", "--", "auth", "acct", "open", "user=bob", "acct")
	o.want(t, "info Hello.", "hidden Code: ", "auth 0", "acct 0", "open 16", "user=bob 0", "acct 16")
	stop()
	if woken.Load() != 3 {
		t.Errorf("woken %d times, want 3", woken.Load())
	}
}

// TestEndOfASession wakes nobody: there is nothing to verify, and no logout waits.
func TestEndOfASession(t *testing.T) {
	tr := newTree(t, sanitized)
	tr.half(t, func(p *peer) { t.Error("woken for the end of a session") })
	tr.login(t, "--", "close").want(t, "close 0")
}

// TestHalfIsOnItsOwn looks at the process that the Go half wakes up in.
func TestHalfIsOnItsOwn(t *testing.T) {
	tr := newTree(t, plain)
	reports := make(chan string, 1)
	tr.serve(t, "half", func(p *peer) {
		b := make([]byte, 4096)
		n, err := p.unix.Read(b)
		if err != nil {
			t.Error(err)
		}
		reports <- string(b[:n])
		p.request(wire.Begin)
		p.verdict(wire.Granted)
	})
	// Descriptors: 0 to 2, the socket, and the report's own.
	want := fmt.Sprintf("argc=1 name=pam_sallyport envs=0 environ=0 pages=%d random=1 fds=5 dumpable=0 death=9 umask=77 cwd=/ "+
		"blocked=0000000000000000 ignored=0000000000000000 uids=0000 gids=0000", os.Getpagesize())
	for _, host := range []string{"sigchld=handle", "sigchld=ignore", "sigchld=block", "threads=2", "ruid=65534", "fds=50", "old"} {
		tr.login(t, "fds=20", host, "--", "auth").want(t, "auth 0")
		// Signal 32 (bit 31) is the C library's own, which nobody can set through it; a parent built with -race ignores it.
		got := strings.Replace(strings.ReplaceAll(<-reports, "\t", ""), "ignored=0000000080000000", "ignored=0000000000000000", 1)
		if got != want {
			t.Errorf("%s: report\n%s\nwant\n%s", host, got, want)
		}
	}
}

// TestSIGCHLD: the host's handler is set aside while a Go half may end, and at no other time.
func TestSIGCHLD(t *testing.T) {
	for _, socket := range []string{"pam", "half"} {
		t.Run(socket, func(t *testing.T) {
			tr := newTree(t, sanitized)
			handled := make(chan bool, 1)
			look := func(p *peer) {
				handled <- catches(t, p.request(wire.Begin).PID, syscall.SIGCHLD)
				p.verdict(wire.Granted)
			}
			if socket == "half" {
				tr.half(t, look)
			} else {
				tr.serve(t, socket, look)
			}
			tr.login(t, "sigchld=handle", "--", "auth").want(t, "auth 0")
			if got := <-handled; got != (socket == "pam") {
				t.Errorf("the host's handler is there: %v", got)
			}
		})
	}
}

// catches says whether a process handles a signal.
func catches(t *testing.T, pid int, sig syscall.Signal) bool {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Error(err)
		return false
	}
	_, after, _ := strings.Cut(string(status), "\nSigCgt:")
	line, _, _ := strings.Cut(after, "\n")
	set, err := strconv.ParseUint(strings.TrimSpace(line), 16, 64)
	if err != nil {
		t.Error(err)
	}
	return set&(1<<(sig-1)) != 0
}

// TestHalfThatCannotVerify: whatever becomes of it is "unavailable", at once.
func TestHalfThatCannotVerify(t *testing.T) {
	tests := []struct {
		name string
		half script // nil: it crashes
		code int
	}{
		{"crashes", nil, unavailable},
		{"ends", func(p *peer) {}, unavailable},
		{"ends after begin", func(p *peer) { p.request(wire.Begin) }, unavailable},
		{"says so", says(wire.Unavailable), unavailable},
		{"sends garbage", func(p *peer) { p.request(wire.Begin); p.raw([]byte("garbage")); p.gone() }, authErr},
		{"gives a verdict that there is not", func(p *peer) {
			p.request(wire.Begin)
			p.raw(packet(wire.Final, field(wire.TagVerdict, "\x09")))
			p.gone()
		}, authErr},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tr := newTree(t, sanitized)
			if tt.half != nil {
				tr.half(t, tt.half)
			}
			o := tr.login(t, "answer=1", "--", "auth")
			o.want(t, code("auth", tt.code))
		})
	}
}

// TestHalfThatHangs is killed: login finds no child left.
func TestHalfThatHangs(t *testing.T) {
	tr := newTree(t, hasty)
	if err := os.WriteFile(filepath.Join(tr.root, "stuck"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	o := tr.login(t, "--", "auth")
	o.want(t, "auth 9")
	o.waited(t, short.answer)
}

// TestSilentDaemon: after a while the Go half is woken, and whoever replies first has the login.
func TestSilentDaemon(t *testing.T) {
	mute := func(p *peer) {
		p.request(wire.Begin)
		p.gone()
	}
	t.Run("the Go half replies", func(t *testing.T) {
		tr := newTree(t, hasty)
		tr.serve(t, "pam", mute)
		tr.half(t, asks("1", wire.Granted))
		o := tr.login(t, "answer=1", "--", "auth")
		o.want(t, "hidden Code: ", "auth 0")
		o.waited(t, short.silence)
	})
	t.Run("the daemon replies late", func(t *testing.T) {
		tr := newTree(t, hasty)
		woken := make(chan struct{})
		tr.serve(t, "pam", func(p *peer) {
			p.request(wire.Begin)
			p.await(woken)
			p.ask("Code: ")
			p.answer("1")
			p.verdict(wire.Granted)
		})
		tr.half(t, func(p *peer) {
			p.request(wire.Begin)
			close(woken)
			p.gone() // the module has no use for it any more
		})
		tr.login(t, "answer=1", "--", "auth").want(t, "hidden Code: ", "auth 0")
	})
	t.Run("the Go half cannot, the daemon can", func(t *testing.T) {
		tr := newTree(t, hasty)
		woken := make(chan struct{})
		tr.serve(t, "pam", func(p *peer) {
			p.request(wire.Begin)
			p.await(woken)
			p.verdict(wire.Granted)
		})
		tr.half(t, func(p *peer) {
			p.request(wire.Begin)
			p.verdict(wire.Unavailable, alarm("Not now."))
			p.gone()
			close(woken)
		})
		tr.login(t, "--", "auth").want(t, "auth 0")
	})
	t.Run("nobody replies", func(t *testing.T) {
		tr := newTree(t, hasty)
		tr.serve(t, "pam", mute)
		tr.half(t, mute)
		o := tr.login(t, "--", "auth")
		o.want(t, "auth 9")
		o.waited(t, short.answer)
	})
	t.Run("the session closes", func(t *testing.T) {
		tr := newTree(t, sanitized)
		tr.serve(t, "pam", func(p *peer) {
			p.request(wire.CloseSession)
			p.gone()
		})
		tr.half(t, func(p *peer) { t.Error("woken for the end of a session") })
		tr.login(t, "--", "close").want(t, "close 0")
	})
}

// busy is the Go half's reply while another process holds the ledger.
func busy(p *peer) {
	p.conn.Read(soon())
	p.reply(wire.Reply{Verdict: wire.Unavailable, PasswordLength: -1, Busy: true})
	p.gone()
}

func TestBusyHalf(t *testing.T) {
	t.Run("the daemon comes", func(t *testing.T) {
		tr := newTree(t, sanitized)
		tr.half(t, func(p *peer) {
			busy(p)
			if p.n == 0 {
				tr.serve(t, "pam", asks("1", wire.Granted))
			}
		})
		tr.login(t, "answer=1", "--", "auth").want(t, "hidden Code: ", "auth 0")
	})
	t.Run("the daemon was there, but silent", func(t *testing.T) {
		tr := newTree(t, hasty)
		told := make(chan struct{})
		tr.serve(t, "pam", func(p *peer) {
			p.request(wire.Begin)
			p.await(told)
			p.verdict(wire.Granted)
		})
		tr.half(t, func(p *peer) {
			busy(p)
			close(told) // a second one would panic: nobody is to be woken while the daemon holds the ledger
		})
		tr.login(t, "--", "auth").want(t, "auth 0")
	})
	t.Run("the daemon hangs", func(t *testing.T) {
		tr := newTree(t, hasty)
		tr.serve(t, "pam", func(p *peer) {
			p.request(wire.Begin)
			p.gone()
		})
		var woken atomic.Int32
		stop := tr.half(t, func(p *peer) {
			woken.Add(1)
			busy(p)
		})
		tr.login(t, "--", "auth").want(t, "auth 9")
		stop()
		if woken.Load() != 1 {
			t.Errorf("woken %d times, want once: the daemon is connected, and it has the ledger", woken.Load())
		}
	})
	t.Run("another Go half was at work", func(t *testing.T) {
		tr := newTree(t, sanitized)
		tr.half(t, func(p *peer) {
			if p.n == 0 {
				busy(p)
				return
			}
			asks("1", wire.Granted)(p)
		})
		tr.login(t, "answer=1", "--", "auth").want(t, "hidden Code: ", "auth 0")
	})
	t.Run("for ever", func(t *testing.T) {
		tr := newTree(t, hasty)
		tr.half(t, busy)
		o := tr.login(t, "--", "auth")
		o.want(t, "auth 9")
		o.waited(t, short.answer)
	})
	t.Run("in the middle", func(t *testing.T) {
		tr := newTree(t, sanitized)
		tr.half(t, func(p *peer) {
			p.request(wire.Begin)
			p.ask("Code: ")
			p.answer("1")
			tr.serve(t, "pam", asks("1", wire.Granted))
			p.reply(wire.Reply{Verdict: wire.Unavailable, PasswordLength: -1, Busy: true})
		})
		tr.login(t, "answer=1", "--", "auth").want(t, "hidden Code: ", "auth 0")
	})
}

// TestFullQueue: a daemon that takes no connection is silent, and may still come to.
func TestFullQueue(t *testing.T) {
	tr := newTree(t, hasty)
	path := filepath.Join(tr.root, "run/sallyport/pam")
	l, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_SEQPACKET|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(l)
	if err := syscall.Bind(l, &syscall.SockaddrUnix{Name: path}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(l, 0); err != nil {
		t.Fatal(err)
	}
	c, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_SEQPACKET|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(c)
	if err := syscall.Connect(c, &syscall.SockaddrUnix{Name: path}); err != nil { // fills the queue
		t.Fatal(err)
	}
	tr.half(t, says(wire.Granted))
	o := tr.login(t, "--", "auth")
	o.want(t, "auth 0")
	o.waited(t, short.silence)
}

// TestLongRoot: a path too long for a socket's address.
func TestLongRoot(t *testing.T) {
	tr := newTree(t, sanitized)
	long := filepath.Join(tr.root, strings.Repeat("d", 120))
	if err := os.MkdirAll(filepath.Join(long, "run"), 0o755); err != nil {
		t.Fatal(err)
	}
	tr.serve(t, "pam", says(wire.Granted))
	if err := os.Rename(filepath.Join(tr.root, "run/sallyport"), filepath.Join(long, "run/sallyport")); err != nil {
		t.Fatal(err)
	}
	tr.root = long
	tr.login(t, "--", "auth").want(t, "auth 0")
}

// TestDaemonThatCrashesAtOnce: an end before the first reply is no restart; the Go half is woken.
func TestDaemonThatCrashesAtOnce(t *testing.T) {
	tr := newTree(t, sanitized)
	tr.serve(t, "pam", func(p *peer) { p.request(wire.Begin) })
	tr.half(t, asks("1", wire.Granted))
	tr.login(t, "answer=1", "--", "auth").want(t, "hidden Code: ", "auth 0")
}
