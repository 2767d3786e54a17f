package main

import (
	"fmt"
	"math"
	"strings"
	"time"

	admin "sallyport/internal/api/iosallyportadmin"
	"sallyport/internal/clock"
)

// The plot's size: a day in columns of twenty minutes, and rows to each side of the middle one, which is zero.
const (
	plotColumns = 72
	plotRows    = 4
	plotColumn  = 24 * time.Hour / plotColumns
)

// plot draws how far off the clock was in the day before now, in lines of text. A column shows the point that is
// furthest from zero. warn is in seconds, and the least that the plot reaches to.
func plot(history []admin.ClockPoint, now time.Time, warn float64) []string {
	var columns [plotColumns]*float64
	reach := warn
	for i := range history {
		at, err := time.Parse(time.RFC3339, history[i].At)
		if err != nil {
			continue
		}
		age := now.Sub(at)
		if age < 0 || age >= 24*time.Hour {
			continue // from before the clock was set
		}
		c := &columns[plotColumns-1-int(age/plotColumn)]
		if offset := &history[i].Offset; *c == nil || math.Abs(*offset) > math.Abs(**c) {
			*c = offset
		}
		reach = max(reach, math.Abs(history[i].Offset))
	}
	rows := make([][]byte, 2*plotRows+1)
	for i := range rows {
		rows[i] = []byte(strings.Repeat(" ", plotColumns))
	}
	rows[plotRows] = []byte(strings.Repeat("-", plotColumns))
	empty := true
	for i, c := range columns {
		if c != nil {
			rows[plotRows-int(math.Round(*c/reach*plotRows))][i] = '*'
			empty = false
		}
	}
	if empty {
		return []string{"There is nothing yet to draw of the last day: a point is kept every five minutes."}
	}
	return label(rows, now, time.Duration(reach*float64(time.Second)))
}

// label puts the scales to the plot's sides.
func label(rows [][]byte, now time.Time, reach time.Duration) []string {
	top, bottom := clock.Words(reach), clock.Words(-reach)
	width := max(len(top), len(bottom))
	var lines []string
	for i, row := range rows {
		name := ""
		switch i {
		case 0:
			name = top
		case plotRows:
			name = "right"
		case len(rows) - 1:
			name = bottom
		}
		lines = append(lines, fmt.Sprintf("%*s |%s", width, name, strings.TrimRight(string(row), " ")))
	}
	from := now.Add(-24*time.Hour).Format("15:04") + " yesterday"
	return append(lines, fmt.Sprintf("%*s  %s%*s", width, "", from, plotColumns-len(from), now.Format("15:04")))
}
