package doctor

import (
	"fmt"

	"golang.org/x/sys/unix"

	"sallyport/internal/clock/monitor"
)

// checkClock asks the kernel whether something keeps the clock right (adjtimex(2)).
func checkClock() []Finding {
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	if err == nil && state != unix.TIME_ERROR && t.Status&unix.STA_UNSYNC == 0 {
		return nil
	}
	what := "The clock is not synchronised."
	if err != nil {
		what = fmt.Sprintf("The kernel does not say whether the clock is synchronised: %v.", err)
	}
	return []Finding{{
		ID: "clock-unsynchronised", Effect: Warns, What: what,
		Outcome: "When it has drifted by a minute or so, right codes are refused.",
		Mend:    run("%s", monitor.Mend("")),
	}}
}
