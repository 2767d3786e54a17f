package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"iter"
	"strings"
	"text/tabwriter"

	"github.com/varlink/go/varlink"

	admin "sallyport/internal/api/iosallyportadmin"
	"sallyport/internal/client"
	"sallyport/internal/otp"
	"sallyport/internal/transfer"
)

// importResult is what became of an import, or would.
type importResult struct {
	Applied bool           `json:"applied"`
	Users   []importedUser `json:"users"`
	Counts  map[string]int `json:"counts"` // by outcome
}

// importedUser is what became of one user.
type importedUser struct {
	User          string   `json:"user"`
	Where         string   `json:"where,omitempty"` // in the source
	Outcome       string   `json:"outcome"`
	Devices       int      `json:"devices"`
	RecoveryCodes int      `json:"recovery_codes"`
	Notes         []string `json:"notes,omitempty"`
	Error         string   `json:"error,omitempty"` // a sentence
}

// The outcomes: the daemon's, and two more.
const (
	outcomeAdded    = "added"
	outcomeReplaced = "replaced"
	outcomeSame     = "same"
	outcomeExists   = "exists"
	outcomeUnknown  = "unknown-user" // the host has no such user
	outcomeRefused  = "refused"      // it cannot be taken; the error says why
)

// outcomes say what became of a user: when it is only said, and when it is done.
var outcomes = map[string][2]string{
	outcomeAdded:    {"would be added", "added"},
	outcomeReplaced: {"would be replaced", "replaced"},
	outcomeSame:     {"is there already", "is there already"},
	outcomeExists:   {"has another second factor: --replace", "has another second factor: --replace"},
	outcomeUnknown:  {"no such user here", "no such user here"},
	outcomeRefused:  {"cannot be taken over", "cannot be taken over"},
}

// importAccounts imports accounts one by one, and reports.
func (a *app) importAccounts(ctx context.Context, accounts []transfer.Account, o *importOptions) error {
	return a.importEach(o, func(yield func(importedUser, error) bool) {
		for i := range accounts {
			if !yield(a.importAccount(ctx, &accounts[i], o)) {
				return
			}
		}
	})
}

// importEach reports what becomes of users. The first error ends it; what was done before is reported all the same.
func (a *app) importEach(o *importOptions, users iter.Seq2[importedUser, error]) error {
	r := importResult{Applied: o.apply, Users: []importedUser{}, Counts: map[string]int{}}
	progress := a.progress("users")
	defer progress.done()
	for u, err := range users {
		if err != nil {
			progress.done()
			if len(r.Users) > 0 {
				a.reportImport(r, o)
			}
			return err
		}
		r.Users = append(r.Users, u)
		r.Counts[u.Outcome]++
		progress.step()
	}
	if len(r.Users) == 0 {
		return sentence("There is nobody in it.")
	}
	progress.done()
	a.reportImport(r, o)
	if r.Counts[outcomeExists]+r.Counts[outcomeUnknown]+r.Counts[outcomeRefused] > 0 {
		return errSaid
	}
	return nil
}

// importAccount has the daemon import one account. The error is one that every other would meet too.
func (a *app) importAccount(ctx context.Context, account *transfer.Account, o *importOptions) (importedUser, error) {
	u := importedUser{
		User: account.User, Where: account.Where, Devices: len(account.Devices), RecoveryCodes: len(account.Scratch), Notes: account.Notes,
	}
	if account.User == "" && account.Err == nil {
		account.Err = errors.New("it does not say whose it is")
	}
	devices, recovery, err := portable(account)
	if err != nil {
		u.Outcome, u.Error = outcomeRefused, upper(err.Error())+"."
		return u, nil
	}
	p := admin.Portable{User: account.User, Devices: devices, Recovery: recovery}
	_, err = a.send(ctx, &u, p, o)
	return u, err
}

