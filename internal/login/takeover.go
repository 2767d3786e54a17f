package login

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"sallyport/internal/audit"
)

// Sessions is what is known of the user's open sessions. It is empty for a service whose logins are none.
type Sessions struct {
	Counted bool   // the login is about to open one, or a window of one
	Open    int    // how many there are
	Excess  []Open // those that must end for it, where the policy has the person asked
}

// Open is one of them.
type Open struct {
	ID       string
	Source   string // as Request.Source has it
	Since    time.Time
	Terminal string // "pts/1"; empty: none that is known
}

// PromptTakeOver ends the question whether to end other sessions.
const PromptTakeOver = "Take over? [y/N] "

// takeOver holds a login back that was granted, until the person has said whether other sessions are to end for it.
// Who cannot be asked goes on, and is refused when the session opens: no answer means no.
func (d *Dialogue) takeOver(f *Facts, s Step) Step {
	in := s.Ask == nil && (s.Verdict == Granted || s.Verdict == NotRequired)
	if !in || len(f.Sessions.Excess) == 0 || !d.canAsk() {
		return s
	}
	d.state = wantTakeOver
	d.verdict, d.events = s.Verdict, s.Events
	d.excess = nil
	for _, o := range f.Sessions.Excess {
		d.excess = append(d.excess, o.ID)
	}
	s.Verdict, s.Events = Pending, nil
	s.Ask = &Prompt{Text: AlreadyIn(f.Sessions.Excess, f.Now) + " " + PromptTakeOver, Echo: true}
	return s
}

// answerTakeOver takes a plain yes, and anything else for a no.
func (d *Dialogue) answerTakeOver(f *Facts, answer string) Step {
	answer = strings.ToLower(strings.TrimSpace(answer))
	if answer != "y" && answer != "yes" {
		s := Refuse(Denied, textGoesOn)
		e := d.req.Event(audit.SessionRefused)
		e.Reason = "the person did not want to take over"
		s.Events = []audit.Event{e}
		return s
	}
	f.Account.Permit(d.req.Service, d.req.Source(), d.excess, f.Now)
	s := end(d.verdict)
	s.Events, s.SaveAccount = d.events, true
	return s
}

// AlreadyIn says where the person is logged in: "Already logged in from 10.0.0.5 since 14:02 on pts/1."
func AlreadyIn(sessions []Open, now time.Time) string {
	var each []string
	for _, o := range sessions {
		text := from(o.Source) + " since " + timeOfDay(o.Since, now)
		if o.Terminal != "" {
			text += " on " + o.Terminal
		}
		each = append(each, text)
	}
	const most = 4
	if more := len(each) - most; more > 0 {
		each = append(slices.Clip(each[:most]), fmt.Sprintf("%d more times", more))
	}
	return "Already logged in " + strings.Join(each, ", and ") + "."
}

// RefusedText is for who may have no session more.
func RefusedText(sessions []Open, limit int, now time.Time) string {
	return fmt.Sprintf("%s You may have %s at a time.", AlreadyIn(sessions, now), plural(limit, "session"))
}

const textGoesOn = "The other session goes on, and you were not logged in."

// Notice is for the terminals of a session that ends for a login from elsewhere.
func Notice(source, service string, now time.Time) string {
	return fmt.Sprintf("This session was taken over at %s by a login %s (%s).", now.Format("15:04"), from(source), service)
}

// NoticeBy is for those of a session that somebody ends.
func NoticeBy(by string, now time.Time) string {
	return fmt.Sprintf("This session was ended at %s by %s.", now.Format("15:04"), by)
}

// NoticeLogout is for those of a session that ends because its user logged out in another window.
func NoticeLogout(now time.Time) string {
	return fmt.Sprintf("This session was ended at %s: you logged out in another window.", now.Format("15:04"))
}

// lastLogin is the line for who has got in: "Last login Tue 24 Nov 14:02 from 10.0.0.5; 1 session open."
func lastLogin(f *Facts) string {
	var parts []string
	if last := f.Account.Last; !last.At.IsZero() {
		at := last.At.In(f.Now.Location())
		layout := "Mon 2 Jan 15:04"
		if at.Year() != f.Now.Year() {
			layout = "Mon 2 Jan 2006 15:04"
		}
		parts = append(parts, "Last login "+at.Format(layout)+" "+from(last.Source))
	}
	if n := f.Sessions.Open; n > 0 {
		parts = append(parts, plural(n, "session")+" open")
	}
	if len(parts) == 0 {
		return ""
	}
	return strings.Join(parts, "; ") + "."
}

func from(source string) string {
	switch source {
	case "local":
		return "on this host"
	case "self":
		return "by a program"
	}
	const most = 64 // bytes: a host's name may be longer than a line
	if len(source) > most {
		source = strings.ToValidUTF8(source[:most], "") + "…"
	}
	return "from " + source
}

// timeOfDay is a time of the day, with the day where that is another one.
func timeOfDay(t, now time.Time) string {
	t = t.In(now.Location())
	if t.YearDay() == now.YearDay() && t.Year() == now.Year() {
		return t.Format("15:04")
	}
	return t.Format("2 Jan 15:04")
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
