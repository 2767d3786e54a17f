package server

import (
	"context"
	"maps"
	"slices"
	"time"

	api "sallyport/internal/api/iosallyportadmin"
	"sallyport/internal/audit"
	"sallyport/internal/policy"
	"sallyport/internal/vault"
)

// adminMethods are the handlers of io.sallyport.Admin. Each is called only for a call that the guard let through.
type adminMethods struct {
	api.VarlinkInterface // answers what has no handler here
	server               *Server
}

func (m *adminMethods) Disable(ctx context.Context, c api.VarlinkCall, user string) error {
	k := callOf(ctx)
	if err := m.server.Verifier.Disable(user, k.by); err != nil {
		return m.server.fail(ctx, c.Call, k, err)
	}
	return c.ReplyDisable(ctx)
}

func (m *adminMethods) Unlock(ctx context.Context, c api.VarlinkCall, user string) error {
	k := callOf(ctx)
	if err := m.server.Verifier.Unlock(user, k.by); err != nil {
		return m.server.fail(ctx, c.Call, k, err)
	}
	return c.ReplyUnlock(ctx)
}

func (m *adminMethods) Explain(ctx context.Context, c api.VarlinkCall, user, service string, _ *string, publickey *bool, at *string) error {
	k := callOf(ctx)
	r := policy.Request{
		User: user, Service: service, Source: k.text("rhost"), PublicKey: publickey != nil && *publickey,
		Groups: func() ([]string, error) { return m.server.Users.Groups(user) },
	}
	now := m.server.Verifier.Now()
	if at != nil {
		now, _ = time.Parse(time.RFC3339, *at) // which has been checked
	}
	settings, err := m.server.Verifier.Policy().Explain(r, now)
	if err != nil {
		return m.server.fail(ctx, c.Call, k, err)
	}
	return c.ReplyExplain(ctx, apiSettings(settings))
}

func (m *adminMethods) Policy(ctx context.Context, c api.VarlinkCall) error {
	p := m.server.Verifier.Policy()
	rules := make([]api.Block, len(p.Rules))
	for i := range p.Rules {
		r := &p.Rules[i]
		rules[i] = api.Block{File: r.File, Line: int64(r.Line), Settings: apiSettings(r.Settings())}
	}
	delegates := make([]api.Block, len(p.Delegates))
	for i := range p.Delegates {
		d := &p.Delegates[i]
		delegates[i] = api.Block{File: d.File, Line: int64(d.Line), Settings: apiSettings(d.Settings())}
	}
	return c.ReplyPolicy(ctx, apiSettings(p.Settings()), rules, delegates)
}

func apiSettings(settings []policy.Setting) []api.Setting {
	all := make([]api.Setting, len(settings))
	for i, s := range settings {
		all[i] = api.Setting{Name: s.Name, Value: s.Value, File: s.File, Line: int64(s.Line), Why: s.Why, Skipped: make([]api.Skipped, len(s.Skipped))}
		for j, r := range s.Skipped {
			all[i].Skipped[j] = api.Skipped{File: r.File, Line: int64(r.Line), Why: r.Why}
		}
	}
	return all
}

func (m *adminMethods) Set(ctx context.Context, c api.VarlinkCall, settings map[string]*string) error {
	k := callOf(ctx)
	var changes []policy.Change
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		change := policy.Change{Name: name, Unset: settings[name] == nil}
		if !change.Unset {
			change.Value = *settings[name]
		}
		changes = append(changes, change)
	}
	changed, err := m.server.Change(changes, k.by)
	if err != nil {
		return m.server.fail(ctx, c.Call, k, err)
	}
	now := slices.DeleteFunc(m.server.Verifier.Policy().Settings(), func(s policy.Setting) bool {
		_, asked := settings[s.Name]
		return !asked
	})
	return c.ReplySet(ctx, present(changed), apiSettings(now))
}

func (m *adminMethods) Reload(ctx context.Context, c api.VarlinkCall) error {
	if err := m.server.Reload(); err != nil {
		return m.server.fail(ctx, c.Call, callOf(ctx), err)
	}
	return c.ReplyReload(ctx)
}

func (m *adminMethods) SealVault(ctx context.Context, c api.VarlinkCall) error {
	return m.reseal(ctx, c, audit.VaultSealed, m.server.Vault.Seal, c.ReplySealVault)
}

func (m *adminMethods) RekeyVault(ctx context.Context, c api.VarlinkCall) error {
	return m.reseal(ctx, c, audit.VaultRekeyed, m.server.Vault.Rekey, c.ReplyRekeyVault)
}

func (m *adminMethods) UnsealVault(ctx context.Context, c api.VarlinkCall) error {
	return m.reseal(ctx, c, audit.VaultUnsealed, m.server.Vault.Unseal, c.ReplyUnsealVault)
}

// progressEvery is how many records are done between two replies that say so.
const progressEvery = 100

// reseal does one of the vault's changes of key. It goes on when the caller has gone: half done is of no use.
func (m *adminMethods) reseal(
	ctx context.Context, c api.VarlinkCall, kind audit.Kind,
	change func(progress func(done int)) (vault.Change, error),
	reply func(ctx context.Context, done int64, change *api.VaultChange) error,
) error {
	k := callOf(ctx)
	done, err := change(func(done int) {
		if c.WantsMore() && done%progressEvery == 0 {
			more := c
			more.Continues = true
			_ = more.Reply(ctx, map[string]int{"done": done})
		}
	})
	if err != nil {
		return m.server.fail(ctx, c.Call, k, err)
	}
	m.server.Audit.Record(audit.Event{Kind: kind, By: k.by, Path: done.KeyFile})
	return reply(ctx, int64(done.Records), &api.VaultChange{
		Records: int64(done.Records), Key_id: maybe(done.KeyID), Key_file: maybe(done.KeyFile), Credential: maybe(done.Credential),
	})
}

// maybe is absent for the empty text.
func maybe(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
