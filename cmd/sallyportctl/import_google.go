package main

import (
	"context"
	"errors"
	"fmt"
	"os/user"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"sallyport/internal/passwd"
	"sallyport/internal/transfer"
)

func (a *app) importGoogle(o *importOptions) *cobra.Command {
	var all bool
	var file string
	cmd := &cobra.Command{
		Use:   "google-authenticator USER...",
		Short: "From pam_google_authenticator: users' ~/.google_authenticator",
		Long: `Google-authenticator reads the files .google_authenticator in users' home
directories, each with the rights of its user. Keys, learned clock differences,
counters, used codes and scratch codes are taken over; a scratch code works
once, as a recovery code does. Window and rate limit are the policy's here.

With --all it is for every user of the user database who has such a file.`,
		Example: `  sallyportctl import google-authenticator alice bob
  sallyportctl import google-authenticator --all --apply
  sallyportctl import google-authenticator alice --file /etc/google-auth/alice`,
		RunE: func(cmd *cobra.Command, users []string) error {
			switch {
			case all == (len(users) > 0):
				return usageError{"Name users, or say --all."}
			case file != "" && len(users) != 1:
				return usageError{"--file is one user's: name that one."}
			case file != "":
				return a.importFile(cmd.Context(), file, o, func(data []byte) ([]transfer.Account, error) {
					return transfer.For(users[0], []transfer.Account{transfer.GoogleAuthenticator(data)}), nil
				})
			}
			return a.importHomes(cmd.Context(), users, o)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "every user who has such a file")
	cmd.Flags().StringVar(&file, "file", "", "read `FILE`, where the module has the option secret=")
	return cmd
}

// importHomes imports the files of the users, or where none are named, of all that have one.
func (a *app) importHomes(ctx context.Context, users []string, o *importOptions) error {
	all := len(users) == 0
	if all {
		var err error
		if users, err = everybody(); err != nil {
			return err
		}
	}
	var accounts []transfer.Account
	progress := a.progress("home directories")
	defer progress.done()
	for _, name := range users {
		account, err := googleOf(ctx, name)
		if all && errors.Is(err, errHomeless) {
			continue
		}
		if err != nil {
			account = transfer.Account{Err: err}
		}
		account.User = name
		accounts = append(accounts, account)
		progress.step()
	}
	if len(accounts) == 0 {
		return sentence("Nobody has a file .google_authenticator.")
	}
	return a.importAccounts(ctx, accounts, o)
}

// googleOf reads one user's file, as that user.
func googleOf(ctx context.Context, name string) (transfer.Account, error) {
	u, err := user.Lookup(name)
	var unknown user.UnknownUserError
	if errors.As(err, &unknown) {
		return transfer.Account{}, errors.New("this host has no such user")
	}
	if err != nil {
		return transfer.Account{}, err
	}
	data, err := readHome(ctx, u, filepath.Join(u.HomeDir, ".google_authenticator"))
	if err != nil {
		return transfer.Account{}, err
	}
	return transfer.GoogleAuthenticator(data), nil
}

// everybody is the names that the user database lists.
func everybody() ([]string, error) {
	var names []string
	for account, err := range new(passwd.Database).Accounts() {
		if err != nil {
			return nil, sentence(fmt.Sprintf("The user database cannot be listed: %v.", err))
		}
		names = append(names, account.Name)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}
