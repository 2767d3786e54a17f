package ctest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"testing"

	"sallyport/internal/wire"
)

// attack is what a hostile verifier does after begin, and what the host must get for it.
type attack struct {
	name string
	do   func(p *peer)
	code int
	slow bool // it takes the whole deadline
}

// packet makes the bytes of a packet without asking whether it is one.
func packet(kind wire.Kind, fields ...[]byte) []byte {
	return append([]byte{wire.Version, byte(kind)}, bytes.Join(fields, nil)...)
}

func field(tag wire.Tag, value string) []byte {
	b := binary.BigEndian.AppendUint16([]byte{byte(tag)}, uint16(len(value)))
	return append(b, value...)
}

func sends(b []byte) func(*peer) {
	return func(p *peer) {
		p.raw(b)
		p.gone()
	}
}

// attacks are malformed packets of every sort, and a granting one spoilt in every way; each would grant a login, or show
// something, if it were believed.
func attacks() []attack {
	granted, hidden := field(wire.TagVerdict, "\x01"), field(wire.TagHidden, "Code: ")
	hello := field(wire.TagInfo, "Believe me.")
	packets := map[string][]byte{
		"garbage":             []byte("HTTP/1.1 200 OK\r\n\r\n"),
		"one byte":            {wire.Version},
		"version 0":           append([]byte{0}, packet(wire.Final, granted)[1:]...),
		"version 2":           append([]byte{2}, packet(wire.Final, granted)[1:]...),
		"kind 0":              packet(0, granted),
		"unknown kind":        packet(0x43, granted),
		"a request":           packet(wire.Begin, field(wire.TagUser, "ann"), field(wire.TagService, "x"), field(wire.TagPID, "\x00\x00\x00\x01")),
		"an answer":           packet(wire.Answer, field(wire.TagAnswer, "")),
		"no verdict":          packet(wire.Final, hello),
		"verdict 0":           packet(wire.Final, hello, field(wire.TagVerdict, "\x00")),
		"verdict 8":           packet(wire.Final, hello, field(wire.TagVerdict, "\x08")),
		"verdict 255":         packet(wire.Final, hello, field(wire.TagVerdict, "\xff")),
		"empty verdict":       packet(wire.Final, hello, field(wire.TagVerdict, "")),
		"verdict of 4 bytes":  packet(wire.Final, hello, field(wire.TagVerdict, "\x00\x00\x00\x01")),
		"two verdicts":        packet(wire.Final, hello, granted, field(wire.TagVerdict, "\x02")),
		"verdict in an ask":   packet(wire.Ask, hidden, granted),
		"prompt in a final":   packet(wire.Final, granted, hidden),
		"two prompts":         packet(wire.Ask, hidden, field(wire.TagShown, "x")),
		"two hidden prompts":  packet(wire.Ask, hidden, hidden),
		"no prompt":           packet(wire.Ask, hello),
		"prompt with escape":  packet(wire.Ask, field(wire.TagHidden, "\x1b[2J")),
		"prompt with NUL":     packet(wire.Ask, field(wire.TagHidden, "Code\x00")),
		"prompt not UTF-8":    packet(wire.Ask, field(wire.TagHidden, "\xff\xfe")),
		"prompt too long":     packet(wire.Ask, field(wire.TagHidden, string(bytes.Repeat([]byte("x"), 512)))),
		"info with line feed": packet(wire.Final, field(wire.TagInfo, "a\nb"), granted),
		"info with C1":        packet(wire.Final, field(wire.TagInfo, "\u009b2J"), granted),
		"info too long":       packet(wire.Final, field(wire.TagInfo, string(bytes.Repeat([]byte("x"), 512))), granted),
		"cut UTF-8":           packet(wire.Final, field(wire.TagInfo, "\xe2\x96"), granted),
		"257 messages":        packet(wire.Final, bytes.Repeat(hello, 257), granted),
		"resume in a final":   packet(wire.Final, granted, field(wire.TagResume, "x")),
		"resume too long":     packet(wire.Ask, hidden, field(wire.TagResume, string(bytes.Repeat([]byte("x"), 513)))),
		"password of 1 byte":  packet(wire.Final, granted, field(wire.TagPassword, "\x01")),
		"password of 513":     packet(wire.Final, granted, field(wire.TagPassword, "\x02\x01")),
		"busy and granted":    packet(wire.Final, granted, field(wire.TagBusy, "")),
		"unknown field":       packet(wire.Final, granted, field(0x7f, "x")),
		"field 0":             packet(wire.Final, granted, field(0, "")),
		"a module's field":    packet(wire.Final, granted, field(wire.TagUser, "root")),
		"length too large":    packet(wire.Final, granted, []byte{0x90, 0xff, 0xff}),
		"length one too much": packet(wire.Final, []byte{byte(wire.TagVerdict), 0, 2, 1}),
		"half a field":        packet(wire.Final, granted, []byte{byte(wire.TagInfo), 0}),
		"trailing byte":       packet(wire.Final, granted, []byte{0}),
		"16385 bytes":         bytes.Repeat(packet(wire.Final, granted), 4000)[:wire.MaxPacket+1],
		"64 KiB and one byte": append(packet(wire.Final, granted), bytes.Repeat(field(0x80, ""), 21844)...)[:64<<10+1],
	}
	var all []attack
	for name, b := range packets {
		all = append(all, attack{name: name, do: sends(b), code: authErr})
	}
	whole := packet(wire.Final, hello, granted)
	for n := 1; n < len(whole); n++ {
		all = append(all, attack{name: fmt.Sprintf("truncated to %d", n), do: sends(whole[:n]), code: authErr})
	}
	return append(all,
		attack{name: "a byte at a time", code: authErr, do: func(p *peer) {
			for _, b := range whole {
				p.raw([]byte{b})
			}
			p.gone()
		}},
		attack{name: "malformed after an answer", code: authErr, do: func(p *peer) {
			p.ask("Code: ")
			p.answer("1")
			p.raw(packet(wire.Final, granted, granted))
			p.gone()
		}},
		attack{name: "silence after an answer", code: unavailable, slow: true, do: func(p *peer) {
			p.ask("Code: ")
			p.answer("1")
			p.gone()
		}},
		attack{name: "an empty packet", code: unavailable, do: func(p *peer) { p.raw(nil) }}, // reads as the end
	)
}

