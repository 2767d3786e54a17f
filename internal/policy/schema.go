package policy

import (
	"fmt"
	"net/netip"
	"slices"
	"time"
)

const day = 24 * time.Hour

// tableKeys are the keys of the tables, in the order in which they are shown.
// Names have their table's in front, but for those at the head of the file.
func tableKeys() []key[Policy] {
	return []key[Policy]{
		boolKey("enabled", func(p *Policy) *bool { return &p.Enabled }),
		textKey("issuer", func(p *Policy) *string { return &p.Issuer }, checkIssuer),
		choiceKey("on_daemon_failure", func(p *Policy) *FailureMode { return &p.OnDaemonFailure }, FailureVerify, FailureDeny),
		boolKey("admins_may_enroll", func(p *Policy) *bool { return &p.AdminsMayEnroll }),

		stringsKey("login.trusted", "", func(p *Policy) *Members { return &p.Login.Trusted }, checkMember),

		intKey("codes.window", leastWindow, mostWindow, func(p *Policy) *int { return &p.Codes.Window }),
		intKey("codes.attempts", leastAttempts, mostAttempts, func(p *Policy) *int { return &p.Codes.Attempts }),

		intKey("lockout.failures", 1, 1000, func(p *Policy) *int { return &p.Lockout.Failures }),
		durationKey("lockout.within", time.Second, day, func(p *Policy) *time.Duration { return &p.Lockout.Within }),
		durationKey("lockout.lock", time.Second, 30*day, func(p *Policy) *time.Duration { return &p.Lockout.Lock }),
		durationKey("lockout.lock_max", time.Second, 30*day, func(p *Policy) *time.Duration { return &p.Lockout.LockMax }),
		intKey("lockout.user_failures", 1, 1000, func(p *Policy) *int { return &p.Lockout.UserFailures }),

		intKey("sessions.limit", leastLimit, mostLimit, func(p *Policy) *int { return &p.Sessions.Limit }),
		choiceKey("sessions.join", func(p *Policy) *Join { return &p.Sessions.Join }, JoinSource, JoinNever),
		choiceKey("sessions.excess", func(p *Policy) *Excess { return &p.Sessions.Excess }, ExcessDeny, ExcessDisplace, ExcessAsk),
		choiceKey("sessions.logout", func(p *Policy) *Logout { return &p.Sessions.Logout }, LogoutOne, LogoutAll),
		stringsKey("sessions.services", "", func(p *Policy) *[]string { return &p.Sessions.Services }, checkService),

		durationKey("clock.warn", time.Second, time.Hour, func(p *Policy) *time.Duration { return &p.Clock.Warn }),
		stringsKey("clock.servers", "", func(p *Policy) *[]string { return &p.Clock.Servers }, checkServer),
		stringsKey("clock.notify", "", func(p *Policy) *Members { return &p.Clock.Notify }, checkMember),

		stringsKey("api.services", "", func(p *Policy) *[]string { return &p.API.Services }, checkService),
		boolKey("api.enabled", func(p *Policy) *bool { return &p.API.Enabled }),
	}
}

// Bounds of what tables and rules may both set.
const (
	leastWindow, mostWindow     = 0, 10
	leastAttempts, mostAttempts = 1, 10
	leastLimit, mostLimit       = 0, 1000
)

// maxRemember is how long the ledger knows where a right code came from.
const maxRemember = 30 * day

// ruleKey is a key of [[rule]].
type ruleKey struct {
	key[Rule]
	sets  setting // none for a matcher, and for until
	table string  // the setting of a table that holds where no rule sets it; may be empty
}

// ruleKeys are the keys of [[rule]], matchers first.
func ruleKeys() []ruleKey {
	const everybody = "It would match nothing; leave it out to match everything."
	return []ruleKey{
		{stringsKey("services", everybody, func(r *Rule) *[]string { return &r.Services }, checkService), 0, ""},
		{stringsKey("users", everybody, func(r *Rule) *Members { return &r.Users }, checkMember), 0, ""},
		{listKey("from", everybody, func(r *Rule) *[]netip.Prefix { return &r.From }, parseNetwork, showNetwork), 0, ""},
		{maybeKey("publickey", func(r *Rule) **bool { return &r.PublicKey }), 0, ""},
		{hoursKey("between", func(r *Rule) *Hours { return &r.Between }), 0, ""},

		{choiceKey("require", func(r *Rule) *Require { return &r.Require },
			RequireAlways, RequireIfEnrolled, RequireEnroll, RequireNever), setRequire, ""},
		{timeKey("until", func(r *Rule) *time.Time { return &r.Until }), 0, ""},
		{durationKey("remember", 0, maxRemember, func(r *Rule) *time.Duration { return &r.Remember }), setRemember, ""},
		{promptKey("prompt", func(r *Rule) *string { return &r.Prompt }), setPrompt, ""},
		{textKey("message", func(r *Rule) *string { return &r.Message }, checkLine("message")), setMessage, ""},
		{textKey("refused", func(r *Rule) *string { return &r.Refused }, checkLine("refused")), setRefused, ""},
		{intKey("window", leastWindow, mostWindow, func(r *Rule) *int { return &r.Window }), setWindow, "codes.window"},
		{intKey("attempts", leastAttempts, mostAttempts, func(r *Rule) *int { return &r.Attempts }), setAttempts, "codes.attempts"},
		{intKey("limit", leastLimit, mostLimit, func(r *Rule) *int { return &r.Limit }), setLimit, "sessions.limit"},
		{choiceKey("join", func(r *Rule) *Join { return &r.Join }, JoinSource, JoinNever), setJoin, "sessions.join"},
		{choiceKey("excess", func(r *Rule) *Excess { return &r.Excess }, ExcessDeny, ExcessDisplace, ExcessAsk), setExcess, "sessions.excess"},
		{choiceKey("logout", func(r *Rule) *Logout { return &r.Logout }, LogoutOne, LogoutAll), setLogout, "sessions.logout"},
	}
}

// delegateKeys are the keys of [[delegate]].
func delegateKeys() []key[Delegate] {
	const nobody = "It would match nobody."
	actions := DelegateActions()
	return []key[Delegate]{
		stringsKey("who", nobody, func(d *Delegate) *Members { return &d.Who }, checkMember),
		stringsKey("over", nobody, func(d *Delegate) *Members { return &d.Over }, checkMember),
		textKey("owners", func(d *Delegate) *string { return &d.Owners }, checkOwners),
		stringsKey("may", "It would allow nothing.", func(d *Delegate) *[]string { return &d.May }, func(action string) *fault {
			if slices.Contains(actions, action) {
				return nil
			}
			return &fault{fmt.Sprintf("%s is none of %s.", quote(action), quotedList(actions, "and")), didYouMean(action, actions)}
		}),
	}
}
