// Package sshdconfig reads sshd's configuration: what sshd says that it means ("sshd -T"), and which lines say so.
package sshdconfig

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Path is the main file.
const Path = "/etc/ssh/sshd_config"

// deepest is sshd's own bound for files in files.
const deepest = 16

// maxFiles is more than any configuration is made of: two files that include each other twice are read 2^16 times.
const maxFiles = 1000

// Directive is one line of the configuration.
type Directive struct {
	File    string
	Line    int
	Text    string // as it stands there
	Keyword string // in small letters
	Value   string
	Matched bool // it stands in a Match block
}

// Read reads the configuration of the host whose files are below prefix, with every file that it includes in its place.
// It only finds lines again: what they mean sshd itself says.
func Read(prefix string) ([]Directive, error) {
	r := reader{prefix: prefix}
	return r.read(prefix+Path, false, 0)
}

// reader reads files that include each other.
type reader struct {
	prefix string
	files  int
}

func (r *reader) read(path string, matched bool, depth int) ([]Directive, error) {
	if r.files++; r.files > maxFiles {
		return nil, tooMany(path)
	}
	data, err := os.ReadFile(path)
	if err != nil || depth > deepest {
		return nil, err
	}
	var all []Directive
	for i, line := range strings.Split(string(data), "\n") {
		words := strings.Fields(strings.Replace(line, "=", " ", 1))
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		d := Directive{path, i + 1, line, strings.ToLower(words[0]), strings.Join(words[1:], " "), matched}
		all = append(all, d)
		switch d.Keyword {
		case "match":
			matched = !strings.EqualFold(d.Value, "all")
			all[len(all)-1].Matched = matched
		case "include":
			inner, err := r.include(words[1:], matched, depth)
			if err != nil {
				return nil, err
			}
			all = append(all, inner...)
		}
	}
	return all, nil
}

func (r *reader) include(patterns []string, matched bool, depth int) ([]Directive, error) {
	var all []Directive
	for _, pattern := range patterns {
		for _, path := range included(r.prefix, pattern) {
			inner, err := r.read(path, matched, depth+1)
			if err != nil {
				return nil, err
			}
			all = append(all, inner...)
		}
	}
	return all, nil
}

func tooMany(path string) error {
	return fmt.Errorf("%s: more than %d files are included", path, maxFiles)
}

// Settings is what "sshd -T" prints: each keyword, in small letters, and its value.
type Settings map[string]string

// Is reports whether a keyword has a value.
func (s Settings) Is(keyword, value string) bool { return s[keyword] == value }

// ErrNone says that there is no sshd on this host.
var ErrNone = errors.New("there is no sshd on this host")

// ErrNotStarted says that sshd has not been started since the machine was: its directory /run/sshd is not there, and
// without it sshd does not look at its configuration.
var ErrNotStarted = errors.New("sshd has not been started yet: /run/sshd is not there")

// Test has sshd say what it would do: for everybody, or where user is not empty for that user from that address.
func Test(ctx context.Context, prefix, user, source string) (Settings, error) {
	args := []string{"-T"}
	if user != "" {
		if source == "" {
			source = "192.0.2.1" // nobody's: RFC 5737
		}
		args = append(args, "-C", fmt.Sprintf("user=%s,host=%s,addr=%s,laddr=127.0.0.1,lport=22", user, source, source))
	}
	out, err := run(ctx, prefix, args...)
	if err != nil {
		return nil, err
	}
	return parseSettings(string(out)), nil
}

// parseSettings reads what "sshd -T" prints. Of a keyword that comes twice the first counts, as in the file.
func parseSettings(out string) Settings {
	all := make(Settings)
	for line := range strings.Lines(out) {
		keyword, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if _, known := all[keyword]; !known {
			all[keyword] = value
		}
	}
	return all
}

// Check is "sshd -t": whether sshd would start with the configuration.
func Check(ctx context.Context, prefix string) error {
	_, err := run(ctx, prefix, "-t")
	return err
}

