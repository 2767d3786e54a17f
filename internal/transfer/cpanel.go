package transfer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"sallyport/internal/otp"
)

// CPanel reads cPanel & WHM's two-factor user data, /var/cpanel/authn/twofactor_auth/tfa_userdata.json: a JSON object of
// users, each an object with the secret in base32 under "secret". Codes have six digits and last 30 seconds.
func CPanel(data []byte) ([]Account, error) {
	if len(data) > MaxFile {
		return nil, fmt.Errorf("it has %d bytes: must have at most %d", len(data), MaxFile)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("it must be a JSON object of users")
	}
	var all []Account
	seen := map[string]bool{}
	for d.More() {
		name, err := d.Token()
		user, ok := name.(string)
		var fields map[string]json.RawMessage
		if err == nil {
			err = d.Decode(&fields)
		}
		if err != nil || !ok {
			return nil, fmt.Errorf("user number %d: must be a JSON object", len(all)+1)
		}
		if seen[user] {
			return nil, fmt.Errorf("user number %d: is there twice", len(all)+1)
		}
		seen[user] = true
		all = append(all, cpanelUser(user, fields))
	}
	if _, err := d.Token(); err != nil {
		return nil, errors.New("it ends too early")
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("something follows the JSON object")
	}
	return gather(all), nil
}

func cpanelUser(user string, fields map[string]json.RawMessage) Account {
	a := Account{User: user, Where: fmt.Sprintf("user %s", shown(user))}
	var text string
	if err := json.Unmarshal(fields["secret"], &text); err != nil {
		a.Err = errors.New("secret: must be a text in base32")
		return a
	}
	delete(fields, "secret")
	var others []string
	for name := range fields {
		others = append(others, shown(name))
	}
	slices.Sort(others)
	for _, name := range others {
		a.note("Its %s is not taken over.", name)
	}
	secret, err := otp.ParseSecret(text)
	a.Err = err
	a.Devices = []Device{{Label: "phone", Key: otp.Key{Kind: otp.TOTP, Algorithm: otp.SHA1, Secret: secret, Digits: 6, Period: 30 * time.Second}}}
	return a
}
