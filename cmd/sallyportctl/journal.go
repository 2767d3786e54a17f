package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"sallyport/internal/audit"
	"sallyport/internal/disk"
)

// journalctl reads the journal: its format is systemd's own, and the library that knows it is not Go.
const journalctl = "/usr/bin/journalctl"

// event is an entry of the journal.
type event struct {
	Time     time.Time         `json:"time"`
	Kind     string            `json:"kind"`
	Priority int               `json:"priority"` // syslog(3)
	Message  string            `json:"message"`
	Fields   map[string]string `json:"fields"`           // the event's SALLYPORT_ fields: user, source, ...
	Sender   string            `json:"sender,omitempty"` // uid of the process that sent it, where that is not root
}

// arguments are journalctl's. No value of ours can be taken for an option or another match.
func (o eventsOptions) arguments(root disk.Root) []string {
	args := []string{"--no-pager", "--output=json"}
	if root != "" {
		args = append(args, "--root="+string(root))
	}
	if o.since != "" {
		args = append(args, "--since="+o.since)
	}
	switch {
	case o.lines > 0:
		args = append(args, "--lines="+strconv.Itoa(o.lines))
	case o.follow:
		args = append(args, "--no-tail")
	}
	if o.follow {
		args = append(args, "--follow")
	}
	return append(args, audit.Matches(o.user)...)
}

// readJournal runs journalctl and calls fn for each entry.
func (a *app) readJournal(ctx context.Context, args []string, fn func(event) error) error {
	if err := disk.CheckFile(journalctl, disk.Config); errors.Is(err, fs.ErrNotExist) {
		return sentence("The journal cannot be read: there is no " + journalctl + ".")
	} else if err != nil {
		return sentence(fmt.Sprintf("The journal cannot be read: %v.", err))
	}
	runtime.LockOSThread() // Pdeathsig is sent when the thread that forked ends
	defer runtime.UnlockOSThread()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	cmd := exec.CommandContext(ctx, journalctl, args...)
	cmd.Env = []string{"LC_ALL=C.UTF-8"}
	if zone, ok := os.LookupEnv("TZ"); ok { // --since is in it
		cmd.Env = append(cmd.Env, "TZ="+zone)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return sentence(fmt.Sprintf("The journal cannot be read: %v.", err))
	}
	if err := decodeEntries(out, fn); err != nil {
		stop()
		_ = cmd.Wait() // it was killed
		return err
	}
	return journalResult(cmd.Wait(), strings.TrimSpace(complaint.String()), a)
}

// journalResult says what journalctl's end means.
func journalResult(err error, complaint string, a *app) error {
	first, _, _ := strings.Cut(complaint, "\n")
	first = strings.TrimSuffix(printable(first), ".")
	switch {
	case err != nil && strings.HasPrefix(first, "Failed to parse timestamp"):
		return usageError{"--since is no time that journalctl knows. Write for example today, -1h or \"2026-11-24 08:00\"."}
	case err != nil && first != "":
		return sentence(fmt.Sprintf("The journal cannot be read: %s.", first))
	case err != nil:
		return sentence(fmt.Sprintf("The journal cannot be read: %s: %v.", journalctl, err))
	case complaint != "":
		a.tell("%s.", first) // that it may not read all
	}
	return nil
}

// checkJournal tells a journal without events from no journal, of which journalctl says nothing.
func checkJournal(root disk.Root) error {
	for _, dir := range []string{"/run/log/journal", "/var/log/journal"} {
		if files, err := filepath.Glob(filepath.Join(string(root), dir, "*", "*.journal")); err == nil && len(files) > 0 {
			return nil
		}
	}
	return sentence("There is no journal here: neither /run/log/journal nor /var/log/journal has one. Without it, events go where the daemon's standard error does.")
}

// decodeEntries reads journalctl's entries, as they come.
func decodeEntries(r io.Reader, fn func(event) error) error {
	for d := json.NewDecoder(r); ; {
		var entry map[string]json.RawMessage
		err := d.Decode(&entry)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return sentence(fmt.Sprintf("The journal cannot be read: journalctl's output is not understood: %v.", err))
		}
		if err := fn(newEvent(entry)); err != nil {
			return err
		}
	}
}

func newEvent(entry map[string]json.RawMessage) event {
	const prefix, kind, noPriority = "SALLYPORT_", "SALLYPORT_KIND", 6
	e := event{Kind: entryText(entry[kind]), Message: entryText(entry["MESSAGE"]), Priority: noPriority, Fields: map[string]string{}}
	if us, err := strconv.ParseInt(entryText(entry["__REALTIME_TIMESTAMP"]), 10, 64); err == nil {
		e.Time = time.UnixMicro(us).UTC()
	}
	if p, err := strconv.Atoi(entryText(entry["PRIORITY"])); err == nil {
		e.Priority = p
	}
	for name, raw := range entry {
		if field, ok := strings.CutPrefix(name, prefix); ok && name != kind {
			e.Fields[strings.ToLower(field)] = entryText(raw)
		}
	}
	if uid := entryText(entry["_UID"]); uid != "0" {
		e.Sender = uid
		if uid == "" {
			e.Sender = "unknown"
		}
	}
	return e
}

// entryText is a field's value: a text or, where it is none, its bytes; of several, the first; of one that is too long
// for journalctl, nothing.
func entryText(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var numbers []byte
	var list []uint16
	if json.Unmarshal(raw, &list) == nil {
		for _, n := range list {
			numbers = append(numbers, byte(n))
		}
		return string(numbers)
	}
	var several []json.RawMessage
	if json.Unmarshal(raw, &several) == nil && len(several) > 0 {
		return entryText(several[0])
	}
	return ""
}
