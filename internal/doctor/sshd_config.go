package doctor

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

const sshdConfig = "/etc/ssh/sshd_config"

// directive is one line of sshd's configuration, with the files that it includes put in.
type directive struct {
	file    string
	line    int
	keyword string // in small letters
	value   string
	matched bool // it stands in a Match block
}

// readDirectives reads a file of sshd_config(5) and those that it includes. It only finds lines again: what they mean
// sshd itself says.
func readDirectives(prefix, path string, matched bool, depth int) ([]directive, error) {
	const deepest = 16 // sshd's own bound
	data, err := os.ReadFile(path)
	if err != nil || depth > deepest {
		return nil, err
	}
	var all []directive
	for i, line := range strings.Split(string(data), "\n") {
		words := strings.Fields(strings.Replace(line, "=", " ", 1))
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		d := directive{path, i + 1, strings.ToLower(words[0]), strings.Join(words[1:], " "), matched}
		all = append(all, d)
		switch d.keyword {
		case "match":
			matched = !strings.EqualFold(d.value, "all")
			all[len(all)-1].matched = matched
		case "include":
			for _, pattern := range words[1:] {
				inner, err := readIncluded(prefix, pattern, matched, depth)
				if err != nil {
					return nil, err
				}
				all = append(all, inner...)
			}
		}
	}
	return all, nil
}

func readIncluded(prefix, pattern string, matched bool, depth int) ([]directive, error) {
	pattern = strings.Trim(pattern, `"`)
	if !filepath.IsAbs(pattern) {
		pattern = filepath.Join("/etc/ssh", pattern)
	}
	paths, err := filepath.Glob(prefix + pattern)
	if err != nil {
		return nil, err
	}
	var all []directive
	for _, path := range paths {
		inner, err := readDirectives(prefix, path, matched, depth+1)
		if err != nil {
			return nil, err
		}
		all = append(all, inner...)
	}
	return all, nil
}

// settings is what "sshd -T" prints: each keyword, in small letters, and its value.
type settings map[string]string

func (s settings) is(keyword, value string) bool { return s[keyword] == value }

// errNoSSHD says that there is none on this host.
var errNoSSHD = errors.New("no sshd")

// testSSHD is "sshd -T", for everybody or for one user.
func (f *facts) testSSHD(ctx context.Context, user string) (settings, error) {
	args := []string{"-T"}
	if user != anybody {
		source := f.Source
		if source == "" {
			source = "192.0.2.1" // nobody's: RFC 5737
		}
		args = append(args, "-C", fmt.Sprintf("user=%s,host=%s,addr=%s,laddr=127.0.0.1,lport=22", user, source, source))
	}
	out, err := f.runSSHD(ctx, args...)
	if err != nil {
		return nil, err
	}
	all := make(settings)
	for line := range strings.Lines(string(out)) {
		keyword, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if _, known := all[keyword]; !known {
			all[keyword] = value
		}
	}
	return all, nil
}

// runSSHD runs the host's sshd on the host's configuration, or on that of the tree.
func (f *facts) runSSHD(ctx context.Context, args ...string) ([]byte, error) {
	program, err := exec.LookPath("sshd")
	if err != nil {
		program = "/usr/sbin/sshd"
	}
	if _, err := os.Stat(program); errors.Is(err, fs.ErrNotExist) {
		return nil, errNoSSHD
	}
	if !f.live() {
		dir, err := os.MkdirTemp("", "sallyport-doctor-")
		if err != nil {
			return nil, err
		}
		defer func() { _ = os.RemoveAll(dir) }() // in /tmp
		more, err := f.treeOptions(ctx, dir)
		if err != nil {
			return nil, err
		}
		args = append(args, more...)
	}
	cmd := exec.CommandContext(ctx, program, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", lastLine(stderr.String()), err)
	}
	return out, nil
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}

// treeOptions makes options that have sshd read the configuration of the tree: a copy, in which every Include leads into
// the tree, and a host key, without which it does not read any.
func (f *facts) treeOptions(ctx context.Context, dir string) ([]string, error) {
	key, config := filepath.Join(dir, "key"), filepath.Join(dir, "sshd_config")
	if out, err := exec.CommandContext(ctx, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("making a host key: %w: %s", err, out)
	}
	copied := 0
	var copyFile func(path, to string) error
	copyFile = func(path, to string) error {
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		lines := strings.Split(string(data), "\n")
		for i, line := range lines {
			words := strings.Fields(line)
			if len(words) == 0 || !strings.EqualFold(words[0], "include") {
				continue
			}
			lines[i] = ""
			for _, pattern := range words[1:] {
				if pattern = strings.Trim(pattern, `"`); !filepath.IsAbs(pattern) {
					pattern = filepath.Join("/etc/ssh", pattern)
				}
				paths, _ := filepath.Glob(f.prefix() + pattern) // sshd, too, passes over one that is not well formed
				for _, path := range paths {
					copied++
					inner := filepath.Join(dir, fmt.Sprintf("included-%03d", copied))
					if err := copyFile(path, inner); err != nil {
						return err
					}
					lines[i] += " " + inner
				}
			}
			if lines[i] != "" {
				lines[i] = "Include" + lines[i]
			}
		}
		return os.WriteFile(to, []byte(strings.Join(lines, "\n")), 0o600)
	}
	if err := copyFile(f.path(sshdConfig), config); err != nil {
		return nil, err
	}
	return []string{"-f", config, "-h", key}, nil
}

// methods are the ways to log in that sshd offers: lists of methods, all of which are needed.
func (s settings) methods() [][]string {
	var lists [][]string
	if value := s["authenticationmethods"]; value != "" && value != "any" {
		for _, list := range strings.Fields(value) {
			lists = append(lists, strings.Split(list, ","))
		}
		return lists
	}
	for keyword, method := range methodSwitches() {
		if s.is(keyword, "yes") {
			lists = append(lists, []string{method})
		}
	}
	slices.SortFunc(lists, slices.Compare)
	return lists
}

// methodSwitches are the keywords that turn methods on.
func methodSwitches() map[string]string {
	return map[string]string{
		"pubkeyauthentication": "publickey", "passwordauthentication": "password", "kbdinteractiveauthentication": "keyboard-interactive",
		"hostbasedauthentication": "hostbased", "gssapiauthentication": "gssapi-with-mic",
	}
}

// has reports whether a list has a method; "keyboard-interactive:pam" is one.
func has(list []string, method string) bool {
	return slices.ContainsFunc(list, func(m string) bool {
		name, _, _ := strings.Cut(m, ":")
		return name == method
	})
}
