package login

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"sallyport/internal/clock"
	"sallyport/internal/enroll"
	"sallyport/internal/qr"
)

// What people read in a login, all in one place: short sentences with a full stop that say what to do next. A prompt
// ends in a colon and a blank.
const (
	PromptCode        = "Verification code: "
	PromptSplit       = "Password and verification code: "
	PromptSetup       = "Code from your app: "
	PromptAcknowledge = "Press Enter when you have written them down: "

	TextUnavailable = "The verification service is unavailable."
	TextSetupFailed = "The second factor could not be set up."

	textSetupElsewhere = "This login needs a second factor. Set it up first, in a terminal: sallyportctl enroll."
)

// Text says what was found, to the person whose answer it was. It makes no difference between a wrong code and what is
// none: sshd answers for a user who does not exist with something that is none, and the difference would tell.
func (f Finding) Text() string {
	switch f {
	case Replayed:
		return "This code has been used already. Wait for the next one."
	case Quarantined:
		return "The server has just started and cannot tell whether this code was used. " +
			"Take the code after the next one, or a recovery code."
	default:
		return "The code is wrong."
	}
}

// reason says it to the journal.
func (f Finding) reason() string {
	switch f {
	case NotACode:
		return "the answer could not be a code"
	case WrongRecovery:
		return "wrong recovery code"
	default:
		return "wrong code"
	}
}

// LockedText says how long a lock still holds.
func LockedText(now, until time.Time) string {
	return fmt.Sprintf("Too many wrong codes. Try again in %s.", Wait(until.Sub(now)))
}

// Wait is a duration as people say it, rounded up: "40 seconds", "5 minutes", "2 hours".
func Wait(d time.Duration) string {
	unit, name := time.Second, "second"
	switch {
	case d > 2*time.Hour:
		unit, name = time.Hour, "hour"
	case d > 2*time.Minute:
		unit, name = time.Minute, "minute"
	}
	n := max(1, (d+unit-1)/unit)
	if n == 1 {
		return "1 " + name
	}
	return fmt.Sprintf("%d %ss", n, name)
}

// SetupRefused says why a set-up's first code was refused. It may be the clocks: who sets a second factor up has its
// key, so that nothing is given away by saying when the code would be right. One in 350 codes that are just wrong is
// right at some time of the day; hence the "if".
func SetupRefused(f *Facts, id, code string) string {
	const invalid = "The security code is invalid."
	if f.Clock.Bad {
		mend := "Have it set right"
		if f.Clock.Mend != "" {
			mend = fmt.Sprintf("Have the administrator run %q", f.Clock.Mend)
		}
		return fmt.Sprintf("%s This server's clock is %s. %s, then try again.", invalid, clock.Words(f.Clock.Offset), mend)
	}
	sample, ok := enroll.Misdated(f.Record, id, code, f.Now)
	if !ok {
		return invalid
	}
	apart, direction := sample.Phone(clock.State{}), "ahead of"
	if apart < 0 {
		direction = "behind"
	}
	which := "both clocks"
	if f.Clock.Reliable() {
		which = "the phone's clock"
	}
	return fmt.Sprintf("%s If you typed it as your phone showed it, the phone's clock is %s %s this server's. Have %s set by the network, then try again.",
		invalid, clock.Length(apart), direction, which)
}

// setupError says why a set-up did not go on.
func setupError(f *Facts, id, code string, err error) string {
	switch {
	case errors.Is(err, enroll.ErrCode):
		return SetupRefused(f, id, code)
	case errors.Is(err, enroll.ErrNoSetup):
		return "The set-up has expired. Log in again to begin a new one."
	default:
		return TextSetupFailed
	}
}

func reminder(until time.Time) string {
	return fmt.Sprintf("Two-factor login becomes mandatory on %s. Set it up now: sallyportctl enroll", until.Format("2 January 2006"))
}

func recoveryLeft(n int) string {
	if n == 1 {
		return "You have 1 recovery code left. New ones: sallyportctl recovery-codes"
	}
	return fmt.Sprintf("You have %d recovery codes left. New ones: sallyportctl recovery-codes", n)
}

// setupMessages shows a secret to its owner: a QR code and, for who cannot scan it, the account and the key.
func setupMessages(s enroll.Setup) ([]Message, error) {
	uri, err := s.URI.Reveal()
	if err != nil {
		return nil, err
	}
	rows, err := qr.Lines(uri)
	if err != nil {
		return nil, err
	}
	lines := []string{"This login needs a second factor, which you set up now. Scan this with an authenticator app:", ""}
	lines = append(lines, rows...)
	lines = append(lines, "", "Or type the key into the app:", "  Account: "+s.URI.Account, "  Key:     "+Grouped(s.URI.Key.Secret.Base32()), "")
	return messages(lines), nil
}

// setupPrompt is for a login that is overheard: it shows the key in running text, which is how Cockpit sets a prompt, and
// all of it in ASCII. A QR code it could not show. Like every prompt it has room for 511 bytes (PAM_MAX_MSG_SIZE).
func setupPrompt(s enroll.Setup) string {
	return "This login needs a second factor, which you set up now. Add an account to an authenticator app by hand, with this key: " +
		Grouped(s.URI.Key.Secret.Base32()) + ". " + PromptSetup
}

// recoveryPrompt is recoveryMessages for a login that is overheard.
func recoveryPrompt(codes []string) string {
	text := "The second factor is set up. "
	if len(codes) > 0 {
		text += "Your recovery codes, each good for one login without the phone, are not shown again:"
		for i, c := range codes { // the numbers show where one begins: the lines break at its hyphens
			text += fmt.Sprintf(" (%d) %s", i+1, c)
		}
		text += ". "
	}
	return text + PromptAcknowledge
}

// recoveryMessages shows recovery codes, once.
func recoveryMessages(codes []string) []Message {
	lines := []string{"The second factor is set up."}
	if len(codes) > 0 {
		lines = append(lines, "Your recovery codes, each good for one login without the phone. They are not shown again:", "")
		for _, c := range codes {
			lines = append(lines, "  "+c)
		}
		lines = append(lines, "")
	}
	return messages(lines)
}

func messages(lines []string) []Message {
	out := make([]Message, len(lines))
	for i, l := range lines {
		out[i].Text = l
	}
	return out
}

// Grouped parts a key into fours, as people read and type it; apps ignore the blanks.
func Grouped(key string) string {
	var b strings.Builder
	for i, r := range key {
		if i > 0 && i%4 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}
