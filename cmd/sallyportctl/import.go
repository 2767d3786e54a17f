package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"sallyport/internal/transfer"
)

func (a *app) importCommand() *cobra.Command {
	var o importOptions
	cmd := &cobra.Command{
		Use:   "import",
		Short: "Take over second factors from elsewhere (root)",
		Long: `Import gives users the second factors that they have elsewhere, so that their
phones and hardware tokens go on working. It says for each user what it would
do; with --apply it does it. Nothing that a user has here is overwritten without
--replace.

A code that is right at that moment, or was used before, does not work here any
more: it may have been used there. The next one does.

Files are read only if nobody but their owner can read them; "-" is standard
input. The exit status is 0 if every user in the source is taken over, or would
be, or was before.`,
		Example: `  sallyportctl import google-authenticator --all
  sallyportctl import google-authenticator --all --apply
  sallyportctl import oath /etc/users.oath`,
		Args: cobra.NoArgs,
		RunE: needSubcommand,
	}
	f := cmd.PersistentFlags()
	f.BoolVar(&o.apply, "apply", false, "do it; without this it is only said")
	f.BoolVar(&o.replace, "replace", false, "also for users who have another second factor here, which they lose")
	f.BoolVar(&o.asJSON, "json", false, "print JSON: applied, users, counts")
	cmd.AddCommand(a.importGoogle(&o), a.importOATH(&o), a.importCPanel(&o), a.importURIs(&o), a.importMigration(&o), a.importPSKC(&o))
	return cmd
}

// importOptions are the same for every source.
type importOptions struct{ apply, replace, asJSON bool }

// naming are the options of a source that names its users as it likes.
type naming struct {
	user         string
	withoutHosts bool
}

func (n *naming) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&n.user, "user", "", "all of it is `USER`'s, whoever it names")
	cmd.Flags().BoolVar(&n.withoutHosts, "without-hosts", false, "take alice@host for alice")
}

// reader has what read finds named so.
func (n *naming) reader(read func([]byte) ([]transfer.Account, error)) (func([]byte) ([]transfer.Account, error), error) {
	if n.user != "" && n.withoutHosts {
		return nil, usageError{"With --user there are no names to take hosts from: say one of --user and --without-hosts."}
	}
	return func(data []byte) ([]transfer.Account, error) {
		all, err := read(data)
		return n.of(all), err
	}, nil
}

func (n *naming) of(all []transfer.Account) []transfer.Account {
	switch {
	case n.user != "":
		return transfer.For(n.user, all)
	case n.withoutHosts:
		return transfer.WithoutHosts(all)
	}
	return all
}

func (a *app) importOATH(o *importOptions) *cobra.Command {
	var withoutPINs bool
	cmd := &cobra.Command{
		Use:   "oath FILE",
		Short: "From pam_oath: its users file",
		Long: `Oath reads the users file of pam_oath: hardware tokens and apps, by counter or
by time. Counters and the last used codes are taken over. Users with a PIN are
not taken over unless you say --ignore-pins: Sallyport asks for the code alone,
so the PAM stack should ask for a password.`,
		Example: `  sallyportctl import oath /etc/users.oath
  sallyportctl import oath /etc/users.oath --ignore-pins --apply`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.importFile(cmd.Context(), args[0], o, func(data []byte) ([]transfer.Account, error) {
				return transfer.OATH(data, time.Local, withoutPINs)
			})
		},
	}
	cmd.Flags().BoolVar(&withoutPINs, "ignore-pins", false, "take over users with a PIN, without it")
	return cmd
}

func (a *app) importCPanel(o *importOptions) *cobra.Command {
	return &cobra.Command{
		Use:   "cpanel FILE",
		Short: "From cPanel & WHM: its two-factor user data",
		Long: `Cpanel reads the two-factor user data of cPanel & WHM, which is the file
tfa_userdata.json in /var/cpanel/authn/twofactor_auth.`,
		Example: `  sallyportctl import cpanel /root/tfa_userdata.json`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.importFile(cmd.Context(), args[0], o, transfer.CPanel)
		},
	}
}

func (a *app) importURIs(o *importOptions) *cobra.Command {
	var n naming
	cmd := &cobra.Command{
		Use:   "otpauth FILE",
		Short: "From anywhere: otpauth URIs, one to a line",
		Long: `Otpauth reads otpauth URIs, which is what authenticator apps are given as QR
codes, one to a line. Each is for the user that its label names.`,
		Example: `  sallyportctl import otpauth /root/keys
  sallyportctl import otpauth - --user alice </root/key`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			read, err := n.reader(transfer.URIs)
			if err != nil {
				return err
			}
			return a.importFile(cmd.Context(), args[0], o, read)
		},
	}
	n.flags(cmd)
	return cmd
}

func (a *app) importMigration(o *importOptions) *cobra.Command {
	var n naming
	cmd := &cobra.Command{
		Use:   "otpauth-migration FILE",
		Short: "From the app Google Authenticator: what its QR codes say",
		Long: `Otpauth-migration reads what the QR codes say that Google Authenticator shows to
transfer accounts to another phone: otpauth-migration URIs, one to a line. All
QR codes of a transfer must be there.`,
		Example: `  zbarimg --raw -q *.png | sallyportctl import otpauth-migration - --user alice`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			read, err := n.reader(transfer.Migration)
			if err != nil {
				return err
			}
			return a.importFile(cmd.Context(), args[0], o, read)
		},
	}
	n.flags(cmd)
	return cmd
}

// importFile reads a file and imports what is in it.
func (a *app) importFile(ctx context.Context, path string, o *importOptions, read func([]byte) ([]transfer.Account, error)) error {
	data, err := a.readFile(path, transfer.MaxFile)
	if err != nil {
		return err
	}
	accounts, err := read(data)
	var said sentence // of who was asked for a password
	if errors.As(err, &said) {
		return said
	}
	if err != nil {
		return sourceError{path, err}
	}
	return a.importAccounts(ctx, accounts, o)
}
