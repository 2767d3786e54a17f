package attack

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"sallyport/internal/disk"
	"sallyport/internal/server"
	"sallyport/internal/wire"
)

// role is one way to attack. It does its worst until its process is killed, and counts how often it has.
type role struct {
	processes int
	often     int // it has done its worst before others log in, where it has the host for itself
	play      func(count *atomic.Int64)
}

// roles are all of them. Each process may have about 2,000 descriptors: 10,000 in all.
var roles = map[string]role{
	"connections to the module's socket": {3, 1, func(n *atomic.Int64) { hold(n, side, "unixpacket", disk.Root("").PamSocket()) }},
	"connections to the Varlink socket":  {2, 1, func(n *atomic.Int64) { hold(n, side, "unix", disk.Root("").VarlinkSocket()) }},
	"all of a message but its end":       {1, 1, func(n *atomic.Int64) { talk(n, endless) }},
	"logins that do not begin":           {1, 1, func(n *atomic.Int64) { hold(n, 64, "unixpacket", disk.Root("").PamSocket()) }},
	"half messages":                      {1, 1, func(n *atomic.Int64) { talk(n, halves) }},
	"a byte at a time":                   {1, 1, func(n *atomic.Int64) { talk(n, slowly) }},
	"messages of 64 KiB":                 {1, 1, func(n *atomic.Int64) { talk(n, large) }},
	"guesses of names and codes":         {1, 1, func(n *atomic.Int64) { talk(n, guesses) }},
	"set-ups at the same time":           {1, 1, func(n *atomic.Int64) { talk(n, setUps) }},
	"packets of no meaning":              {1, 1, nonsense},
	"whatever is put down":               {1, 500, func(n *atomic.Int64) { talk(n, notable) }},
	"files without an end":               {1, 1, files},
	"links":                              {1, 1, links},
}

// play is the life of an attacking process. It says how often it has done its worst each time that it is asked, by a line.
func play(name string) int {
	r, ok := roles[name]
	if !ok {
		fmt.Fprintf(os.Stderr, "%q is no role\n", name)
		return 2
	}
	var count atomic.Int64
	go r.play(&count)
	for asked := bufio.NewScanner(os.Stdin); asked.Scan(); {
		fmt.Println(count.Load())
	}
	return 0
}

// side is how many connections a process has at a time that wants many.
const side = 2000

// hold has connections, and says nothing on them.
func hold(n *atomic.Int64, connections int, network, path string) {
	for range connections {
		go func() {
			for {
				c, err := net.Dial(network, path)
				if err != nil {
					continue
				}
				n.Add(1)
				_, _ = c.Read(make([]byte, 1)) // until it is thrown out
				_ = c.Close()
			}
		}()
	}
}

// talk has as many connections as a user may have, on which it goes on and on.
func talk(n *atomic.Int64, what func(c net.Conn, n *atomic.Int64) error) {
	for range 64 {
		go func() {
			for {
				c, err := net.Dial("unix", disk.Root("").VarlinkSocket())
				if err != nil {
					continue
				}
				for err == nil {
					err = what(c, n)
				}
				_ = c.Close()
			}
		}()
	}
}

// call makes one call of Varlink, and returns the reply.
func call(c net.Conn, method, parameters string) (reply []byte, err error) {
	if _, err := fmt.Fprintf(c, "{\"method\":%q,\"parameters\":%s}\x00", method, parameters); err != nil {
		return nil, err
	}
	return bufio.NewReader(c).ReadBytes(0)
}

func halves(c net.Conn, n *atomic.Int64) error {
	_, err := io.WriteString(c, `{"method":"io.sallyport.Login.Verify","parameters":{"user":"`)
	n.Add(1)
	_, _ = c.Read(make([]byte, 1)) // until it is thrown out
	return errors.Join(err, io.EOF)
}

func endless(c net.Conn, n *atomic.Int64) error {
	_, err := io.WriteString(c, `{"method":"`+strings.Repeat("x", server.MaxUserMessage-16))
	n.Add(1)
	_, _ = c.Read(make([]byte, 1)) // until it is thrown out
	return errors.Join(err, io.EOF)
}

func slowly(c net.Conn, n *atomic.Int64) error {
	_, err := io.WriteString(c, " ")
	n.Add(1)
	<-time.After(20 * time.Millisecond)
	return err
}

