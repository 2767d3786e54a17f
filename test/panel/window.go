package panel

import (
	"path/filepath"
	"strings"

	"sallyport/test/host"
)

// Options say what the person at a window has. They are playwright's (BrowserContextOptions).
type Options struct {
	Locale      string    `json:"locale,omitempty"`      // "de-DE"
	ColorScheme string    `json:"colorScheme,omitempty"` // "dark", "light"
	Viewport    *Viewport `json:"viewport,omitempty"`    // nil: 1280 by 720
}

// Viewport is a size in CSS pixels.
type Viewport struct {
	Width  int `json:"width"`
	Height int `json:"height"`
}

// Target is what a person looks for on a page: the first that fits.
type Target struct {
	Role   string  `json:"role,omitempty"` // ARIA's
	Name   *string `json:"name,omitempty"` // with Role: part of the accessible name
	Label  string  `json:"label,omitempty"`
	Text   string  `json:"text,omitempty"`
	CSS    string  `json:"css,omitempty"`
	Exact  bool    `json:"exact,omitempty"` // the whole name, label or text
	Within *Target `json:"within,omitempty"`
}

// Role is an element by its ARIA role and the whole of its accessible name.
func Role(role, name string) Target { return Target{Role: role, Name: &name, Exact: true} }

// Button is a button by its name.
func Button(name string) Target { return Role("button", name) }

// Label is a field by its label.
func Label(label string) Target { return Target{Label: label, Exact: true} }

// Text is whatever has a text, or a part of it.
func Text(text string) Target { return Target{Text: text} }

// CSS is an element by a selector.
func CSS(selector string) Target { return Target{CSS: selector} }

// In is the same within another element.
func (target Target) In(outer Target) Target {
	target.Within = &outer
	return target
}

// Window is a browser's window with cookies of its own, or a frame of it.
type Window struct {
	t      host.T
	b      *Browser
	number int
	name   string // the test's
	frame  string // a CSS selector; empty: the page itself
}

// Test is what a window needs of a test.
type Test interface {
	host.T
	Name() string
}

// Open opens a window.
func (b *Browser) Open(t Test, o Options) *Window {
	t.Helper()
	b.windows++
	w := &Window{t: t, b: b, number: b.windows, name: strings.ReplaceAll(t.Name(), "/", "-")}
	w.do(request{Do: "open", Options: &o}, nil)
	t.Cleanup(func() { _ = b.call(request{Do: "close", Window: w.number}, nil) }) // the browser may have ended
	return w
}

// With is the same window for a subtest, which fails by itself.
func (w *Window) With(t Test) *Window {
	sub := *w
	sub.t, sub.name = t, strings.ReplaceAll(t.Name(), "/", "-")
	return &sub
}

// Frame is the same window, looking into a frame.
func (w *Window) Frame(selector string) *Window {
	inner := *w
	inner.frame = selector
	return &inner
}

// do fails the test where the browser cannot do what it is told, and keeps a picture of what it shows.
func (w *Window) do(r request, value any) {
	w.t.Helper()
	r.Window, r.Frame = w.number, w.frame
	if err := w.b.call(r, value); err != nil {
		picture := filepath.Join(w.b.pictures, "failed-"+w.name+".png")
		_ = w.b.call(request{Do: "shot", Window: w.number, Text: picture}, nil) // the test has failed already
		var log []string
		_ = w.b.call(request{Do: "log", Window: w.number}, &log)
		w.t.Fatalf("%s: %v\nthe window shows %s; its console:\n%s", r.Do, err, picture, strings.Join(log, "\n"))
	}
}

// Visit goes to a path of Cockpit's.
func (w *Window) Visit(path string) {
	w.t.Helper()
	w.do(request{Do: "visit", Text: "http://127.0.0.1:9090" + path}, nil)
}

// Reload loads the page again.
func (w *Window) Reload() { w.t.Helper(); w.do(request{Do: "reload"}, nil) }

// Resize changes the window's size.
func (w *Window) Resize(width, height int) {
	w.t.Helper()
	w.do(request{Do: "resize", Options: &Options{Viewport: &Viewport{width, height}}}, nil)
}

