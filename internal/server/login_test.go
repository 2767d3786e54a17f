package server

import (
	"testing"
	"time"
)

const always = "[[rule]]\nrequire = \"always\"\n"

// step is a reply's step.
func step(t *testing.T, reply map[string]any, failure string) (verdict string, asked bool) {
	t.Helper()
	s, ok := reply["step"].(map[string]any)
	if !ok {
		t.Fatalf("no step but %v, error %q", reply, failure)
	}
	if _, ok := s["tell"].([]any); !ok {
		t.Errorf("tell is %v, want a list", s["tell"])
	}
	verdict, _ = s["verdict"].(string)
	_, asked = s["ask"]
	if asked == (verdict != "") {
		t.Errorf("a step with verdict %q and a question: %v", verdict, asked)
	}
	return verdict, asked
}

func TestDialogue(t *testing.T) {
	h := newHost(t, always)
	p := h.enroll(t, "alice")
	c := h.dial(t, 0)
	about := map[string]any{"user": "alice", "service": "panel", "rhost": "192.0.2.7"}
	reply, failure := callOn(t, c, "io.sallyport.Login.Begin", about)
	if _, asked := step(t, reply, failure); !asked {
		t.Fatalf("no question in %v", reply)
	}
	reply, failure = callOn(t, c, "io.sallyport.Login.Answer", map[string]any{"text": "a password"})
	if _, asked := step(t, reply, failure); !asked {
		t.Fatalf("no second question in %v", reply)
	}
	reply, failure = callOn(t, c, "io.sallyport.Login.Answer", map[string]any{"text": p.code(t, h)})
	if verdict, _ := step(t, reply, failure); verdict != "granted" {
		t.Errorf("verdict %q, want granted", verdict)
	}
	if _, failure := callOn(t, c, "io.sallyport.Login.Answer", map[string]any{"text": "123456"}); failure != "NoDialogue" {
		t.Errorf("an answer after the end: %q, want NoDialogue", failure)
	}
}

// TestDialogueIsTheConnections shows that nobody answers for somebody else, and that a new login gives the old one up.
func TestDialogueIsTheConnections(t *testing.T) {
	h := newHost(t, always)
	alice, root := h.enroll(t, "alice"), h.enroll(t, "root")
	c := h.dial(t, 0)
	reply, failure := callOn(t, c, "io.sallyport.Login.Begin", map[string]any{"user": "alice", "service": "panel"})
	step(t, reply, failure)
	if _, failure := h.call(t, 0, "io.sallyport.Login.Answer", map[string]any{"text": alice.code(t, h)}); failure != "NoDialogue" {
		t.Errorf("an answer on another connection: %q, want NoDialogue", failure)
	}
	reply, failure = callOn(t, c, "io.sallyport.Login.Begin", map[string]any{"user": "root", "service": "panel"})
	step(t, reply, failure)
	reply, failure = callOn(t, c, "io.sallyport.Login.Answer", map[string]any{"text": alice.code(t, h)})
	if verdict, _ := step(t, reply, failure); verdict == "granted" {
		t.Error("alice's code let root in")
	}
	reply, failure = callOn(t, c, "io.sallyport.Login.Answer", map[string]any{"text": root.code(t, h)})
	if verdict, _ := step(t, reply, failure); verdict != "granted" {
		t.Errorf("root's code: %q, want granted", verdict)
	}
	if _, failure := callOn(t, c, "io.sallyport.Login.Begin", map[string]any{"user": "a/b", "service": "panel"}); failure != "BadInput" {
		t.Errorf("a bad name: %q", failure)
	}
}

// TestBeginGivesTheLastLoginUp shows that also a login without a question does.
func TestBeginGivesTheLastLoginUp(t *testing.T) {
	h := newHost(t, "[[rule]]\nservices = [\"open\"]\nrequire = \"never\"\n"+always)
	p := h.enroll(t, "alice")
	c := h.dial(t, 0)
	for _, test := range []struct {
		service string
		asks    bool
	}{{"panel", true}, {"open", false}} {
		reply, failure := callOn(t, c, "io.sallyport.Login.Begin", map[string]any{"user": "alice", "service": test.service})
		if _, asked := step(t, reply, failure); asked != test.asks {
			t.Fatalf("%s asks: %v, want %v", test.service, asked, test.asks)
		}
	}
	if _, failure := callOn(t, c, "io.sallyport.Login.Answer", map[string]any{"text": p.code(t, h)}); failure != "NoDialogue" {
		t.Errorf("an answer to the login before: %q, want NoDialogue", failure)
	}
}

