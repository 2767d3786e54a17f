package monitor

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"sallyport/internal/clock"
	"sallyport/internal/disk"
)

// Chrony asks the local chronyd by chronyc(1). Its protocol is chrony's own business, and changes; the command's output
// for scripts does not.
type Chrony struct {
	Program string // chronyc's path
	Now     func() time.Time
}

// Name is clock.Chrony.
func (Chrony) Name() clock.Source { return clock.Chrony }

// Ask runs chronyc. A program that somebody else than root could change is not run.
func (c Chrony) Ask(ctx context.Context) (clock.Estimate, string) {
	switch err := disk.CheckFile(c.Program, disk.Config); {
	case errors.Is(err, fs.ErrNotExist):
		return clock.Estimate{}, ""
	case err != nil:
		return clock.Estimate{}, fmt.Sprintf("is not asked: %v", err)
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.Program, "-c", "-n", "tracking")
	cmd.Env, cmd.Dir, cmd.WaitDelay = []string{"LC_ALL=C"}, "/", time.Second
	out := bounded{limit: 4096}
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return clock.Estimate{}, "does not answer: " + firstLine(out.String(), err)
	}
	e, err := parseTracking(out.String())
	if err != nil {
		return clock.Estimate{}, err.Error()
	}
	e.At = c.Now()
	return e, fmt.Sprintf("finds the clock %s, ± %s, by %s", clock.Words(e.Offset), clock.Length(e.Error), strings.TrimPrefix(e.Detail, "chrony, by "))
}

// parseTracking reads "chronyc -c tracking": of its fields, separated by commas, the first two are the server, the fifth by
// how many seconds the clock is behind NTP's time, the eleventh and twelfth the root delay and dispersion, and the last
// whether it is synchronised.
func parseTracking(line string) (clock.Estimate, error) {
	fields, err := csv.NewReader(strings.NewReader(line)).Read()
	if err != nil || len(fields) != 14 {
		return clock.Estimate{}, errors.New("its answer is not understood")
	}
	const local = "7F7F0101" // the reference ID of the host's own clock (chrony.conf(5), local)
	if fields[13] == "Not synchronised" || fields[0] == local {
		return clock.Estimate{}, errors.New("has no server that it goes by")
	}
	var seconds [3]time.Duration
	for i, n := range []int{4, 10, 11} {
		f, err := strconv.ParseFloat(fields[n], 64)
		if err != nil || !(math.Abs(f) <= 1e9) { // thirty years; not a number is none
			return clock.Estimate{}, errors.New("its answer is not understood")
		}
		seconds[i] = time.Duration(f * float64(time.Second))
	}
	return clock.Estimate{
		Source: clock.Chrony, Offset: -seconds[0], Error: seconds[1].Abs()/2 + seconds[2].Abs(), Detail: "chrony, by " + printable(fields[1]),
	}, nil
}

// printable is a server's name as it can be shown.
func printable(name string) string {
	quoted := strconv.QuoteToASCII(name)
	return quoted[1 : len(quoted)-1]
}

func firstLine(out string, err error) string {
	line, _, _ := strings.Cut(strings.TrimSpace(out), "\n")
	if line == "" {
		return err.Error()
	}
	return printable(line)
}

// bounded keeps the first bytes that are written to it.
type bounded struct {
	bytes.Buffer
	limit int
}

func (b *bounded) Write(p []byte) (int, error) {
	_, _ = b.Buffer.Write(p[:min(len(p), max(0, b.limit-b.Len()))])
	return len(p), nil
}
