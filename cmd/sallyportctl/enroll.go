package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/varlink/go/varlink"

	account "sallyport/internal/api/iosallyportaccount"
)

// enrollOptions are the wishes of a person who sets a device up.
type enrollOptions struct {
	user, label, kind, algorithm string
	digits                       int64
	reconfigure                  bool
	token                        string
	noConfirm                    bool
}

func (a *app) enroll() *cobra.Command {
	var o enrollOptions
	cmd := &cobra.Command{
		Use:   "enroll",
		Short: "Set up two-factor login, or another device",
		Long: `Enroll sets up a device that makes codes, usually an app on a phone. It shows a
QR code and the key to type, and asks for the first code; nothing is on before
that. With the first device come recovery codes, which are shown once.

Who has a device already is asked for a code of it first.`,
		Example: `  sallyportctl enroll
  sallyportctl enroll --label tablet
  sallyportctl enroll --reconfigure              # a new key for the phone
  sallyportctl enroll --no-confirm               # and later: sallyportctl confirm ID`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runEnroll(cmd.Context(), o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.user, "user", "", "set it up for `USER` (root, where the policy says admins_may_enroll)")
	f.StringVar(&o.label, "label", "", "the device's `NAME`; without it: phone, phone 2, ...")
	f.StringVar(&o.kind, "kind", "", "totp, a code every 30 seconds (the default), or hotp, by a counter")
	f.StringVar(&o.algorithm, "algorithm", "", "SHA1 (the default; every app knows it), SHA256 or SHA512")
	f.Int64Var(&o.digits, "digits", 0, "digits of a code, 6 (the default) to 8")
	f.BoolVar(&o.reconfigure, "reconfigure", false, "give a device a new key; it has the old one until the first code")
	f.StringVar(&o.token, "device", "", "with --reconfigure: its `NAME` or id, where there are several")
	f.BoolVar(&o.noConfirm, "no-confirm", false, "only begin; the code is for sallyportctl confirm")
	return cmd
}

func (a *app) runEnroll(ctx context.Context, o enrollOptions) error {
	if o.token != "" && !o.reconfigure {
		return usageError{"--device is for --reconfigure; to name a new device: --label."}
	}
	st, err := a.secondFactor(ctx, o.user)
	if err != nil {
		return err
	}
	if o.reconfigure && o.token == "" {
		if o.token, err = onlyToken(st); err != nil {
			return err
		}
	}
	code := ""
	// Who does it for somebody else has no code of theirs; whether it may, the daemon knows.
	if st.Enrolled && st.User == nameOf(strconv.Itoa(os.Geteuid())) {
		if code, err = a.ask(askCurrentCode); err != nil {
			return err
		}
	}
	s, err := a.beginSetup(ctx, o, code)
	if err != nil {
		return err
	}
	if err := a.showSetup(st.User, s.uri, s.secret); err != nil {
		return err
	}
	if o.noConfirm {
		a.say("Nothing is on yet. Confirm it until %s with its first code: sallyportctl confirm %s", when(s.expires), s.id)
		return nil
	}
	return a.finishSetup(ctx, o.user, s.id)
}

func onlyToken(st account.SecondFactor) (string, error) {
	switch len(st.Tokens) {
	case 0:
		return "", sentence(fmt.Sprintf("Two-factor login is not set up for %q, so there is no device to reconfigure.", st.User))
	case 1:
		return st.Tokens[0].Id, nil
	}
	return "", sentence("There are several devices; name one with --device. See which there are: sallyportctl status")
}

// setup is what the daemon made.
type setup struct{ id, uri, secret, expires string }

func (a *app) beginSetup(ctx context.Context, o enrollOptions, code string) (s setup, err error) {
	var digits *int64
	if o.digits != 0 {
		digits = &o.digits
	}
	err = a.call(ctx, func(ctx context.Context, c *varlink.Connection) (err error) {
		s.id, s.uri, s.secret, s.expires, err = account.Enroll().Call(ctx, c, maybe(o.user), maybe(o.label), maybe(o.kind),
			maybe(o.algorithm), digits, maybe(o.token), maybe(code))
		return err
	})
	return s, err
}

// setupTries is how often a person is asked for the first code: the next one is half a minute away.
const setupTries = 3

// finishSetup asks for the first code until it is right.
func (a *app) finishSetup(ctx context.Context, user, id string) error {
	for try := 1; ; try++ {
		code, err := a.ask(askSetupCode)
		if err != nil {
			return err
		}
		err = a.confirmSetup(ctx, user, id, code)
		var wrong *account.CodeInvalid
		if !errors.As(err, &wrong) || try == setupTries || !a.interactive() {
			return err
		}
		a.tell("%s Take the next one that the app shows.", wrong.Message)
	}
}
