package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"unicode"

	"filippo.io/age"

	admin "sallyport/internal/api/iosallyportadmin"
)

// FuzzDecodeEntries gives what journalctl prints. Anybody writes into the journal: nothing of an entry passes for root's
// that does not say so, and what is shown of it no terminal obeys.
func FuzzDecodeEntries(f *testing.F) {
	f.Add([]byte(`{"__REALTIME_TIMESTAMP":"1795559304984208","_UID":"0","MESSAGE":"login accepted","PRIORITY":"5","SALLYPORT_KIND":"login-accepted","SALLYPORT_USER":"alice"}`))
	f.Add([]byte(`{"_UID":"5","MESSAGE":[104,105,27],"SALLYPORT_KIND":["a","b"],"SALLYPORT_USER":[[98,27],"c"],"PRIORITY":{"x":1}}` + "\n{}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		err := decodeEntries(bytes.NewReader(text), func(e event) error {
			if e.Sender == "" && !bytes.Contains(text, []byte("_UID")) {
				t.Errorf("an entry without a sender passes for root's: %+v", e)
			}
			for _, shown := range []string{e.Message, e.Kind, e.Sender, e.Fields["user"]} {
				if strings.ContainsFunc(printable(shown), func(r rune) bool { return !unicode.IsPrint(r) }) {
					t.Errorf("this is shown: %q", printable(shown))
				}
			}
			return nil
		})
		if err != nil && strings.ContainsFunc(err.Error(), func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("this is shown: %q", err)
		}
	})
}

// FuzzReadArchive gives the contents of a backup, and then the same bytes as a backup's file. Reading ends, and no error has
// anything of the contents in it.
func FuzzReadArchive(f *testing.F) {
	key, err := age.GenerateX25519Identity()
	if err != nil {
		f.Fatal(err)
	}
	const head = `{"format":"sallyport-backup","version":1,"host":"h","created":"2026-11-25T00:00:00Z"}` + "\n"
	f.Add([]byte(head + `{"user":"alice","created":"2026-11-25T00:00:00Z","devices":[],"recovery":[]}` + "\n"))
	f.Add([]byte(head + `{"user":"alice","devices":[{"uri":"otpauth://totp/a?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"`))
	f.Add([]byte(`{"format":"sallyport-backup","version":2}` + "\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		if _, err := readArchive(bytes.NewReader(content), key); err == nil {
			t.Errorf("bytes that nobody encrypted pass for a backup: %q", content)
		}
		var file bytes.Buffer
		w, err := age.Encrypt(&file, key.Recipient())
		if err != nil {
			t.Fatal(err)
		}
		if _, err = w.Write(content); err == nil {
			err = w.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := readAll(&file, key); err != nil && strings.Contains(err.Error(), "GEZDGNBV") {
			t.Errorf("the error holds a secret: %v", err)
		}
	})
}

func readAll(r io.Reader, key *age.X25519Identity) error {
	accounts, err := readArchive(r, key)
	if err != nil {
		return err
	}
	var last error
	accounts(func(_ admin.Portable, err error) bool { last = err; return err == nil })
	return last
}