// TestHostileVerifier has one host log in against each attack in turn.
func TestHostileVerifier(t *testing.T) {
	for _, a := range attacks() {
		t.Run(a.name, func(t *testing.T) {
			kit := sanitized
			if a.slow {
				kit = hasty
			}
			tr := newTree(t, kit)
			tr.serve(t, "pam", func(p *peer) {
				p.request(wire.Begin)
				a.do(p)
			})
			o := tr.login(t, "answer=1", "--", "auth")
			for _, line := range o.lines[:len(o.lines)-1] {
				if line != "hidden Code: " {
					t.Errorf("it showed %q", line)
				}
			}
			if got, want := o.lines[len(o.lines)-1], code("auth", a.code); got != want {
				t.Errorf("%s, want %s; logged %q", got, want, o.logs)
			}
			if len(o.logs) == 0 {
				t.Error("nothing was logged")
			}
			if a.slow {
				o.waited(t, short.answer)
			}
		})
	}
}

// TestHostileVerifierUnderValgrind has one process go through them all, and through random packets, near and far from
// good ones.
func TestHostileVerifierUnderValgrind(t *testing.T) {
	tr := newTree(t, plain)
	var all []attack
	for _, a := range attacks() {
		if !a.slow {
			all = append(all, a)
		}
	}
	r := rand.New(rand.NewPCG(5, 5))
	for range 200 {
		b := packet(wire.Ask, field(wire.TagInfo, "Hello."), field(wire.TagHidden, "Code: "), field(wire.TagResume, "x"))
		for range 1 + r.IntN(3) {
			b[r.IntN(len(b))] = byte(r.IntN(256))
		}
		all = append(all, attack{do: func(p *peer) {
			p.raw(b)
			if _, err := p.conn.Read(soon()); err == nil { // it was still a good one
				p.verdict(wire.Denied)
			}
		}})
	}
	tr.serve(t, "pam", func(p *peer) {
		p.request(wire.Begin)
		if p.n < len(all) {
			all[p.n].do(p)
		}
	})
	tr.install(t)
	valgrind := func(name string, args ...string) *exec.Cmd {
		return exec.Command("valgrind", append([]string{"--quiet", "--error-exitcode=99", "--leak-check=full",
			"--show-leak-kinds=definite,indirect", "--errors-for-leak-kinds=definite,indirect", name}, args...)...)
	}
	o := tr.run(t, valgrind, "answer=1", fmt.Sprintf("times=%d", len(all)), "--", "auth")
	ended := 0
	for _, line := range o.lines {
		switch line {
		case code("auth", authErr), code("auth", unavailable):
			ended++
		case code("auth", success), code("auth", ignored):
			t.Errorf("a login ended with %q", line)
		}
	}
	if ended != len(all) {
		t.Errorf("%d logins ended, want %d", ended, len(all))
	}
}

// TestVerifierThatIsNotRoot is not even asked (oidc-pam#200: the module believed whoever had the socket's place).
func TestVerifierThatIsNotRoot(t *testing.T) {
	tr := newTree(t, sanitized)
	impostor(t, tr)
	o := tr.login(t, "answer=1", "--", "auth", "acct", "open")
	o.want(t, "auth 9", "acct 9", "open 14")
	o.logged(t, "is not root's")
}