func TestVerify(t *testing.T) {
	h := newHost(t, always)
	p := h.enroll(t, "alice")
	verify := func(uid uint32, code string) string {
		t.Helper()
		reply, failure := h.call(t, uid, "io.sallyport.Login.Verify", map[string]any{"user": "alice", "code": code, "service": "panel"})
		if failure != "" {
			return failure
		}
		if verdict := reply["verdict"]; verdict != "granted" && reply["message"] == "" {
			t.Errorf("verdict %v without a message", verdict)
		}
		return reply["verdict"].(string)
	}
	code := p.code(t, h)
	for _, test := range []struct {
		uid        uint32
		code, want string
	}{
		{0, "a password", "denied"},
		{1001, code, "NotAllowed"},
		{0, code, "granted"},
		{0, code, "denied"},
		{1000, code, "denied"},
	} {
		if got := verify(test.uid, test.code); got != test.want {
			t.Errorf("uid %d: %q, want %q", test.uid, got, test.want)
		}
	}
	h.wait(time.Minute)
	if got := verify(1000, p.code(t, h)); got != "granted" {
		t.Errorf("by alice for herself: %q, want granted", got)
	}
}

// TestAccount goes through a user's own second factor, from nothing to nothing.
func TestAccount(t *testing.T) {
	h := newHost(t, "")
	call := func(method string, parameters map[string]any, want string) map[string]any {
		t.Helper()
		reply, failure := h.call(t, 1000, "io.sallyport.Account."+method, parameters)
		if failure != want {
			t.Fatalf("%s: %q, want %q", method, failure, want)
		}
		return reply
	}
	call("Remove", map[string]any{"code": "123456"}, "NotEnrolled")
	call("RecoveryCodes", map[string]any{"code": "123456"}, "NotEnrolled")
	call("Confirm", map[string]any{"id": "no such", "code": "123456"}, "NoPendingSetup")
	setup := call("Enroll", map[string]any{"label": "mein Gerät"}, "")
	if setup["id"] == "" || setup["uri"] == "" || setup["secret"] == "" || setup["expires"] == "" {
		t.Errorf("something is missing of the set-up")
	}
	call("Confirm", map[string]any{"id": setup["id"], "code": "000000"}, "CodeInvalid")
	p := personOf(t, setup["secret"].(string))
	done := call("Confirm", map[string]any{"id": setup["id"], "code": p.code(t, h)}, "")
	if codes := done["recovery_codes"].([]any); len(codes) != 10 || done["token"] != "mein Gerät" {
		t.Errorf("confirmed %v with %d recovery codes", done["token"], len(codes))
	}
	status := call("Status", nil, "")["status"].(map[string]any)
	tokens := status["tokens"].([]any)
	if status["enrolled"] != true || status["recovery_codes"] != 10.0 || len(tokens) != 1 {
		t.Errorf("status %v", status)
	}
	if token := tokens[0].(map[string]any); token["label"] != "mein Gerät" || token["period"] != 30.0 || token["digits"] != 6.0 {
		t.Errorf("token %v", token)
	}
	call("Enroll", map[string]any{"reconfigure": "no such", "code": p.code(t, h)}, "CodeInvalid")
	h.wait(2 * time.Minute)
	call("RecoveryCodes", map[string]any{"code": p.code(t, h)}, "")
	call("RecoveryCodes", map[string]any{"code": p.code(t, h)}, "CodeInvalid")
	h.wait(2 * time.Minute)
	call("Remove", map[string]any{"token": "no such", "code": p.code(t, h)}, "NoSuchToken")
	call("Remove", map[string]any{"code": p.code(t, h)}, "")
	if status := call("Status", nil, "")["status"].(map[string]any); status["enrolled"] != false {
		t.Errorf("after it is removed: %v", status)
	}
}
