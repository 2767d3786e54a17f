package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// RememberMark names what the rules say about which logins are remembered: two
// policies have the same mark only if they remember the same logins. It is empty
// where none are.
//
// Who keeps remembered logins must forget them when the mark changes, or a
// policy that stops remembering and begins again would find those from before.
func (p *Policy) RememberMark() string { return p.mark }

func rememberMark(rules []Rule) string {
	if !slices.ContainsFunc(rules, func(r Rule) bool { return r.Remember > 0 }) {
		return ""
	}
	var b strings.Builder
	for i := range rules {
		r := &rules[i]
		if r.sets&setRemember == 0 {
			continue
		}
		b.WriteString("[[rule]]\n")
		for _, k := range ruleKeys() {
			matcher := k.sets == 0 && k.name != "until"
			if r.lines[k.name] > 0 && (matcher || k.sets == setRemember) {
				fmt.Fprintf(&b, "%s = %s\n", k.name, k.show(r))
			}
		}
	}
	sum := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(sum[:16])
}
