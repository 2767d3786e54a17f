package policy

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"unicode"
)

// fault is what is wrong with one value, and what would be right.
type fault struct{ text, hint string }

// maxName bounds user and group names, in bytes (LOGIN_NAME_MAX, limits.h(0P)).
const maxName = 255

// checkMember holds an entry of a list of users against what can be a user's
// or, behind "@", a group's name. Spaces and backslashes occur in names that
// come from a directory service.
func checkMember(entry string) *fault {
	name, kind := entry, "user"
	if isGroup(entry) {
		name, kind = entry[1:], "group"
	}
	text := fmt.Sprintf("%s is no name of a %s", quote(entry), kind)
	switch {
	case name == "":
		return &fault{text + ": it is empty.", `Users are "name", groups "@name".`}
	case len(name) > maxName:
		return &fault{fmt.Sprintf("%s: it is longer than %d bytes.", text, maxName), ""}
	case strings.ContainsAny(name, "*?"):
		return &fault{text + ": patterns are not understood.", "For everybody leave the key out; for some name a group."}
	case name[0] == '!':
		return &fault{text + ": nobody can be excepted.", "Put a rule for them before this one."}
	case name[0] == '%' && kind == "user":
		return &fault{text + ".", fmt.Sprintf("Groups are written %q.", "@"+name[1:])}
	case strings.ContainsAny(name, "/:,"):
		return &fault{text + `: it contains one of "/", ":" and ",".`, ""}
	case name != strings.TrimSpace(name):
		return &fault{text + ": it begins or ends with a space.", ""}
	case !printable(name):
		return &fault{text + ": it contains characters that cannot be printed.", ""}
	}
	return nil
}

// checkService holds a name against what can be the name of a PAM service,
// which is that of a file in /etc/pam.d. libpam turns them to lower case.
func checkService(name string) *fault {
	const max = 64
	text := fmt.Sprintf("%s is no name of a PAM service", quote(name))
	bad := strings.IndexFunc(name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_.+@-", r))
	})
	switch {
	case name == "":
		return &fault{text + ": it is empty.", "Services are named as their files in /etc/pam.d."}
	case len(name) > max:
		return &fault{fmt.Sprintf("%s: it is longer than %d bytes.", text, max), ""}
	case bad >= 0:
		return &fault{text + ".", "Services are named as their files in /etc/pam.d."}
	case name != strings.ToLower(name):
		return &fault{text + ": PAM has them in lower case.", fmt.Sprintf("Did you mean %q?", strings.ToLower(name))}
	}
	return nil
}

// checkIssuer holds the issuer against what an otpauth URI can carry, and an
// authenticator app can show.
func checkIssuer(issuer string) *fault {
	const max = 64
	switch {
	case len(issuer) > max:
		return &fault{fmt.Sprintf("issuer must not be longer than %d bytes.", max), ""}
	case strings.Contains(issuer, ":"):
		return &fault{`issuer must not contain ":", which separates it from the account in authenticator apps.`, ""}
	case !printable(issuer):
		return &fault{"issuer contains characters that cannot be printed.", ""}
	case issuer != strings.TrimSpace(issuer):
		return &fault{"issuer must not begin or end with a space.", ""}
	}
	return nil
}

// Bounds of what a login shows, in bytes: all of it at once fits into one message of PAM's (PAM_MAX_MSG_SIZE), which is
// what a host without messages gets as its prompt.
const (
	maxPrompt = 80
	maxLine   = 240
)

// promptKey is what asks for a code. It ends in a blank, whoever wrote it without.
func promptKey[T any](name string, at func(*T) *string) key[T] {
	k := textKey(name, at, func(prompt string) *fault {
		switch {
		case strings.TrimSpace(prompt) == "":
			return &fault{name + " must not be empty.", "Leave it out for the usual one."}
		case len(prompt) > maxPrompt:
			return &fault{fmt.Sprintf("%s must not be longer than %d bytes.", name, maxPrompt), ""}
		case !printable(prompt):
			return &fault{name + " contains characters that cannot be printed.", ""}
		}
		return nil
	})
	read := k.read
	k.read = func(t *T, value any) []fault {
		faults := read(t, value)
		if faults == nil {
			*at(t) = strings.TrimSpace(*at(t)) + " "
		}
		return faults
	}
	return k
}

// checkLine holds a text against what can be one line in a login; empty is no line.
func checkLine(name string) func(string) *fault {
	return func(line string) *fault {
		switch {
		case len(line) > maxLine:
			return &fault{fmt.Sprintf("%s must not be longer than %d bytes.", name, maxLine), ""}
		case !printable(line):
			return &fault{name + " contains characters that cannot be printed.", "It is one line."}
		}
		return nil
	}
}

// checkServer holds an entry of clock.servers against what can be asked: a
// host name or an address, either with :port.
func checkServer(server string) *fault {
	bad := &fault{
		fmt.Sprintf("%s is no host name and no address.", quote(server)),
		`Write "ntp.example.org", "192.0.2.1" or "[2001:db8::1]:123".`,
	}
	if _, err := netip.ParseAddr(server); err == nil {
		return nil
	}
	if ap, err := netip.ParseAddrPort(server); err == nil && ap.Port() > 0 {
		return nil
	}
	host, port, found := strings.Cut(server, ":")
	if found {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return bad
		}
	}
	if len(host) > 253 || !strings.ContainsFunc(host, unicode.IsLetter) {
		return bad
	}
	for label := range strings.SplitSeq(strings.TrimSuffix(host, "."), ".") {
		if !validLabel(label) {
			return bad
		}
	}
	return nil
}

// validLabel reports whether s can be one part of a host name (RFC 1123 §2.1).
func validLabel(s string) bool {
	if s == "" || len(s) > 63 || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-')
	})
}

func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}
