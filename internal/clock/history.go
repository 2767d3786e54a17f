package clock

import "time"

// Point is how far off the clock was at one time, as it is kept.
type Point struct {
	At     time.Time     `json:"at"`
	Source Source        `json:"source"`
	Offset time.Duration `json:"offset"`
	Error  time.Duration `json:"error"`
}
