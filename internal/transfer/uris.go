package transfer

import (
	"fmt"

	"sallyport/internal/otp"
)

// URIs reads otpauth URIs, one to a line. Each is the user's that its label names.
func URIs(data []byte) ([]Account, error) {
	var parts []Account
	err := lines(data, MaxFile, func(n int, line string) {
		a := Account{Where: fmt.Sprintf("line %d", n)}
		u, err := otp.ParseURI(line)
		if err != nil {
			a.Err = err
		} else {
			a.User = u.Account
			a.Devices = []Device{{Label: "phone", Key: u.Key, Counter: u.Counter}}
		}
		parts = append(parts, a)
	})
	return gather(parts), err
}
