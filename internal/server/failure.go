package server

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/varlink/go/varlink"

	account "sallyport/internal/api/iosallyportaccount"
	admin "sallyport/internal/api/iosallyportadmin"
	login "sallyport/internal/api/iosallyportlogin"
	"sallyport/internal/audit"
	"sallyport/internal/disk"
	"sallyport/internal/enroll"
	"sallyport/internal/ledger"
	"sallyport/internal/policy"
	"sallyport/internal/vault"
	"sallyport/internal/verifier"
)

// notAllowed says that the table has no grant for the caller.
type notAllowed struct{ method, reason string }

func (e notAllowed) Error() string { return fmt.Sprintf("%s: %s", e.method, e.reason) }

// badInput says what is wrong with a parameter.
type badInput struct{ parameter, reason string }

func (e badInput) Error() string { return e.parameter + " " + e.reason }

// errNoDialogue says that no login of the connection waits for an answer.
var errNoDialogue = errors.New("no login waits for an answer")

// errMoreNeeded says that a method has more replies than the caller takes.
var errMoreNeeded = errors.New("the method must be called with more")

// fail answers a call with an error of its interface.
func (s *Server) fail(ctx context.Context, c varlink.Call, k *call, err error) error {
	name, parameters := s.failure(k, err)
	return c.ReplyError(ctx, k.method[:strings.LastIndexByte(k.method, '.')+1]+name, parameters)
}

// failure is the Varlink error for err: its name without the interface, and its parameters. Errors of one name have the
// same parameters in every interface that has them. What is nobody's mistake is Unavailable, and goes into the journal.
func (s *Server) failure(k *call, err error) (name string, parameters any) {
	var (
		refused  notAllowed
		bad      badInput
		locked   *verifier.LockedError
		code     *verifier.CodeError
		setup    *verifier.SetupError
		problems policy.Problems
		setting  *policy.SettingError
		over     *policy.OverriddenError
	)
	switch {
	case errors.As(err, &refused):
		return "NotAllowed", account.NotAllowed{Method: refused.method, Reason: refused.reason}
	case errors.As(err, &bad):
		return "BadInput", account.BadInput{Parameter: bad.parameter, Reason: bad.reason}
	case errors.Is(err, errMoreNeeded):
		return "MoreNeeded", admin.MoreNeeded{}
	case errors.Is(err, errNoDialogue):
		return "NoDialogue", login.NoDialogue{}
	case errors.As(err, &locked):
		return "Locked", account.Locked{Until: instant(locked.Until)}
	case errors.As(err, &code):
		return "CodeInvalid", account.CodeInvalid{Message: code.Finding.Text()}
	case errors.As(err, &setup):
		return "CodeInvalid", account.CodeInvalid{Message: setup.Text}
	case errors.Is(err, enroll.ErrCode):
		return "CodeInvalid", account.CodeInvalid{Message: "The security code is invalid."}
	case errors.Is(err, verifier.ErrCodeRequired):
		return "CodeRequired", account.CodeRequired{}
	case errors.Is(err, verifier.ErrSwitchedOff):
		return "SwitchedOff", account.SwitchedOff{}
	case errors.Is(err, verifier.ErrUnknownUser):
		return "NoSuchUser", account.NoSuchUser{User: k.subject}
	case errors.Is(err, verifier.ErrNoSession):
		return "NoSuchSession", admin.NoSuchSession{Id: k.text("id")}
	case errors.As(err, &problems):
		return "PolicyRejected", admin.PolicyRejected{Problems: lines(problems)}
	case errors.As(err, &setting):
		return "BadSetting", admin.BadSetting{Name: setting.Name, Reason: setting.Text}
	case errors.As(err, &over):
		return "Overridden", admin.Overridden{Name: over.Name, File: over.File, Line: int64(over.Line)}
	}
	if name, parameters, ok := enrolment(k, err); ok {
		return name, parameters
	}
	return "Unavailable", s.unavailable(k, err)
}

// enrolment is the Varlink error for what the pure package enroll refuses.
func enrolment(k *call, err error) (name string, parameters any, ok bool) {
	token := k.text("token")
	if token == "" {
		token = k.text("reconfigure")
	}
	switch {
	case errors.Is(err, enroll.ErrNotEnrolled):
		return "NotEnrolled", account.NotEnrolled{User: k.subject}, true
	case errors.Is(err, enroll.ErrNoSetup):
		return "NoPendingSetup", account.NoPendingSetup{Id: k.text("id")}, true
	case errors.Is(err, enroll.ErrUnknownToken):
		return "NoSuchToken", account.NoSuchToken{Token: token}, true
	case errors.Is(err, enroll.ErrNeedToken):
		return "TokenNeeded", account.TokenNeeded{}, true
	case errors.Is(err, enroll.ErrTooMany):
		return "TooManyTokens", account.TooManyTokens{}, true
	case errors.Is(err, enroll.ErrLabelTaken):
		return "BadInput", account.BadInput{Parameter: "label", Reason: "is another token's already"}, true
	}
	return "", nil, false
}

// unavailable puts into the journal what kept a call from being answered, and says it to the caller.
func (s *Server) unavailable(k *call, err error) account.Unavailable {
	u := account.Unavailable{Reason: err.Error()}
	path, mend := file(err)
	e := audit.Event{Kind: audit.Unavailable, User: k.subject, Method: k.method, Reason: err.Error(), Path: path, Asker: k.peer.UID}
	if path != "" {
		e.Kind = audit.RecordUnreadable
		u.Path, u.Mend = &path, &mend
	}
	s.Audit.Record(e)
	return u
}

// unreadable says that a file gives nothing, to the journal.
func (s *Server) unreadable(path string, err error) {
	s.Audit.Record(audit.Event{Kind: audit.RecordUnreadable, Path: path, Reason: err.Error()})
}

// file is the file that an error is about, and what mends it; empty: the error is about none.
func file(err error) (path, mend string) {
	var (
		trust  *disk.TrustError
		record *vault.DamagedError
		used   *ledger.DamagedError
	)
	switch {
	case errors.As(err, &trust):
		return trust.Path, trust.Mend
	case errors.As(err, &record):
		return record.Path, record.Mend
	case errors.As(err, &used):
		return used.Path, used.Mend
	}
	return "", ""
}

func lines(problems policy.Problems) []string {
	all := make([]string, len(problems))
	for i, p := range problems {
		all[i] = p.String()
	}
	return all
}

// instant is a time as the interfaces have it.
func instant(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// maybeInstant is absent for the zero time.
func maybeInstant(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := instant(t)
	return &s
}
