package main

import (
	"context"

	"github.com/spf13/cobra"
	"github.com/varlink/go/varlink"

	login "sallyport/internal/api/iosallyportlogin"
)

func (a *app) verify() *cobra.Command {
	var service, from, tty string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "verify USER",
		Short: "Check somebody's code, as a login would (root)",
		Long: `Verify checks a code as a login would: a right one is used up, a wrong one
counts. It asks for the code, or reads it from standard input. The exit status
is 0 if such a login would get in, with the code or because it needs none.`,
		Example: `  sallyportctl verify alice --service sshd --from 192.0.2.7
  echo 123456 | sallyportctl verify alice --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			code, err := a.ask(askCode)
			if err != nil {
				return err
			}
			var v verdict
			err = a.call(cmd.Context(), func(ctx context.Context, c *varlink.Connection) (err error) {
				v.Verdict, v.Message, err = login.Verify().Call(ctx, c, args[0], code, service, maybe(from), maybe(tty))
				return err
			})
			if err != nil {
				return err
			}
			return a.showVerdict(v, asJSON)
		},
	}
	f := cmd.Flags()
	f.StringVar(&service, "service", "sallyportctl", "the PAM `SERVICE` to check it for")
	f.StringVar(&from, "from", "", "the `ADDRESS` that the login would come from; without it: a local login")
	f.StringVar(&tty, "tty", "", "the `TERMINAL` of the login")
	f.BoolVar(&asJSON, "json", false, "print JSON: verdict and message")
	return cmd
}

// verdict is what became of a code.
type verdict struct {
	Verdict login.Verdict `json:"verdict"`
	Message string        `json:"message"`
}

func (a *app) showVerdict(v verdict, asJSON bool) error {
	if asJSON {
		if err := a.writeJSON(v); err != nil {
			return err
		}
	} else {
		a.say("%s", v.sentence())
	}
	if v.Verdict != "granted" && v.Verdict != "not_required" {
		return errSaid
	}
	return nil
}

// sentence says what the verdict is, and then why.
func (v verdict) sentence() string {
	text := "Denied."
	switch v.Verdict {
	case "granted":
		text = "Granted."
	case "not_required":
		text = "No code is needed."
	case "locked":
		text = "Locked."
	case "unavailable":
		text = "It could not be found out."
	}
	if v.Message != "" {
		text += " " + v.Message
	}
	return text
}
