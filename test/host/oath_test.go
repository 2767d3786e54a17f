package host_test

import (
	"testing"
	"time"

	"sallyport/test/host"
)

// RFC 6238, appendix B, cut to six digits: the codes of SHA1 at 59 s and at 1111111109 s.
func TestCodesOfSteps(t *testing.T) {
	a := host.NewAuthenticator(t, "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ")
	for step, want := range map[int64]string{1: "287082", 37037036: "081804"} {
		if got := a.At(step); got != want {
			t.Errorf("step %d: %s, want %s", step, got, want)
		}
	}
}

func TestEveryCodeIsNewAndInTheWindow(t *testing.T) {
	a := host.NewAuthenticator(t, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
	seen := map[string]bool{}
	for range 2 {
		code := a.Code()
		now := time.Now().Unix() / 30
		if seen[code] || code != a.At(now-1) && code != a.At(now) && code != a.At(now+1) {
			t.Errorf("%s is not a new code of this time", code)
		}
		seen[code] = true
	}
	if wrong := a.Wrong(); seen[wrong] {
		t.Errorf("%s is right", wrong)
	}
}
