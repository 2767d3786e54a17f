// Package attack has the tests in which a user of the host, who is not root, attacks it (DESIGN §2.4, §2.6, §2.7).
package attack

import (
	"os"
	"strings"
	"testing"

	"sallyport/test/host"
)

// roleVariable has a copy of this binary play one of roles, as the user that started it.
const roleVariable = "SALLYPORT_ATTACK"

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		os.Exit(play(role))
	}
	if names := os.Getenv(subjects); names != "" {
		os.Exit(ask(strings.Fields(names)))
	}
	host.Main(m)
}