// send has the daemon give a user a second factor, and returns the uid that the user has here.
func (a *app) send(ctx context.Context, u *importedUser, p admin.Portable, o *importOptions) (uid int64, err error) {
	err = a.call(ctx, func(ctx context.Context, c *varlink.Connection) (err error) {
		var outcome admin.Outcome
		outcome, uid, err = admin.Import().Call(ctx, c, p.User, p.Devices, p.Recovery, maybe(p.Created), o.replace, o.apply)
		u.Outcome = string(outcome)
		return err
	})
	return uid, u.refused(err)
}

// refused takes an error that is about this user only.
func (u *importedUser) refused(err error) error {
	var unknown *admin.NoSuchUser
	var bad *admin.BadInput
	var unavailable *admin.Unavailable
	switch {
	case errors.As(err, &unknown):
		u.Outcome = outcomeUnknown
	case errors.As(err, &bad), errors.As(err, &unavailable):
		u.Outcome, u.Error = outcomeRefused, client.Sentence(err)
	default:
		return err
	}
	return nil
}

// portable is an account as the daemon takes it.
func portable(account *transfer.Account) ([]admin.PortableToken, []admin.RecoveryHash, error) {
	if account.Err != nil {
		return nil, nil, account.Err
	}
	var devices []admin.PortableToken
	for _, d := range account.Devices {
		uri, err := otp.URI{Account: account.User, Key: d.Key, Counter: d.Counter}.Reveal()
		if err != nil {
			return nil, nil, err
		}
		used := d.Used
		if used == nil {
			used = []int64{}
		}
		devices = append(devices, admin.PortableToken{Label: d.Label, Uri: uri, Offset: d.Offset, Used: used})
	}
	recovery := []admin.RecoveryHash{}
	for _, code := range account.Scratch {
		h, err := otp.HashRecovery(rand.Reader, string(code.Bytes()))
		if err != nil {
			return nil, nil, err
		}
		recovery = append(recovery, admin.RecoveryHash{
			Salt: base64.StdEncoding.EncodeToString(h.Salt), Hash: base64.StdEncoding.EncodeToString(h.Hash),
		})
	}
	return devices, recovery, nil
}

func (a *app) reportImport(r importResult, o *importOptions) {
	if o.asJSON {
		_ = a.writeJSON(r) // standard output: who reads it has gone
		return
	}
	tense := 0
	if r.Applied {
		tense = 1
	}
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "USER\tDEVICES\tRECOVERY CODES\tWHAT")
	for _, u := range r.Users {
		what := append([]string{outcomes[u.Outcome][tense]}, u.Notes...)
		if u.Error != "" {
			what[0] += ": " + lower(u.Error)
			if u.Where != "" {
				what[0] += fmt.Sprintf(" (%s)", u.Where)
			}
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%s\n", shownUser(u.User), u.Devices, u.RecoveryCodes, what[0])
		for _, note := range what[1:] {
			fmt.Fprintf(w, "\t\t\t%s\n", note)
		}
	}
	_ = w.Flush()
	a.say("\n%s", r.sentence())
}

// sentence sums an import up, and says what comes next.
func (r importResult) sentence() string {
	moved := r.Counts[outcomeAdded] + r.Counts[outcomeReplaced]
	left := len(r.Users) - moved - r.Counts[outcomeSame]
	text := fmt.Sprintf("%d of %d users would be taken over; nothing was changed.", moved, len(r.Users))
	switch {
	case r.Applied && moved > 0:
		text = fmt.Sprintf("%d of %d users were taken over. Codes of the last minute do not work here; the next ones do.", moved, len(r.Users))
	case r.Applied:
		text = "Nothing was changed."
	case moved > 0:
		text += " To do it, say --apply."
	}
	if left > 0 {
		text += fmt.Sprintf(" %d cannot be taken over as it is.", left)
	}
	return text
}

// shownUser is a name from a source, with nothing that a terminal would obey.
func shownUser(name string) string {
	if name == "" {
		return "-"
	}
	if quoted := fmt.Sprintf("%q", name); quoted != `"`+name+`"` {
		return quoted
	}
	return name
}

func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

func lower(s string) string { return strings.TrimSuffix(strings.ToLower(s[:1])+s[1:], ".") }
