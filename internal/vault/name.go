package vault

import (
	"encoding/hex"
	"errors"
	"strings"
)

const (
	suffix  = ".toml"
	maxName = 255 // NAME_MAX of Linux file systems
)

var errName = errors.New("it is not the name of a record")

// fileName escapes the user's name as systemd-escape(1) does: a to z, A to Z, 0 to 9, ":", "_" and "." stay, but for a "." at the
// start; every other byte is \xNN. A "/" would become "-", but no user's name has one.
func fileName(user string) string {
	var b strings.Builder
	for i := range len(user) {
		c := user[i]
		if plain(c) && (c != '.' || i > 0) {
			b.WriteByte(c)
		} else {
			b.WriteString(`\x` + hex.EncodeToString([]byte{c}))
		}
	}
	return b.String() + suffix
}

func plain(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == ':' || c == '_' || c == '.'
}

// userOf is the user whose record has the name.
func userOf(name string) (string, error) {
	escaped, ok := strings.CutSuffix(name, suffix)
	if !ok {
		return "", errName
	}
	first, rest, _ := strings.Cut(escaped, `\x`)
	user := []byte(first)
	for rest != "" {
		c, err := hex.DecodeString(rest[:min(2, len(rest))])
		if err != nil {
			return "", errName
		}
		rest = rest[2:]
		var part string
		part, rest, _ = strings.Cut(rest, `\x`)
		user = append(append(user, c...), part...)
	}
	// One user has one name: what fileName would not write is not read.
	if checkUser(string(user)) != nil || fileName(string(user)) != name {
		return "", errName
	}
	return string(user), nil
}
