package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/varlink/go/varlink"
	"github.com/varlink/go/varlink/idl"

	"sallyport/internal/audit"
	"sallyport/internal/login"
	"sallyport/internal/verifier"
)

// dispatcher is an interface with its handlers, as the generated VarlinkNew makes it.
type dispatcher interface {
	VarlinkDispatch(ctx context.Context, c varlink.Call, method string) error
	VarlinkGetName() string
	VarlinkGetDescription() string
}

// guard stands in front of an interface's handlers. It lets through what is well formed, and allowed by the table.
type guard struct {
	dispatcher
	server  *Server
	rows    map[string][]grant
	methods map[string][]idl.TypeField // name → parameters
	types   map[string]*idl.Type       // the interface's own, by name
}

func newGuard(s *Server, d dispatcher) (*guard, error) {
	description, err := idl.New(d.VarlinkGetDescription())
	if err != nil {
		return nil, fmt.Errorf("description of %s: %w", d.VarlinkGetName(), err)
	}
	g := &guard{dispatcher: d, server: s, rows: table(), methods: make(map[string][]idl.TypeField), types: make(map[string]*idl.Type)}
	for _, a := range description.Aliases {
		g.types[a.Name] = a.Type
	}
	for _, m := range description.Methods {
		g.methods[m.Name] = m.In.Fields
	}
	return g, nil
}

// caller is one connection to the Varlink socket.
type caller struct {
	peer     Peer
	dialogue *verifier.Login // waits for an answer; nil: none does
}

// verifying is the caller as the verifier sees it.
func (c *caller) verifying() verifier.Caller {
	return verifier.Caller{UID: c.peer.UID, PID: c.peer.PID}
}

// call is one call on that connection.
type call struct {
	*caller
	method     string // with its interface
	parameters parameters
	subject    string        // the user whose account it is about
	by         string        // the administrator who does it; empty: the user itself
	login      login.Request // what the verifier made of it, for a method of io.sallyport.Login
}

// text is a string parameter, empty where it is absent.
func (c *call) text(name string) string {
	s, _ := c.parameters[name].(string)
	return s
}

type callKey struct{}
type callerKey struct{}

// callOf is the call that the handler was let through for.
func callOf(ctx context.Context) *call { return ctx.Value(callKey{}).(*call) }

// errRefused ends a connection on which something malformed came.
var errRefused = errors.New("refused")

// VarlinkDispatch judges a call and has it handled.
func (g *guard) VarlinkDispatch(ctx context.Context, c varlink.Call, method string) error {
	name := g.VarlinkGetName() + "." + method
	fields, known := g.methods[method]
	if !known {
		return c.ReplyMethodNotFound(ctx, name)
	}
	if c.In.Parameters == nil {
		none := json.RawMessage("{}")
		c.In.Parameters = &none
	}
	k := &call{caller: ctx.Value(callerKey{}).(*caller), method: name}
	var err error
	if k.parameters, err = parse(*c.In.Parameters, fields, g.types); err != nil {
		var bad errParameter
		errors.As(err, &bad)
		return errors.Join(errRefused, c.ReplyInvalidParameter(ctx, string(bad)))
	}
	for _, f := range fields {
		v, given := k.parameters[f.Name]
		if !given {
			continue
		}
		if reason := check(f.Name, v); reason != "" {
			return errors.Join(errRefused, g.server.fail(ctx, c, k, badInput{f.Name, reason}))
		}
	}
	if k.subject, err = g.subject(k, fields); err == nil {
		err = g.allow(k)
	}
	if err != nil {
		return g.server.fail(ctx, c, k, err)
	}
	return g.dispatcher.VarlinkDispatch(context.WithValue(ctx, callKey{}, k), c, method)
}

// subject is the user that a call names or, where it could name one and does not, the caller.
func (g *guard) subject(k *call, fields []idl.TypeField) (string, error) {
	if user := k.text("user"); user != "" {
		return user, nil
	}
	if !slices.ContainsFunc(fields, func(f idl.TypeField) bool { return f.Name == "user" }) {
		return "", nil
	}
	name, err := g.server.Users.Name(k.peer.UID)
	if errors.Is(err, verifier.ErrUnknownUser) {
		return "", notAllowed{k.method, fmt.Sprintf("uid %d is no user of this host", k.peer.UID)}
	}
	return name, err
}

// allow looks the call up in the table. It fails with notAllowed, or with what kept a grant from being judged.
func (g *guard) allow(k *call) error {
	var failed error
	var who []string
	for _, grant := range g.rows[k.method] {
		ok, err := grant.holds(g.server, k)
		if ok && err == nil {
			if grant.admin {
				k.by = g.server.by(k.peer)
			}
			return nil
		}
		failed = errors.Join(failed, err)
		who = append(who, grant.who)
	}
	reason := "nobody may"
	if len(who) > 0 {
		reason = "only " + strings.Join(who, " or ") + " may"
	}
	if errors.Is(failed, verifier.ErrNotAllowed) { // which the verifier has recorded
		return notAllowed{k.method, reason}
	}
	if failed != nil {
		return failed
	}
	g.server.Audit.Record(audit.Event{
		Kind: audit.AccessRefused, User: k.subject, UID: k.peer.UID, PID: int(k.peer.PID), Method: k.method, Reason: reason, Asker: k.peer.UID,
	})
	return notAllowed{k.method, reason}
}
