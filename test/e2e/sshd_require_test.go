package e2e

import (
	"slices"
	"strings"
	"testing"

	"sallyport/test/host"
)

func TestSSHWithoutASecondFactor(t *testing.T) {
	t.Run("always", func(t *testing.T) {
		_, s := protectedSSHD(t, require("always"))
		host.AddUser(t, "alice")
		x := login(t, ssh(t, s, "alice", "-o", "NumberOfPasswordPrompts=1"), "123456")
		x.Answer("wrong(?s:.*)"+codePrompt, "654321")
		x.Answer("wrong(?s:.*)"+codePrompt, "000000")
		refused(t, x)
	})
	t.Run("if-enrolled", func(t *testing.T) {
		_, s := protectedSSHD(t, require("if-enrolled"))
		host.AddUser(t, "alice")
		x := ssh(t, s, "alice")
		x.Answer(passwordPrompt, host.Password)
		x.Expect(inside)
		entered(t, x)
	})
	t.Run("enroll until later", func(t *testing.T) {
		_, s := protectedSSHD(t, require("enroll")+"until = 2099-03-01\n")
		host.AddUser(t, "alice")
		x := ssh(t, s, "alice")
		x.Answer(passwordPrompt, host.Password)
		x.Expect("1 March 2099")
		x.Expect(inside)
		entered(t, x)
	})
	t.Run("enroll until earlier", func(t *testing.T) {
		_, s := protectedSSHD(t, require("enroll")+"until = 2020-03-01\n")
		host.AddUser(t, "alice")
		x := ssh(t, s, "alice")
		setUp(t, x)
	})
	t.Run("never", func(t *testing.T) {
		_, s := protectedSSHD(t, require("never"))
		host.AddUser(t, "alice")
		x := ssh(t, s, "alice")
		x.Answer(passwordPrompt, host.Password)
		x.Expect(inside)
		entered(t, x)
	})
}

// Who has a second factor is asked for it unless the policy says never.
func TestSSHWithASecondFactor(t *testing.T) {
	for _, value := range []string{"always", "if-enrolled", "enroll"} {
		t.Run(value, func(t *testing.T) {
			_, s := protectedSSHD(t, require(value))
			alice := enrolled(t, "alice")
			entered(t, login(t, ssh(t, s, "alice"), alice.app.Code()))
		})
	}
	t.Run("never", func(t *testing.T) {
		_, s := protectedSSHD(t, require("never"))
		enrolled(t, "alice")
		x := ssh(t, s, "alice")
		x.Answer(passwordPrompt, host.Password)
		x.Expect(inside)
		entered(t, x)
	})
	t.Run("switched off", func(t *testing.T) {
		d, s := protectedSSHD(t, require("always"))
		enrolled(t, "alice")
		host.Policy(t, "enabled = false\n"+require("always"))
		d.Stop()
		d.Start()
		x := ssh(t, s, "alice")
		x.Answer(passwordPrompt, host.Password)
		x.Expect(inside)
		entered(t, x)
	})
}

// An unknown user is asked and told what a known one is, so that nobody learns who exists: also where the code comes
// before the password.
func TestSSHUnknownUser(t *testing.T) {
	for _, value := range []string{"always", "if-enrolled", "enroll", "never"} {
		t.Run(value, func(t *testing.T) {
			host.StartDaemon(t, require(value))
			enrolled(t, "alice")
			host.AddUser(t, "bob")
			s := host.StartSSHD(t)
			for stack, set := range map[string]func(*testing.T){"password first": passwordFirst, "code first": codeFirst} {
				t.Run(stack, func(t *testing.T) {
					set(t)
					like := "bob"
					if value == "enroll" {
						like = "alice" // bob would be shown a key
					}
					known, unknown := prompts(t, s, like, "123456"), prompts(t, s, "nobody-here", "123456")
					if !slices.Equal(known, unknown) {
						t.Errorf("%s is asked\n%q,\nan unknown user\n%q", like, known, unknown)
					}
				})
			}
		})
	}
}

func passwordFirst(t *testing.T) {
	t.Helper()
	host.Protect(t, "sshd")
}

func codeFirst(t *testing.T) {
	t.Helper()
	host.PAM(t, "sshd",
		host.Module(t, "auth", "requisite"),
		"@include common-auth",
		host.Module(t, "account", "required"),
		"@include common-account",
		"@include common-session",
	)
}

// Where the code comes before the password and is always asked for, who is enrolled, who is not and who does not exist
// see the same, until they are locked and after it; and what cannot be a code locks none of them.
func TestSSHTellsNoNames(t *testing.T) {
	host.StartDaemon(t, require("always"))
	wrong := enrolled(t, "alice").app.Wrong()
	host.AddUser(t, "bob")
	codeFirst(t)
	s := host.StartSSHD(t)
	for _, login := range []struct {
		code   string
		locked bool
	}{{host.Password, false}, {host.Password, false}, {wrong, false}, {wrong, true}, {wrong, true}} {
		want := prompts(t, s, "alice", login.code)
		if locked := strings.Contains(strings.Join(want, ""), "Too many wrong codes"); locked != login.locked {
			t.Errorf("alice is locked: %v, want %v; she saw\n%q", locked, login.locked, want)
		}
		for _, name := range []string{"bob", "nobody-here"} {
			if got := prompts(t, s, name, login.code); !slices.Equal(got, want) {
				t.Errorf("alice is asked\n%q,\n%s\n%q", want, name, got)
			}
		}
	}
}

// prompts answers every prompt of one try wrongly and returns all that was shown, with the user's name left out.
func prompts(t *testing.T, s *host.SSHD, name, code string) []string {
	t.Helper()
	x := ssh(t, s, name, "-o", "NumberOfPasswordPrompts=1")
	var shown []string
	for {
		found := x.Expect(`(?s)(.*?)(Password: |Verification code: |Permission denied)`)
		shown = append(shown, strings.ReplaceAll(found[0], name, "NAME"))
		switch found[2] {
		case passwordPrompt:
			x.Reply("wrong")
		case codePrompt:
			x.Reply(code)
		default:
			refused(t, x)
			return shown
		}
		if len(shown) > 20 {
			t.Fatalf("it asks and asks:\n%s", strings.Join(shown, ""))
		}
	}
}
