package pamstack

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Code is what a module returns, by the name that pam.conf(5) gives it: "success", "auth_err", ...
type Code string

// The codes that matter by themselves. All others are failures of some kind.
const (
	Success    Code = "success"
	NewAuthtok Code = "new_authtok_reqd" // the account is good, its password has expired
	Ignore     Code = "ignore"
	AuthErr    Code = "auth_err"
)

// codes is every one of them, in libpam's order.
func codes() []Code {
	return []Code{
		"success", "open_err", "symbol_err", "service_err", "system_err", "buf_err", "perm_denied", "auth_err",
		"cred_insufficient", "authinfo_unavail", "user_unknown", "maxtries", "new_authtok_reqd", "acct_expired", "session_err",
		"cred_unavail", "cred_expired", "cred_err", "no_module_data", "conv_err", "authtok_err", "authtok_recover_err",
		"authtok_lock_busy", "authtok_disable_aging", "try_again", "ignore", "abort", "authtok_expired", "module_unknown",
		"bad_item", "conv_again", "incomplete",
	}
}

// Action is what libpam does about a code: one of the words below, or a number of lines to jump over.
type Action struct {
	word string
	jump int
}

// Control is the second field of a line: what is done about each code.
type Control struct {
	Text    string
	actions map[Code]Action
}

// Of is the action for a code. A code that the control does not name is bad: libpam refuses the login.
func (c Control) Of(code Code) Action {
	if a, ok := c.actions[code]; ok {
		return a
	}
	if a, ok := c.actions["default"]; ok {
		return a
	}
	return Action{word: "bad"}
}

// words is what the four plain controls stand for (pam.conf(5)).
func words() map[string]string {
	return map[string]string{
		"required":   "success=ok new_authtok_reqd=ok ignore=ignore default=bad",
		"requisite":  "success=ok new_authtok_reqd=ok ignore=ignore default=die",
		"sufficient": "success=done new_authtok_reqd=done default=ignore",
		"optional":   "success=ok new_authtok_reqd=ok default=ignore",
	}
}

// parseControl reads a plain control or one in brackets.
func parseControl(text string) (Control, error) {
	c := Control{Text: text, actions: make(map[Code]Action)}
	list, bracketed := strings.CutPrefix(text, "[")
	list = strings.TrimSuffix(list, "]")
	if !bracketed {
		var known bool
		if list, known = words()[strings.ToLower(text)]; !known {
			return c, fmt.Errorf("%q is no control: must be required, requisite, sufficient, optional, include, substack or a list in brackets", text)
		}
	}
	for _, pair := range strings.Fields(list) {
		name, value, ok := strings.Cut(pair, "=")
		code := Code(strings.ToLower(name))
		if !ok || code != "default" && !slices.Contains(codes(), code) {
			return c, fmt.Errorf("%q is no code and action", pair)
		}
		a, err := parseAction(value)
		if err != nil {
			return c, err
		}
		c.actions[code] = a
	}
	return c, nil
}

func parseAction(value string) (Action, error) {
	value = strings.ToLower(value)
	if slices.Contains([]string{"ignore", "bad", "die", "ok", "done", "reset"}, value) {
		return Action{word: value}, nil
	}
	if n, err := strconv.Atoi(value); err == nil && n > 0 {
		return Action{jump: n}, nil
	}
	return Action{}, fmt.Errorf("%q is no action: must be ignore, bad, die, ok, done, reset or a number of lines to jump over", value)
}

// Refuses reports whether an action has libpam refuse the login, whatever comes behind it.
func (a Action) Refuses() bool { return a.word == "bad" || a.word == "die" }

// Matters reports whether a failure changes anything: it refuses, or what success would have led past is called.
func (c Control) Matters() bool {
	success, failure := c.Of(Success), c.Of(AuthErr)
	return failure.Refuses() || success.jump > 0 || success.word == "done"
}

// Jump is how many lines an action jumps over; 0: it does not jump.
func (a Action) Jump() int { return a.jump }