// run runs the host's sshd on the host's own configuration, or on that below the prefix.
func run(ctx context.Context, prefix string, args ...string) ([]byte, error) {
	program, err := exec.LookPath("sshd")
	if err != nil {
		program = "/usr/sbin/sshd"
	}
	if _, err := os.Stat(program); errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNone
	}
	if prefix != "" {
		dir, err := os.MkdirTemp("", "sallyport-sshd-")
		if err != nil {
			return nil, err
		}
		defer func() { _ = os.RemoveAll(dir) }() // in /tmp
		more, err := copyOptions(ctx, prefix, dir)
		if err != nil {
			return nil, err
		}
		args = append(args, more...)
	}
	cmd := exec.CommandContext(ctx, program, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	said := lastLine(stderr.String())
	if err != nil && strings.Contains(said, "Missing privilege separation directory") {
		return nil, ErrNotStarted
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", said, err)
	}
	return out, nil
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}

// copyOptions makes options that have sshd read the configuration below the prefix: a copy, in which every Include leads
// below it too, and a host key, without which it does not read any.
func copyOptions(ctx context.Context, prefix, dir string) ([]string, error) {
	key := filepath.Join(dir, "key")
	if out, err := exec.CommandContext(ctx, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("making a host key: %w: %s", err, out)
	}
	c := copier{prefix: prefix, dir: dir}
	config, err := c.copy(prefix+Path, 0)
	if err != nil {
		return nil, err
	}
	return []string{"-f", config, "-h", key}, nil
}

// copier copies a file and what it includes.
type copier struct {
	prefix, dir string
	copied      int
}

// copy copies one file and returns the path of the copy.
func (c *copier) copy(path string, depth int) (string, error) {
	if c.copied++; c.copied > maxFiles {
		return "", tooMany(path)
	}
	to := filepath.Join(c.dir, fmt.Sprintf("config-%03d", c.copied))
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	lines := strings.Split(string(data), "\n")
	for i, line := range lines {
		words := strings.Fields(line)
		if len(words) == 0 || !strings.EqualFold(words[0], "include") || depth > deepest {
			continue
		}
		if lines[i], err = c.include(words[1:], depth); err != nil {
			return "", err
		}
	}
	return to, os.WriteFile(to, []byte(strings.Join(lines, "\n")), 0o600)
}

// include copies the files of an Include, and returns one that names the copies.
func (c *copier) include(patterns []string, depth int) (string, error) {
	line := ""
	for _, pattern := range patterns {
		for _, path := range included(c.prefix, pattern) {
			to, err := c.copy(path, depth+1)
			if err != nil {
				return "", err
			}
			line += " " + to
		}
	}
	if line == "" {
		return "", nil
	}
	return "Include" + line, nil
}

// included lists the files that a pattern of an Include means, in order.
func included(prefix, pattern string) []string {
	pattern = strings.Trim(pattern, `"`)
	if !filepath.IsAbs(pattern) {
		pattern = filepath.Join("/etc/ssh", pattern)
	}
	paths, _ := filepath.Glob(prefix + pattern) // sshd, too, passes over one that is not well formed
	return paths
}

// Methods are the ways to log in that sshd offers: lists of methods, all of which are needed.
func (s Settings) Methods() [][]string {
	var lists [][]string
	if value := s["authenticationmethods"]; value != "" && value != "any" {
		for _, list := range strings.Fields(value) {
			lists = append(lists, strings.Split(list, ","))
		}
		return lists
	}
	for keyword, method := range MethodSwitches() {
		if s.Is(keyword, "yes") {
			lists = append(lists, []string{method})
		}
	}
	slices.SortFunc(lists, slices.Compare)
	return lists
}

// MethodSwitches are the keywords that turn methods on.
func MethodSwitches() map[string]string {
	return map[string]string{
		"pubkeyauthentication": "publickey", "passwordauthentication": "password", "kbdinteractiveauthentication": "keyboard-interactive",
		"hostbasedauthentication": "hostbased", "gssapiauthentication": "gssapi-with-mic",
	}
}

// Has reports whether a list has a method; "keyboard-interactive:pam" is one.
func Has(list []string, method string) bool {
	return slices.ContainsFunc(list, func(m string) bool {
		name, _, _ := strings.Cut(m, ":")
		return name == method
	})
}
