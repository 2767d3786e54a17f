package server

import (
	"context"
	"strings"

	"github.com/varlink/go/varlink"

	api "sallyport/internal/api/iosallyportlogin"
	"sallyport/internal/login"
)

// loginMethods are the handlers of io.sallyport.Login. Each is called only for a call that the guard let through; whose
// login it is, is in the call.
type loginMethods struct {
	api.VarlinkInterface // answers what has no handler here
	server               *Server
}

// loginDispatcher has the generated code look at a call's parameters once more, but for Verify: panels call it for each
// login, and what the guard has read is all that the handler takes.
type loginDispatcher struct {
	*api.VarlinkInterface
	methods *loginMethods
}

func newLoginDispatcher(m *loginMethods) loginDispatcher {
	return loginDispatcher{api.VarlinkNew(m), m}
}

// VarlinkDispatch has a call handled that the guard let through.
func (d loginDispatcher) VarlinkDispatch(ctx context.Context, c varlink.Call, method string) error {
	if method == "Verify" {
		k := callOf(ctx)
		return d.methods.Verify(ctx, api.VarlinkCall{Call: c}, k.subject, k.text("code"), "", nil, nil)
	}
	return d.VarlinkInterface.VarlinkDispatch(ctx, c, method)
}

func (m *loginMethods) Begin(ctx context.Context, c api.VarlinkCall, _, _ string, _, _ *string) error {
	k := callOf(ctx)
	l, step := m.server.Verifier.Begin(k.login)
	k.dialogue = nil
	if step.Ask != nil {
		k.dialogue = l
	}
	return c.ReplyBegin(ctx, apiStep(step))
}

func (m *loginMethods) Answer(ctx context.Context, c api.VarlinkCall, text string) error {
	k := callOf(ctx)
	if k.dialogue == nil {
		return m.server.fail(ctx, c.Call, k, errNoDialogue)
	}
	step := k.dialogue.Answer(text)
	if step.Ask == nil {
		k.dialogue = nil
	}
	return c.ReplyAnswer(ctx, apiStep(step))
}

func (m *loginMethods) Verify(ctx context.Context, c api.VarlinkCall, _, code, _ string, _, _ *string) error {
	verdict, message := outcome(m.server.Verifier.Verify(callOf(ctx).login, code))
	return c.ReplyVerify(ctx, verdict, message)
}

func (m *loginMethods) OpenSession(ctx context.Context, c api.VarlinkCall, _, _ string, _, _ *string, pid int64) error {
	k := callOf(ctx)
	r := k.login
	r.PID = int(pid)
	verdict, message := outcome(m.server.Verifier.OpenSession(k.caller.verifying(), r))
	return c.ReplyOpenSession(ctx, verdict, message)
}

func (m *loginMethods) CloseSession(ctx context.Context, c api.VarlinkCall, _, _ string, _, _ *string, pid int64) error {
	k := callOf(ctx)
	r := k.login
	r.PID = int(pid)
	verdict, message := outcome(m.server.Verifier.CloseSession(k.caller.verifying(), r))
	return c.ReplyCloseSession(ctx, verdict, message)
}

func apiStep(s login.Step) api.Step {
	step := api.Step{Tell: make([]api.Message, len(s.Tell))}
	for i, m := range s.Tell {
		step.Tell[i] = api.Message{Error: m.Error, Text: m.Text}
	}
	if s.Ask != nil {
		step.Ask = &api.Prompt{Text: s.Ask.Text, Echo: s.Ask.Echo}
		return step
	}
	verdict := apiVerdict(s.Verdict)
	step.Verdict = &verdict
	return step
}

// outcome is a last step as a verdict and one text.
func outcome(s login.Step) (api.Verdict, string) {
	texts := make([]string, len(s.Tell))
	for i, m := range s.Tell {
		texts[i] = m.Text
	}
	return apiVerdict(s.Verdict), strings.Join(texts, " ")
}

// apiVerdict maps by name, so that whatever it does not know is a denial.
func apiVerdict(v login.Verdict) api.Verdict {
	switch v {
	case login.Granted:
		return "granted"
	case login.Locked:
		return "locked"
	case login.NotRequired:
		return "not_required"
	case login.Unavailable:
		return "unavailable"
	case login.AccountRefused:
		return "account_refused"
	case login.SessionRefused:
		return "session_refused"
	default:
		return "denied"
	}
}
