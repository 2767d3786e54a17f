package wire

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// cCodec is the module's codec, compiled with the sanitizers, at the other end of two pipes.
type cCodec struct {
	in  io.Writer
	out *bufio.Reader
	err *bytes.Buffer
}

func startCCodec(t testing.TB) *cCodec {
	t.Helper()
	module, err := filepath.Abs("../../cgo/pam_sallyport")
	if err != nil {
		t.Fatal(err)
	}
	sources := []string{"testdata/codec.c", filepath.Join(module, "packet.c"), filepath.Join(module, "packet.h")}
	for _, name := range sources { // the go command runs a test again when a file that it has read changes
		if _, err := os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	program := filepath.Join(t.TempDir(), "codec")
	build := exec.Command("gcc", "-std=c11", "-D_GNU_SOURCE", "-g", "-O1", "-Wall", "-Wextra", "-Werror",
		"-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-I", module, "-o", program, sources[0], sources[1])
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("compiling the C codec: %v\n%s", err, out)
	}
	run := exec.Command(program)
	run.Env = append(os.Environ(), "ASAN_OPTIONS=abort_on_error=0")
	c := &cCodec{err: &bytes.Buffer{}}
	run.Stderr = c.err
	in, err := run.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := run.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := run.Wait(); err != nil && !t.Failed() {
			t.Errorf("the C codec ended with %v\n%s", err, c.err)
		}
	})
	c.in, c.out = in, bufio.NewReader(out)
	return c
}

// again is what the C codec makes of a packet; empty: it refuses it.
func (c *cCodec) again(t testing.TB, b []byte) []byte {
	t.Helper()
	_, err := c.in.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...))
	if err != nil {
		t.Fatalf("%x: the C codec has gone: %v\n%s", b, err, c.err)
	}
	var head [4]byte
	if _, err := io.ReadFull(c.out, head[:]); err != nil {
		t.Fatalf("%x: the C codec has gone: %v\n%s", b, err, c.err)
	}
	made := make([]byte, binary.BigEndian.Uint32(head[:]))
	if _, err := io.ReadFull(c.out, made); err != nil {
		t.Fatalf("%x: the C codec has gone: %v\n%s", b, err, c.err)
	}
	return made
}

// compare fails unless C and Go agree about b: on whether it is a packet, and on its bytes when it is made anew.
func (c *cCodec) compare(t testing.TB, b []byte) {
	t.Helper()
	var fromGo []byte
	if p, err := Decode(b); err == nil {
		if fromGo, err = p.Encode(); err != nil {
			t.Fatalf("%x: decoded, then not encoded: %v", b, err)
		}
	}
	if fromC := c.again(t, b); !bytes.Equal(fromC, fromGo) {
		t.Errorf("%x: C makes %x of it, Go %x", b, fromC, fromGo)
	}
}

// corpus is good packets of every kind and some that are nearly good.
func corpus(t testing.TB) [][]byte {
	t.Helper()
	r := rand.New(rand.NewPCG(3, 3))
	var all [][]byte
	for range 40 {
		for _, p := range []Packet{randomRequest(r).Packet(), randomReply(r).Packet()} {
			b, err := p.Encode()
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, b)
		}
	}
	return append(all, nil, []byte{Version}, []byte{Version, byte(Ask)}, bytes.Repeat([]byte{Version}, MaxPacket+1))
}

// TestCodecs compares C and Go over random packets, each as it is and damaged in one place, cut, or spliced.
func TestCodecs(t *testing.T) {
	c := startCCodec(t)
	r := rand.New(rand.NewPCG(4, 4))
	packets := corpus(t)
	for _, b := range packets {
		c.compare(t, b)
	}
	interesting := []byte{0, 1, 2, 0x1f, 0x20, '/', 0x7f, 0x80, 0x9b, 0xa0, 0xc2, 0xe0, 0xed, 0xf4, 0xff}
	for range 20000 {
		b := bytes.Clone(packets[r.IntN(len(packets))])
		if len(b) == 0 {
			continue
		}
		at := r.IntN(len(b))
		if r.IntN(2) == 0 {
			at = min(at, r.IntN(40)) // near the head, where the structure is
			at %= len(b)
		}
		switch r.IntN(4) {
		case 0:
			b[at] = interesting[r.IntN(len(interesting))]
		case 1:
			b[at] ^= 1 << r.IntN(8)
		case 2:
			b = b[:at]
		case 3:
			b = append(b[:at], packets[r.IntN(len(packets))]...)
			b = b[:min(len(b), MaxPacket+1)]
		}
		c.compare(t, b)
	}
}

// TestTextInBothCodecs goes through every sequence of up to two bytes and every rune in a text field.
func TestTextInBothCodecs(t *testing.T) {
	c := startCCodec(t)
	text := func(s []byte) []byte {
		b := append([]byte{Version, byte(Ask), byte(TagShown), 0, byte(len(s))}, s...)
		return b
	}
	for a := range 256 {
		c.compare(t, text([]byte{byte(a)}))
		for b := range 256 {
			c.compare(t, text([]byte{byte(a), byte(b)}))
		}
	}
	for r := rune(0x80); r <= 0x10ffff; r += 61 {
		s := []byte(string(r))
		c.compare(t, text(s))
		s[len(s)-1] ^= 0x40
		c.compare(t, text(s))
	}
	for _, s := range []string{"\xe0\x9f\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf", "\xf4\x90\x80\x80"} {
		c.compare(t, text([]byte(s)))
	}
}

// TestBoundsInBothCodecs has the packets of boundsTests, those that Encode refuses too.
func TestBoundsInBothCodecs(t *testing.T) {
	c := startCCodec(t)
	for _, tt := range boundsTests() {
		b := []byte{Version, byte(tt.p.Kind)}
		for _, f := range tt.p.Fields {
			b = append(b, byte(f.Tag), byte(len(f.Value)>>8), byte(len(f.Value)))
			b = append(b, f.Value...)
		}
		if len(b) > MaxPacket+1 {
			continue
		}
		if made := c.again(t, b); (len(made) > 0) != tt.good {
			t.Errorf("%s: C makes %d bytes of it", tt.name, len(made))
		}
	}
}

func FuzzCodec(f *testing.F) {
	for _, b := range corpus(f) {
		f.Add(b)
	}
	c := startCCodec(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		c.compare(t, b[:min(len(b), MaxPacket+1)])
	})
}

func FuzzDecode(f *testing.F) {
	for _, b := range corpus(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Decode(b)
		if err != nil {
			if !errors.Is(err, ErrMalformed) {
				t.Fatalf("error %v is not ErrMalformed", err)
			}
			return
		}
		again, err := p.Encode()
		if err != nil {
			t.Fatalf("decoded, then not encoded: %v", err)
		}
		if len(again) > len(b) {
			t.Fatalf("%d bytes became %d", len(b), len(again))
		}
		req, reqErr := ParseRequest(p)
		rep, repErr := ParseReply(p)
		switch {
		case (reqErr == nil) == (repErr == nil):
			t.Fatalf("%s: from a module: %v; from a verifier: %v", p.Kind, reqErr, repErr)
		case reqErr == nil:
			if _, err := req.Packet().Encode(); err != nil {
				t.Fatalf("request does not encode: %v", err)
			}
		default:
			if _, err := rep.Packet().Encode(); err != nil {
				t.Fatalf("reply does not encode: %v", err)
			}
		}
	})
}
