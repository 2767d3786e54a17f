package panel

import (
	"net/url"

	"sallyport/test/host"
)

// Dialogue is the one that is open on the page.
var Dialogue = CSS("[role=dialog]")

// Sallyport opens a part of our page, "/sallyport#/account", and returns the window looking into it.
func (w *Window) Sallyport(path string) *Window {
	w.t.Helper()
	w.Visit(path)
	page := w.Frame(`iframe[name="cockpit1:localhost/sallyport"]`)
	page.See(CSS("[role=tabpanel]:not([hidden])"))
	return page
}

// Scan reads the key off the QR code.
func (w *Window) Scan(picture string) *host.Authenticator {
	w.t.Helper()
	w.See(Role("img", "QR code for your authenticator app"))
	uri, err := url.Parse(w.ReadQR(picture))
	if err != nil || uri.Scheme != "otpauth" {
		w.t.Fatalf("the QR code is no otpauth URI: %v", err)
	}
	return host.NewAuthenticator(w.t, uri.Query().Get("secret"))
}
