package server

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	api "sallyport/internal/api/iosallyportadmin"
	"sallyport/internal/audit"
	"sallyport/internal/enroll"
	"sallyport/internal/otp"
	"sallyport/internal/vault"
	"sallyport/internal/verifier"
)

func (m *adminMethods) Import(
	ctx context.Context, c api.VarlinkCall, user string,
	devices []api.PortableToken, recovery []api.RecoveryHash, created *string, replace, apply bool,
) error {
	k := callOf(ctx)
	im, err := imported(user, devices, recovery, given(created))
	if err != nil {
		return m.server.fail(ctx, c.Call, k, err)
	}
	im.Replace = replace
	outcome, uid, err := m.server.Verifier.Import(user, im, apply, k.by)
	if err != nil {
		return m.server.fail(ctx, c.Call, k, err)
	}
	return c.ReplyImport(ctx, api.Outcome(outcome), int64(uid))
}

// imported is what comes in as package enroll has it. The values are bounded; what they say together is checked here, and
// as a whole before it is stored.
func imported(user string, devices []api.PortableToken, recovery []api.RecoveryHash, created time.Time) (enroll.Import, error) {
	im := enroll.Import{Created: created}
	for _, d := range devices {
		u, err := otp.ParseURI(d.Uri)
		if err != nil {
			return im, badInput{"devices", "have a " + err.Error()}
		}
		im.Devices = append(im.Devices, enroll.Device{
			Token: vault.Token{Label: d.Label, Key: u.Key, Offset: d.Offset, Counter: u.Counter, Confirmed: given(d.Confirmed)},
			Used:  d.Used,
		})
	}
	for _, h := range recovery {
		salt, err1 := base64.StdEncoding.DecodeString(h.Salt)
		hash, err2 := base64.StdEncoding.DecodeString(h.Hash)
		if err := errors.Join(err1, err2); err != nil {
			return im, badInput{"recovery", "must be base64"}
		}
		im.Recovery = append(im.Recovery, otp.RecoveryHash{Salt: salt, Hash: hash})
	}
	some := time.Unix(0, 0)
	r := vault.Record{User: user, Created: some, Recovery: im.Recovery}
	if !created.IsZero() {
		r.Created = created
	}
	for i, d := range im.Devices {
		d.ID = fmt.Sprintf("%016x", i)
		if d.Confirmed.IsZero() {
			d.Confirmed = some
		}
		r.Tokens = append(r.Tokens, d.Token)
	}
	if err := r.Validate(); err != nil {
		return im, badInput{"devices", "make no record: " + err.Error()}
	}
	return im, nil
}

// given is a time that check has let through; zero where there is none.
func given(instant *string) time.Time {
	if instant == nil {
		return time.Time{}
	}
	t, _ := time.Parse(time.RFC3339, *instant)
	return t
}

func (m *adminMethods) Export(ctx context.Context, c api.VarlinkCall, user string) error {
	k := callOf(ctx)
	p, err := m.portable(user)
	if err != nil {
		return m.server.fail(ctx, c.Call, k, err)
	}
	m.server.Audit.Record(audit.Event{Kind: audit.Exported, User: user, By: k.by})
	return c.ReplyExport(ctx, *p)
}

// portable is a user's record as it leaves the host.
func (m *adminMethods) portable(user string) (*api.Portable, error) {
	r, err := m.server.Verifier.Export(user)
	if err != nil {
		return nil, err
	}
	p := &api.Portable{
		User: r.User, Uid: int64(r.UID), Created: instant(r.Created),
		Devices: make([]api.PortableToken, len(r.Tokens)), Recovery: make([]api.RecoveryHash, len(r.Recovery)),
	}
	issuer := m.server.Verifier.Issuer()
	for i, t := range r.Tokens {
		uri, err := otp.URI{Issuer: issuer, Account: user, Key: t.Key, Counter: t.Counter}.Reveal()
		if err != nil {
			return nil, err
		}
		confirmed := instant(t.Confirmed)
		p.Devices[i] = api.PortableToken{Label: t.Label, Uri: uri, Offset: t.Offset, Used: []int64{}, Confirmed: &confirmed}
	}
	for i, h := range r.Recovery {
		p.Recovery[i] = api.RecoveryHash{
			Salt: base64.StdEncoding.EncodeToString(h.Salt), Hash: base64.StdEncoding.EncodeToString(h.Hash),
		}
	}
	return p, nil
}

func (m *adminMethods) Backup(ctx context.Context, c api.VarlinkCall) error {
	k := callOf(ctx)
	if !c.WantsMore() {
		return c.ReplyBackup(ctx, nil, nil)
	}
	// Put down first: who goes away in the middle has seen secrets all the same.
	m.server.Audit.Record(audit.Event{Kind: audit.VaultBackedUp, By: k.by})
	for user, err := range m.server.Vault.Users() {
		var p *api.Portable
		if err == nil {
			p, err = m.portable(user)
		}
		if errors.Is(err, enroll.ErrNotEnrolled) {
			continue // a set-up that waits for its code, or somebody who had the name before
		}
		more := c
		more.Continues = true
		if err := more.ReplyBackup(ctx, p, problemOf(user, err)); err != nil {
			return err
		}
	}
	return c.ReplyBackup(ctx, nil, nil)
}

// problemOf says why a user is not in the backup; nil: the user is.
func problemOf(user string, err error) *string {
	if err == nil {
		return nil
	}
	text := err.Error()
	if errors.Is(err, verifier.ErrUnknownUser) {
		text = fmt.Sprintf("%q is no user of this host any more", user)
	}
	return &text
}
