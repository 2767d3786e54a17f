package server

import (
	"context"

	api "sallyport/internal/api/iosallyportaccount"
	"sallyport/internal/enroll"
	"sallyport/internal/otp"
	"sallyport/internal/verifier"
)

// accountMethods are the handlers of io.sallyport.Account. Each is called only for a call that the guard let through;
// whose account it is about, is in the call.
type accountMethods struct {
	api.VarlinkInterface // answers what has no handler here
	server               *Server
}

func (m *accountMethods) Status(ctx context.Context, c api.VarlinkCall, _ *string) error {
	k := callOf(ctx)
	st, err := m.server.Verifier.Status(k.subject)
	if err != nil {
		return m.server.fail(ctx, c.Call, k, err)
	}
	return c.ReplyStatus(ctx, secondFactor(st))
}

func secondFactor(st verifier.Status) api.SecondFactor {
	f := api.SecondFactor{
		User: st.User, Enrolled: st.Enrolled, Tokens: make([]api.Token, len(st.Tokens)),
		Recovery_codes: int64(st.RecoveryCodes), Locked_until: maybeInstant(st.LockedUntil), Pending_until: maybeInstant(st.Pending),
	}
	for i, t := range st.Tokens {
		f.Tokens[i] = api.Token{
			Id: t.ID, Label: t.Label, Kind: string(t.Key.Kind), Algorithm: string(t.Key.Algorithm),
			Digits: int64(t.Key.Digits), Confirmed: instant(t.Confirmed),
		}
		if t.Key.Kind == otp.TOTP {
			seconds := int64(t.Key.Period.Seconds())
			f.Tokens[i].Period = &seconds
		}
	}
	if !st.LastAccepted.IsZero() {
		f.Last = &api.LastLogin{At: instant(st.LastAccepted), Service: st.LastService, Source: st.LastSource}
	}
	return f
}

func (m *accountMethods) Enroll(ctx context.Context, c api.VarlinkCall, _, _, _, _ *string, digits *int64, _, _ *string) error {
	k := callOf(ctx)
	o := enroll.Options{
		Label: k.text("label"), Kind: otp.Kind(k.text("kind")), Algorithm: otp.Algorithm(k.text("algorithm")),
		Replaces: k.text("reconfigure"),
	}
	if digits != nil {
		o.Digits = int(*digits)
	}
	setup, err := m.server.Verifier.Enroll(k.subject, o, verifier.Proof{Code: k.text("code"), By: k.by})
	if err != nil {
		return m.server.fail(ctx, c.Call, k, err)
	}
	uri, err := setup.URI.Reveal()
	if err != nil {
		return m.server.fail(ctx, c.Call, k, err)
	}
	return c.ReplyEnroll(ctx, setup.ID, uri, setup.URI.Key.Secret.Base32(), instant(setup.Expires))
}

func (m *accountMethods) Confirm(ctx context.Context, c api.VarlinkCall, _ *string, id, code string) error {
	k := callOf(ctx)
	done, err := m.server.Verifier.Confirm(k.subject, id, code, k.by)
	if err != nil {
		return m.server.fail(ctx, c.Call, k, err)
	}
	return c.ReplyConfirm(ctx, done.Token, present(done.Recovery))
}

func (m *accountMethods) Rename(ctx context.Context, c api.VarlinkCall, _ *string, token, label string) error {
	k := callOf(ctx)
	if err := m.server.Verifier.Rename(k.subject, token, label); err != nil {
		return m.server.fail(ctx, c.Call, k, err)
	}
	return c.ReplyRename(ctx)
}

func (m *accountMethods) Forget(ctx context.Context, c api.VarlinkCall, _ *string) error {
	k := callOf(ctx)
	if err := m.server.Verifier.Forget(k.subject, k.by); err != nil {
		return m.server.fail(ctx, c.Call, k, err)
	}
	return c.ReplyForget(ctx)
}

func (m *accountMethods) Remove(ctx context.Context, c api.VarlinkCall, _, _ *string, code string) error {
	k := callOf(ctx)
	if err := m.server.Verifier.Remove(k.subject, k.text("token"), code); err != nil {
		return m.server.fail(ctx, c.Call, k, err)
	}
	return c.ReplyRemove(ctx)
}

func (m *accountMethods) RecoveryCodes(ctx context.Context, c api.VarlinkCall, _ *string, code string) error {
	k := callOf(ctx)
	codes, err := m.server.Verifier.RecoveryCodes(k.subject, code)
	if err != nil {
		return m.server.fail(ctx, c.Call, k, err)
	}
	return c.ReplyRecoveryCodes(ctx, present(codes))
}

func (m *accountMethods) Resync(ctx context.Context, c api.VarlinkCall, _, _ *string, code1, code2 string) error {
	k := callOf(ctx)
	if err := m.server.Verifier.Resync(k.subject, k.text("token"), code1, code2, k.by); err != nil {
		return m.server.fail(ctx, c.Call, k, err)
	}
	return c.ReplyResync(ctx)
}

// present is never null in JSON.
func present(texts []string) []string {
	if texts == nil {
		return []string{}
	}
	return texts
}
