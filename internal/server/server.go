// Package server answers on the daemon's two sockets: it learns from the kernel who is there, keeps everybody within
// bounds, and lets through what the table of methods grants. What is right is the verifier's to say.
package server

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/varlink/go/varlink"

	"sallyport/internal/api"
	account "sallyport/internal/api/iosallyportaccount"
	admin "sallyport/internal/api/iosallyportadmin"
	"sallyport/internal/audit"
	"sallyport/internal/clock/monitor"
	"sallyport/internal/passwd"
	"sallyport/internal/policy"
	"sallyport/internal/vault"
	"sallyport/internal/verifier"
	"sallyport/internal/wire"
)

// Config is what a server works with.
type Config struct {
	Verifier *verifier.Verifier
	Vault    *vault.Vault
	Users    verifier.Directory
	Accounts Accounts
	Reload   func() error // reads the policy again
	// Change changes settings of the policy, and gives the names of those that are not what they were. by is who does it.
	Change func(changes []policy.Change, by string) (changed []string, err error)
	Clock  func() (monitor.Report, error)
	Audit  audit.Log
}

// Accounts is the host's user database as a list: in no order, of whoever it lists.
type Accounts interface {
	Accounts() iter.Seq2[passwd.Account, error]
}

// The bounds of each of the two sockets. Descriptors and memory are enough for all of them at once.
const (
	rootConnections = 1024 // root's: sshd, login and sudo
	userConnections = 1024 // everybody else's
	perUser         = 64   // one user's
)

// How long a Varlink connection may take. Whoever does nothing is let go after idle: longer than sshd lets a person
// think about a code (LoginGraceTime). Root may stay.
const (
	idle    = 10 * time.Minute
	arrival = 10 * time.Second // of a message, from its first byte to its last
	sending = 10 * time.Second // of a reply
)

// Server answers. Serve it once.
type Server struct {
	Config
	varlink *varlink.Service
	owners  policy.Owners
	pam     budget
	others  budget

	mu       sync.Mutex
	stopping bool
	open     map[*connection]struct{}
	done     sync.WaitGroup // one for each open connection
}

// connection is one that is being served.
type connection struct {
	finish func() // lets what is being answered be the last
	close  func() error
}

// New makes a server.
func New(c Config) (*Server, error) {
	s := &Server{
		Config: c,
		pam:    budget{root: rootConnections, users: userConnections, perUser: perUser},
		others: budget{root: rootConnections, users: userConnections, perUser: perUser},
		open:   make(map[*connection]struct{}),
	}
	s.owners.Now, s.owners.Unreadable = c.Verifier.Now, s.unreadable
	var err error
	if s.varlink, err = varlink.NewService("Sallyport", "sallyportd", api.Version, "file:///usr/local/share/doc/sallyport/README.md"); err != nil {
		return nil, fmt.Errorf("varlink: %w", err)
	}
	for _, d := range []dispatcher{
		newLoginDispatcher(&loginMethods{server: s}),
		account.VarlinkNew(&accountMethods{server: s}),
		admin.VarlinkNew(&adminMethods{server: s}),
	} {
		g, err := newGuard(s, d)
		if err != nil {
			return nil, err
		}
		if err := s.varlink.RegisterInterface(g); err != nil {
			return nil, fmt.Errorf("varlink: %w", err)
		}
	}
	return s, nil
}

// Serve accepts connections until Stop. It fails when a listener does.
func (s *Server) Serve(l Listeners) error {
	failed := make(chan error, 2)
	go func() { failed <- s.accept(l.Pam, &s.pam, s.servePackets) }()
	go func() { failed <- s.accept(l.Varlink, &s.others, s.serveVarlink) }()
	err := <-failed
	l.Close()
	return errors.Join(err, <-failed)
}

// accept hands each connection that is within the budget to serve, which closes it.
func (s *Server) accept(l *net.UnixListener, b *budget, serve func(*net.UnixConn, Peer)) error {
	for {
		conn, err := l.AcceptUnix()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if temporary(err) {
			time.Sleep(acceptPause)
			continue
		}
		if err != nil {
			return fmt.Errorf("accepting on %s: %w", l.Addr(), err)
		}
		peer, err := credentials(conn)
		if err != nil || !b.take(peer.UID) {
			_ = conn.Close() // nobody is owed an answer
			continue
		}
		go func() {
			defer b.give(peer.UID)
			s.contain(peer, func() { serve(conn, peer) })
		}()
	}
}

// contain lets a mistake of ours end one connection, and not the logins of everybody else.
func (s *Server) contain(peer Peer, serve func()) {
	defer func() {
		if p := recover(); p != nil {
			// Not the value, which could hold what somebody typed.
			s.Audit.Record(audit.Event{Kind: audit.Unavailable, PID: int(peer.PID), Reason: fmt.Sprintf("%T at %s", p, debug.Stack()), Asker: peer.UID})
		}
	}()
	serve()
}

// servePackets serves a connection of the module.
func (s *Server) servePackets(unix *net.UnixConn, peer Peer) {
	defer unix.Close()
	c := &connection{finish: func() { _ = unix.CloseRead() }, close: unix.Close}
	if !s.add(c) {
		return
	}
	defer s.remove(c)
	// Its error is about the peer, who has been told.
	_ = s.Verifier.ServePackets(verifier.Caller{UID: peer.UID, PID: peer.PID}, wire.NewConn(unix))
}

// serveVarlink serves a connection of anybody else.
func (s *Server) serveVarlink(unix *net.UnixConn, peer Peer) {
	conn := &messageConn{Conn: unix, most: MaxMessage, arrival: arrival, write: sending}
	if peer.UID != 0 {
		conn.most, conn.idle = MaxUserMessage, idle
	}
	c := &connection{finish: conn.finish, close: unix.Close}
	defer unix.Close()
	if !s.add(c) {
		return
	}
	defer s.remove(c)
	s.serveMessages(context.WithValue(context.Background(), callerKey{}, &caller{peer: peer}), conn)
}

// serveMessages has calls answered, one after the other, until the connection ends. (The library's own loop would read
// without a bound, and have a cancelled context end each read and write.)
func (s *Server) serveMessages(ctx context.Context, conn *messageConn) {
	for {
		message, err := conn.message()
		if err != nil || s.varlink.HandleMessage(ctx, replies{conn}, message) != nil {
			return // the peer has been told, or is gone
		}
	}
}

// add counts a connection as open, unless the server is stopping.
func (s *Server) add(c *connection) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return false
	}
	s.open[c] = struct{}{}
	s.done.Add(1)
	return true
}

func (s *Server) remove(c *connection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, c)
	s.done.Done()
}

// Stop ends what Serve began, when the listeners are closed: each connection may finish the step that it is at, for at
// most patience. It reports whether all did.
func (s *Server) Stop(patience time.Duration) bool {
	s.mu.Lock()
	s.stopping = true
	for c := range s.open {
		c.finish()
	}
	s.mu.Unlock()
	finished := make(chan struct{})
	go func() { s.done.Wait(); close(finished) }()
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	select {
	case <-finished:
		return true
	case <-timeout.C:
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.open {
		_ = c.close()
	}
	return false
}

// by names who did something, for the journal.
func (s *Server) by(p Peer) string {
	if name, err := s.Users.Name(p.UID); err == nil {
		return name
	}
	return "uid " + strconv.FormatUint(uint64(p.UID), 10)
}
