package host_test

import (
	"strings"
	"testing"

	"sallyport/internal/qr"
	"sallyport/test/host"
)

const uri = "otpauth://totp/sallyport:alice?issuer=sallyport&secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"

func TestReadQR(t *testing.T) {
	lines, err := qr.Lines(uri)
	if err != nil {
		t.Fatal(err)
	}
	dialogue := "Scan this:\r\n" + strings.Join(lines, "\r\n") + "\r\nCode: "
	if got := host.ReadQR(t, dialogue); got != uri {
		t.Errorf("in a dialogue: %q", got)
	}
	var screen strings.Builder
	if err := qr.Terminal(&screen, uri); err != nil {
		t.Fatal(err)
	}
	if got := host.ReadQR(t, "Scan this:\r\n\r\n"+screen.String()+"\r\n"); got != uri {
		t.Errorf("in colours: %q", got)
	}
}