func large(c net.Conn, n *atomic.Int64) error {
	n.Add(1)
	_, err := call(c, "io.sallyport.Account.Status", fmt.Sprintf(`{"user":[%s0]}`, strings.Repeat("0,", 32<<10-64)))
	return err
}

func guesses(c net.Conn, n *atomic.Int64) error {
	i := n.Add(1)
	for _, user := range []string{owner, "root", fmt.Sprintf("nobody%d", i)} {
		reply, err := call(c, "io.sallyport.Login.Verify", fmt.Sprintf(`{"user":%q,"code":"%06d","service":"sshd"}`, user, i%1000000))
		if err != nil {
			return err
		}
		if !bytes.Contains(reply, []byte("NotAllowed")) {
			fmt.Fprintf(os.Stderr, "a guess at %s is answered with %s\n", user, reply)
		}
	}
	return nil
}

func setUps(c net.Conn, n *atomic.Int64) error {
	n.Add(1)
	if _, err := call(c, "io.sallyport.Account.Enroll", "{}"); err != nil {
		return err
	}
	_, err := call(c, "io.sallyport.Account.Confirm", `{"id":"0000000000000000","code":"000000"}`)
	return err
}

// notable asks for what is put down in the log, each sort of it: about others, and about its own account, without a code.
func notable(c net.Conn, n *atomic.Int64) error {
	n.Add(1)
	me := fmt.Sprintf(`"user":%q,"service":"sshd"`, mallory)
	for _, asked := range []string{
		"Account.Forget {}",
		"Account.Enroll {}",
		"Login.Verify {" + me + `,"code":"000000"}`,
		fmt.Sprintf(`Login.OpenSession {%s,"pid":%d}`, me, os.Getpid()),
		fmt.Sprintf(`Login.CloseSession {%s,"pid":%d}`, me, os.Getpid()),
		fmt.Sprintf(`Login.OpenSession {"user":%q,"service":"sshd","pid":1}`, owner),
		"Admin.Users {}",
	} {
		method, parameters, _ := strings.Cut(asked, " ")
		if _, err := call(c, "io.sallyport."+method, parameters); err != nil {
			return err
		}
	}
	packet(wire.Request{Kind: wire.Begin, User: owner, Service: service})
	packet(wire.Request{Kind: wire.Account, User: mallory, Service: service})
	return nil
}

// nonsense sends what is no packet.
func nonsense(n *atomic.Int64) {
	garbage := bytes.Repeat([]byte{1}, 16<<10)
	for {
		c, err := net.Dial("unixpacket", disk.Root("").PamSocket())
		if err != nil {
			continue
		}
		n.Add(1)
		_, _ = c.Write(garbage)
		_, _ = c.Read(make([]byte, 1))
		_ = c.Close()
	}
}

// files fills whatever the user can write to.
func files(n *atomic.Int64) {
	var all sync.WaitGroup
	for _, dir := range open {
		all.Go(func() {
			for i := 0; ; i++ {
				if os.WriteFile(fmt.Sprintf("%s/full%d", dir, i), make([]byte, 64<<10), 0o600) != nil {
					<-time.After(10 * time.Millisecond) // until somebody makes room
				}
				n.Add(1)
			}
		})
	}
	all.Wait()
}

// open are the directories that everybody can write to.
var open = []string{"/tmp", "/var/tmp", "/dev/shm"}

// links plants links to what is root's, by the names that Sallyport uses, wherever the user can write; and tries where it
// cannot.
func links(n *atomic.Int64) {
	r := disk.Root("")
	targets := []string{r.LedgerFile(), r.Saved(), r.Managed(), "/etc/shadow", filepath.Join(r.Users(), owner+".toml")}
	dirs := append([]string{r.State(), r.Users(), r.Runtime(), r.Config(), r.DropIns()}, open...)
	for {
		for _, dir := range dirs {
			for _, target := range targets {
				for _, name := range []string{filepath.Base(target), filepath.Base(target) + ".new", ".tmp-A", "pam"} {
					path := filepath.Join(dir, name)
					_, _ = os.Remove(path), os.Symlink(target, path)
					_, _ = os.Remove(path), os.Link(target, path)
					n.Add(1)
				}
			}
		}
	}
}
