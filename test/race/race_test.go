// Package race has the tests of what holds when logins come at the same instant, and when daemon or machine stop at a
// bad one: a code lets in one login, once (DESIGN §2.1). Nothing is simulated but the loss of power: the logins go through
// libpam and the module to the daemon.
package race

import (
	"testing"

	"sallyport/test/host"
)

func TestMain(m *testing.M) { host.Main(m) }