// Click clicks on what it finds, once that can be clicked.
func (w *Window) Click(target Target) { w.t.Helper(); w.do(request{Do: "click", Target: &target}, nil) }

// Fill puts a text into a field.
func (w *Window) Fill(field Target, text string) {
	w.t.Helper()
	w.do(request{Do: "fill", Target: &field, Text: text}, nil)
}

// Choose takes an option of a list by its value or its label.
func (w *Window) Choose(list Target, option string) {
	w.t.Helper()
	w.do(request{Do: "choose", Target: &list, Text: option}, nil)
}

// Check ticks a box, or turns a switch on.
func (w *Window) Check(box Target) {
	w.t.Helper()
	w.do(request{Do: "check", Target: &box, Text: "on"}, nil)
}

// Press presses a key: "Tab", "Enter", "Control+A".
func (w *Window) Press(key string) { w.t.Helper(); w.do(request{Do: "press", Text: key}, nil) }

// See waits until it is there.
func (w *Window) See(target Target) { w.t.Helper(); w.do(request{Do: "see", Target: &target}, nil) }

// Gone waits until it is not there any more.
func (w *Window) Gone(target Target) { w.t.Helper(); w.do(request{Do: "gone", Target: &target}, nil) }

// Visible reports whether it is there now.
func (w *Window) Visible(target Target) (is bool) {
	w.t.Helper()
	w.do(request{Do: "visible", Target: &target}, &is)
	return is
}

// Enabled reports whether it can be used.
func (w *Window) Enabled(target Target) (is bool) {
	w.t.Helper()
	w.do(request{Do: "enabled", Target: &target}, &is)
	return is
}

// Checked reports whether a box is ticked, or a switch on.
func (w *Window) Checked(target Target) (is bool) {
	w.t.Helper()
	w.do(request{Do: "checked", Target: &target}, &is)
	return is
}

// Text is what stands in an element, as it is shown.
func (w *Window) Text(target Target) (text string) {
	w.t.Helper()
	w.do(request{Do: "text", Target: &target}, &text)
	return text
}

// Cut reports whether an element is too narrow for what stands in it.
func (w *Window) Cut(target Target) (is bool) {
	w.t.Helper()
	w.do(request{Do: "cut", Target: &target}, &is)
	return is
}

// Value is what stands in a field.
func (w *Window) Value(field Target) (text string) {
	w.t.Helper()
	w.do(request{Do: "value", Target: &field}, &text)
	return text
}

// Shot keeps a picture of the window under a name, and returns its path.
func (w *Window) Shot(name string) string {
	w.t.Helper()
	path := filepath.Join(w.b.pictures, name+".png")
	w.do(request{Do: "shot", Text: path}, nil)
	return path
}

// ReadQR is what a phone reads off the window: the text of the QR code in a picture that is kept under a name.
func (w *Window) ReadQR(name string) string {
	w.t.Helper()
	picture := w.Shot(name)
	text, err := host.ScanQR(picture)
	if err != nil {
		w.t.Fatalf("no QR code (%v) in %s", err, picture)
	}
	return text
}

// Barriers are what axe-core objects to on the page.
func (w *Window) Barriers() (violations []string) {
	w.t.Helper()
	w.do(request{Do: "axe"}, &violations)
	return violations
}

// Traces are the page's and its frames' addresses, titles and storage.
func (w *Window) Traces() (kept []string) {
	w.t.Helper()
	w.do(request{Do: "traces"}, &kept)
	return kept
}

// Console is what the browser's console has had, a line each: its kind, then its text.
func (w *Window) Console() (lines []string) {
	w.t.Helper()
	w.do(request{Do: "log"}, &lines)
	return lines
}

// Clipboard is the text on it.
func (w *Window) Clipboard() (text string) {
	w.t.Helper()
	w.do(request{Do: "clipboard"}, &text)
	return text
}

// Download clicks and returns the file that the browser is given.
func (w *Window) Download(button Target) (text string) {
	w.t.Helper()
	w.do(request{Do: "download", Target: &button}, &text)
	return text
}

// Print clicks and returns the text that would be printed.
func (w *Window) Print(button Target) (text string) {
	w.t.Helper()
	w.do(request{Do: "print", Target: &button}, &text)
	return text
}
