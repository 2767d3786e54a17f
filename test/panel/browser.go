// Package panel drives Cockpit in a guest (package system) by a real browser: Debian's Chromium without a screen, told
// what to click and type by playwright-core, in the guest's network and nothing else of the guest's.
//
//	b := panel.Start(t, g)
//	w := b.Open(t, panel.Options{})
//	w.Visit("/")
//	w.Fill(panel.Label("User name"), "alice")
//	w.Click(panel.Button("Log in"))
//	w.Shot("asked-for-code")
//
// Pictures go to test/out/panel. A step that fails leaves one, named after its test.
package panel

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"sallyport/test/host"
	"sallyport/test/system"
)

// Browser is a Chromium beside a guest.
type Browser struct {
	in       io.Writer
	out      *bufio.Reader
	stderr   string // where node's complaints are
	pictures string
	windows  int
}

// request is one line to driver.mjs.
type request struct {
	Do      string   `json:"do"`
	Window  int      `json:"window"`
	Frame   string   `json:"frame,omitempty"`
	Target  *Target  `json:"target,omitempty"`
	Text    string   `json:"text"`
	Options *Options `json:"options,omitempty"`
}

// Start starts a browser. It ends with the test.
func Start(t host.T, g *system.Guest) *Browser {
	t.Helper()
	repository, err := host.Repository()
	if err != nil {
		t.Fatalf("%v", err)
	}
	here := filepath.Join(repository, "test/panel")
	if _, err := os.Stat(filepath.Join(here, "node_modules/playwright-core")); err != nil {
		t.Fatalf("no playwright-core in test/panel: run make test-deps")
	}
	pictures := filepath.Join(repository, "test/out/panel")
	if err := os.MkdirAll(pictures, 0o755); err != nil {
		t.Fatalf("%v", err)
	}
	cmd := g.Beside("node", filepath.Join(here, "driver.mjs"), "/usr/bin/chromium")
	b := &Browser{pictures: pictures, stderr: filepath.Join(t.TempDir(), "node.log")}
	log, err := os.Create(b.stderr)
	if err != nil {
		t.Fatalf("%v", err)
	}
	defer log.Close()
	cmd.Stderr = log
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatalf("%v", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatalf("%v", err)
	}
	b.in, b.out = in, bufio.NewReader(out)
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() {
		_ = in.Close() // its end is the browser's
		_ = cmd.Wait()
	})
	return b
}

// call sends a request and reads its reply into value, unless that is nil. An error is the driver's.
func (b *Browser) call(r request, value any) error {
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if _, err := b.in.Write(append(line, '\n')); err != nil {
		return b.gone(err)
	}
	line, err = b.out.ReadBytes('\n')
	if err != nil {
		return b.gone(err)
	}
	var reply struct {
		Value json.RawMessage
		Error string
	}
	if err := json.Unmarshal(line, &reply); err != nil {
		return err
	}
	if reply.Error != "" {
		return fmt.Errorf("%s", reply.Error)
	}
	if value == nil {
		return nil
	}
	return json.Unmarshal(reply.Value, value)
}

// gone is the error of a driver that does not answer, with what it said last.
func (b *Browser) gone(err error) error {
	log, _ := os.ReadFile(b.stderr)
	return fmt.Errorf("the browser's driver: %w\n%s", err, log)
}
