package server

import (
	"fmt"
	"strings"
	"testing"
)

const sessionsPolicy = `
[sessions]
limit = 2
[[delegate]]
who  = ["@helpdesk"]
over = ["@customers"]
may  = ["sessions"]
`

// listedSessions is the users and sources of a call's sessions, and the first one's ID.
func listedSessions(reply map[string]any) (all, id string) {
	var texts []string
	for _, s := range reply["sessions"].([]any) {
		s := s.(map[string]any)
		texts = append(texts, fmt.Sprintf("%s@%s:%d", s["user"], s["source"], len(s["windows"].([]any))))
		if id == "" {
			id = s["id"].(string)
		}
	}
	return strings.Join(texts, " "), id
}

func TestSessions(t *testing.T) {
	h := newHost(t, sessionsPolicy)
	for i, at := range []struct{ user, source string }{
		{"alice", "192.0.2.1"}, {"bob", "192.0.2.1"}, {"alice", "192.0.2.2"}, {"alice", "192.0.2.1"}, {"root", "192.0.2.3"},
	} {
		h.Start(101+i, 0, "pts/1")
		reply, failure := h.call(t, 0, "io.sallyport.Login.OpenSession", map[string]any{
			"user": at.user, "service": "sshd", "rhost": at.source, "pid": 101 + i,
		})
		if reply["verdict"] != "granted" {
			t.Fatalf("%v: %v, %s", at, reply, failure)
		}
	}
	for _, test := range []struct {
		uid  uint32
		user any
		want string
	}{
		{0, nil, "alice@192.0.2.1:2 alice@192.0.2.2:1 bob@192.0.2.1:1 root@192.0.2.3:1"},
		{0, "alice", "alice@192.0.2.1:2 alice@192.0.2.2:1"},
		{1000, nil, "alice@192.0.2.1:2 alice@192.0.2.2:1"},
		{1001, nil, "bob@192.0.2.1:1"},
		{1002, nil, "alice@192.0.2.1:2 alice@192.0.2.2:1"},
		{1002, "alice", "alice@192.0.2.1:2 alice@192.0.2.2:1"},
		{33, nil, ""},
		{0, "mallory", ""},
	} {
		reply, failure := h.call(t, test.uid, "io.sallyport.Admin.Sessions", map[string]any{"user": test.user})
		if failure != "" {
			t.Errorf("%d asks for %v: %s", test.uid, test.user, failure)
			continue
		}
		if got, _ := listedSessions(reply); got != test.want {
			t.Errorf("%d asks for %v: %q, want %q", test.uid, test.user, got, test.want)
		}
	}
	if _, failure := h.call(t, 1001, "io.sallyport.Admin.Sessions", map[string]any{"user": "alice"}); failure != "NotAllowed" {
		t.Errorf("bob asks for alice's: %q", failure)
	}
	reply, _ := h.call(t, 1000, "io.sallyport.Admin.Sessions", nil)
	_, id := listedSessions(reply)
	window := reply["sessions"].([]any)[0].(map[string]any)["windows"].([]any)[0].(map[string]any)
	if window["service"] != "sshd" || window["pid"] != 101.0 || fmt.Sprint(window["terminals"]) != "[pts/1]" || window["since"] != "2026-11-23T12:00:00Z" {
		t.Errorf("a window is %v", window)
	}
	for _, test := range []struct {
		uid     uint32
		about   map[string]any
		failure string
		ended   any
		by      string
	}{
		{1001, map[string]any{"user": "alice", "id": id}, "NotAllowed", nil, ""},
		{1002, map[string]any{"user": "bob"}, "NotAllowed", nil, ""},
		{1001, map[string]any{"user": "bob", "id": id}, "NoSuchSession", nil, ""},
		{1000, map[string]any{"user": "alice", "id": id}, "", 1.0, "alice"},
		{1002, map[string]any{"user": "alice"}, "", 1.0, "help"},
		{1002, map[string]any{"user": "alice"}, "", 0.0, ""},
		{0, map[string]any{"user": "bob"}, "", 1.0, "root"},
	} {
		reply, failure := h.call(t, test.uid, "io.sallyport.Admin.EndSession", test.about)
		if failure != test.failure || reply["ended"] != test.ended {
			t.Errorf("%d ends %v: %v, %q; want %v, %q", test.uid, test.about, reply, failure, test.ended, test.failure)
		}
		if test.by != "" && !strings.Contains(h.events.all(), fmt.Sprintf("by %q", test.by)) {
			t.Errorf("the journal does not say that %s did it:\n%s", test.by, h.events.all())
		}
	}
	if n := len(h.Ending()); n != 4 {
		t.Errorf("%d windows are ended, want 4", n)
	}
}

// TestSessionOfAPanel: a panel may log people in, and name only its own processes for it.
func TestSessionOfAPanel(t *testing.T) {
	h := newHost(t, authorityPolicy)
	h.Start(101, 0)
	h.Start(102, 33)
	for pid, want := range map[int]string{101: "session_refused", 102: "granted"} {
		reply, failure := h.call(t, 33, "io.sallyport.Login.OpenSession", map[string]any{"user": "alice", "service": "cockpit", "pid": pid})
		if reply["verdict"] != want {
			t.Errorf("process %d: %v, %s; want %s", pid, reply, failure, want)
		}
	}
	if reply, failure := h.call(t, 33, "io.sallyport.Login.CloseSession", map[string]any{"user": "alice", "service": "cockpit", "pid": 102}); reply["verdict"] != "granted" {
		t.Errorf("the end: %v, %s", reply, failure)
	}
	if reply, _ := h.call(t, 0, "io.sallyport.Admin.Sessions", nil); len(reply["sessions"].([]any)) != 0 {
		t.Errorf("a session is left: %v", reply)
	}
}
