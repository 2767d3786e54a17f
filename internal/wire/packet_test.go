package wire

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

// Random values of every bound and alphabet; the generator is seeded by its caller, so a failure can be had again.

func randomText(r *rand.Rand, least, most int) string {
	const alphabet = "abcXYZ019 ._-@+:%é█─世"
	runes := []rune(alphabet)
	size := least + r.IntN(most-least+1)
	var b strings.Builder
	for b.Len() < size {
		c := runes[r.IntN(len(runes))]
		if b.Len()+len(string(c)) > size {
			c = 'x'
		}
		b.WriteRune(c)
	}
	return b.String()
}

func randomWord(r *rand.Rand, most int) string {
	const alphabet = "abcXYZ019_.@+-"
	b := make([]byte, 1+r.IntN(most))
	for i := range b {
		b[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(b)
}

func randomRequest(r *rand.Rand) Request {
	kinds := []Kind{Begin, Answer, Account, OpenSession, CloseSession}
	req := Request{Kind: kinds[r.IntN(len(kinds))]}
	if req.Kind == Answer {
		b := make([]byte, r.IntN(MaxAnswer+1))
		for i := range b {
			b[i] = byte(1 + r.IntN(255))
		}
		req.Answer = string(b)
		return req
	}
	req.User = randomText(r, 1, MaxUser)
	req.Service = randomWord(r, MaxService)
	req.RHost = randomText(r, 0, MaxRHost)
	req.TTY = randomText(r, 0, MaxTTY)
	req.PID = 1 + r.IntN(1<<31-1)
	for range r.IntN(MaxMethods + 1) {
		req.Methods = append(req.Methods, randomWord(r, 64))
	}
	req.Silent = r.IntN(2) == 0
	if req.Kind == Begin {
		req.Split = r.IntN(2) == 0
		req.Resume = randomText(r, 0, MaxResume)
	}
	if req.Kind == OpenSession || req.Kind == CloseSession {
		req.Given = r.IntN(2) == 0
	}
	return req
}

func randomReply(r *rand.Rand) Reply {
	rep := Reply{PasswordLength: -1}
	for range r.IntN(20) {
		rep.Tell = append(rep.Tell, Message{Error: r.IntN(2) == 0, Text: randomText(r, 0, MaxText)})
	}
	if r.IntN(2) == 0 {
		rep.Ask = &Prompt{Text: randomText(r, 0, MaxText), Echo: r.IntN(2) == 0}
		rep.Resume = randomText(r, 0, MaxResume)
		return rep
	}
	rep.Verdict = Verdict(1 + r.IntN(7))
	rep.PasswordLength = r.IntN(MaxAnswer+2) - 1
	rep.Busy = rep.Verdict == Unavailable && r.IntN(2) == 0
	return rep
}

func TestRequestsComeBack(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 5000 {
		want := randomRequest(r)
		got, err := ParseRequest(throughBytes(t, want.Packet()))
		if err != nil {
			t.Fatalf("%v: %v", want, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("sent %#v, came back %#v", want, got)
		}
	}
}

func TestRepliesComeBack(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for range 5000 {
		want := randomReply(r)
		got, err := ParseReply(throughBytes(t, want.Packet()))
		if err != nil {
			t.Fatalf("%+v: %v", want, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("sent %+v, came back %+v", want, got)
		}
	}
}

func throughBytes(t *testing.T, p Packet) Packet {
	t.Helper()
	b, err := p.Encode()
	if err != nil {
		t.Fatalf("%s: %v", p.Kind, err)
	}
	back, err := Decode(b)
	if err != nil {
		t.Fatalf("%s: %v", p.Kind, err)
	}
	return back
}

// begin is a good begin packet with one field more.
func begin(f ...Field) Packet {
	p := Request{Kind: Begin, User: "ann", Service: "sshd", PID: 7}.Packet()
	p.Fields = append(p.Fields, f...)
	return p
}

func final(v Verdict, f ...Field) Packet {
	return Packet{Kind: Final, Fields: append([]Field{{TagVerdict, []byte{byte(v)}}}, f...)}
}

func ask(f ...Field) Packet { return Packet{Kind: Ask, Fields: f} }

func many(n int, tag Tag, value string) []Field {
	fields := make([]Field, n)
	for i := range fields {
		fields[i] = Field{tag, []byte(value)}
	}
	return fields
}

func of(n int) []byte { return bytes.Repeat([]byte("x"), n) }

type boundsTest struct {
	name string
	p    Packet
	good bool
}

// boundsTests has each rule of the package comment from both sides.
func boundsTests() []boundsTest {
	hidden := Field{TagHidden, []byte("Code: ")}
	return []boundsTest{
		{"least", begin(), true},
		{"no user", Request{Kind: Begin, Service: "sshd", PID: 7}.Packet(), false},
		{"no service", Request{Kind: Begin, User: "ann", PID: 7}.Packet(), false},
		{"no pid", Packet{Kind: Begin, Fields: begin().Fields[:2]}, false},
		{"pid 0", Request{Kind: Begin, User: "ann", Service: "sshd"}.Packet(), false},
		{"pid -1", Request{Kind: Begin, User: "ann", Service: "sshd", PID: -1}.Packet(), false},
		{"user of 255", Request{Kind: Begin, User: string(of(255)), Service: "sshd", PID: 7}.Packet(), true},
		{"user of 256", Request{Kind: Begin, User: string(of(256)), Service: "sshd", PID: 7}.Packet(), false},
		{"user with a slash", Request{Kind: Begin, User: "../ann", Service: "sshd", PID: 7}.Packet(), false},
		{"user with a line feed", Request{Kind: Begin, User: "ann\nroot", Service: "sshd", PID: 7}.Packet(), false},
		{"user with NUL", Request{Kind: Begin, User: "ann\x00", Service: "sshd", PID: 7}.Packet(), false},
		{"user with C1", Request{Kind: Begin, User: "ann\u009b", Service: "sshd", PID: 7}.Packet(), false},
		{"user not UTF-8", Request{Kind: Begin, User: "ann\x9b", Service: "sshd", PID: 7}.Packet(), false},
		{"user in Greek", Request{Kind: Begin, User: "άννα", Service: "sshd", PID: 7}.Packet(), true},
		{"service with a slash", Request{Kind: Begin, User: "ann", Service: "a/b", PID: 7}.Packet(), false},
		{"service with a space", Request{Kind: Begin, User: "ann", Service: "a b", PID: 7}.Packet(), false},
		{"service of 65", Request{Kind: Begin, User: "ann", Service: string(of(65)), PID: 7}.Packet(), false},
		{"rhost of 255", begin(Field{TagRHost, of(255)}), true},
		{"rhost of 256", begin(Field{TagRHost, of(256)}), false},
		{"rhost empty", begin(Field{TagRHost, nil}), false},
		{"rhost twice", begin(many(2, TagRHost, "a")...), false},
		{"tty of 64", begin(Field{TagTTY, of(64)}), true},
		{"tty of 65", begin(Field{TagTTY, of(65)}), false},
		{"16 methods", begin(many(16, TagMethod, "publickey")...), true},
		{"17 methods", begin(many(17, TagMethod, "publickey")...), false},
		{"method with a space", begin(Field{TagMethod, []byte("publickey ssh")}), false},
		{"split with a value", begin(Field{TagSplit, []byte{1}}), false},
		{"given in begin", begin(Field{TagGiven, nil}), false},
		{"given in open-session", Request{Kind: OpenSession, User: "ann", Service: "sshd", PID: 7, Given: true}.Packet(), true},
		{"answer in begin", begin(Field{TagAnswer, []byte("123456")}), false},
		{"resume of 512", begin(Field{TagResume, of(512)}), true},
		{"resume of 513", begin(Field{TagResume, of(513)}), false},
		{"unknown field", begin(Field{0x7f, nil}), false},
		{"field to be skipped", begin(Field{0x80, of(9)}, Field{0xff, nil}), true},
		{"empty answer", Request{Kind: Answer}.Packet(), true},
		{"no answer", Packet{Kind: Answer}, false},
		{"two answers", Packet{Kind: Answer, Fields: many(2, TagAnswer, "x")}, false},
		{"answer of 512", Request{Kind: Answer, Answer: string(of(512))}.Packet(), true},
		{"answer of 513", Request{Kind: Answer, Answer: string(of(513))}.Packet(), false},
		{"answer with NUL", Request{Kind: Answer, Answer: "1\x002"}.Packet(), false},
		{"answer in Latin-1", Request{Kind: Answer, Answer: "caf\xe9\x01"}.Packet(), true},
		{"ask", ask(hidden), true},
		{"ask without prompt", ask(Field{TagInfo, []byte("x")}), false},
		{"ask with two prompts", ask(hidden, Field{TagShown, nil}), false},
		{"ask with a verdict", ask(hidden, Field{TagVerdict, []byte{1}}), false},
		{"prompt of 511", ask(Field{TagShown, of(511)}), true},
		{"prompt of 512", ask(Field{TagShown, of(512)}), false},
		{"info with escape", ask(hidden, Field{TagInfo, []byte("\x1b[2J")}), false},
		{"info with tab", ask(hidden, Field{TagInfo, []byte("a\tb")}), false},
		{"256 messages", ask(append(many(256, TagInfo, ""), hidden)...), true},
		{"257 messages", ask(append(many(257, TagInfo, ""), hidden)...), false},
		{"final", final(Granted), true},
		{"final without verdict", Packet{Kind: Final}, false},
		{"verdict 0", final(0), false},
		{"verdict 8", final(8), false},
		{"verdict of 2 bytes", Packet{Kind: Final, Fields: []Field{{TagVerdict, []byte{1, 1}}}}, false},
		{"two verdicts", final(Denied, Field{TagVerdict, []byte{1}}), false},
		{"password 512", final(Granted, Field{TagPassword, []byte{2, 0}}), true},
		{"password 513", final(Granted, Field{TagPassword, []byte{2, 1}}), false},
		{"busy and unavailable", final(Unavailable, Field{TagBusy, nil}), true},
		{"busy and granted", final(Granted, Field{TagBusy, nil}), false},
		{"final with a prompt", final(Granted, hidden), false},
		{"unknown kind", Packet{Kind: 0x33}, false},
		{"kind 0", Packet{}, false},
		{"largest", ask(append(many(31, TagInfo, string(of(511))), hidden)...), true},
		{"too large", ask(append(many(32, TagInfo, string(of(511))), hidden)...), false},
		{"a value of 64 KiB", begin(Field{0x80, of(1 << 16)}), false},
	}
}

func TestBounds(t *testing.T) {
	for _, tt := range boundsTests() {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tt.p.Encode()
			if tt.good && err != nil {
				t.Errorf("refused: %v", err)
			}
			if !tt.good && !errors.Is(err, ErrMalformed) {
				t.Errorf("error %v, want ErrMalformed", err)
			}
		})
	}
}

// TestTruncation cuts and extends good packets everywhere: what is left must be refused, or be the packet of the fields
// that are whole.
func TestTruncation(t *testing.T) {
	b, err := begin(Field{TagRHost, []byte("10.0.0.5")}).Encode()
	if err != nil {
		t.Fatal(err)
	}
	for n := range b {
		p, err := Decode(b[:n])
		if err != nil {
			continue
		}
		if again, err := p.Encode(); err != nil || !bytes.Equal(again, b[:n]) {
			t.Errorf("%d bytes: came back as %d, %v", n, len(again), err)
		}
	}
	if _, err := Decode(append(b, 0)); !errors.Is(err, ErrMalformed) {
		t.Errorf("one byte behind the packet: %v", err)
	}
	if _, err := Decode(append([]byte{2}, b[1:]...)); !errors.Is(err, ErrMalformed) {
		t.Errorf("version 2: %v", err)
	}
}

func TestSkippedFieldsAreLeftOut(t *testing.T) {
	p := throughBytes(t, final(Granted, Field{0x99, []byte("from the future")}))
	if len(p.Fields) != 1 || p.Fields[0].Tag != TagVerdict {
		t.Errorf("fields %v, want the verdict alone", p.Fields)
	}
}

func TestWrongEnd(t *testing.T) {
	if _, err := ParseRequest(final(Granted)); !errors.Is(err, ErrMalformed) {
		t.Errorf("a verdict from a module: %v", err)
	}
	if _, err := ParseReply(begin()); !errors.Is(err, ErrMalformed) {
		t.Errorf("a begin from a verifier: %v", err)
	}
}

// TestAnswersAreNotPrinted: answers are often passwords.
func TestAnswersAreNotPrinted(t *testing.T) {
	const secret = "hunter2"
	req := Request{Kind: Answer, Answer: secret}
	p := req.Packet()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, v := range []any{req, &req, p, &p, p.Fields, p.Fields[0]} {
			out := fmt.Sprintf(verb, v)
			if strings.Contains(out, secret) || strings.Contains(out, "68756e74657232") || strings.Contains(out, "104 117") {
				t.Errorf("%s of %T prints %s", verb, v, out)
			}
		}
	}
	p.Fields[0].Value = append(p.Fields[0].Value, 0)
	if _, err := p.Encode(); err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("error %v", err)
	}
}
