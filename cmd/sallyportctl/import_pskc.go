package main

import (
	"github.com/spf13/cobra"

	"sallyport/internal/transfer"
)

func (a *app) importPSKC(o *importOptions) *cobra.Command {
	var user, owners string
	cmd := &cobra.Command{
		Use:   "pskc FILE",
		Short: "For hardware tokens: the maker's file with their keys (RFC 6030)",
		Long: `Pskc reads a Portable Symmetric Key Container, in which makers of hardware
tokens send the keys. If it is encrypted with a password, that is asked for.

Whose token it is, stands in the file, or in the one that --owners names: on
each line a serial number and a user.`,
		Example: `  sallyportctl import pskc /root/tokens.xml --owners /root/owners
  sallyportctl import pskc /root/token.xml --user alice --apply`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if user != "" && owners != "" {
				return usageError{"Say one of --user and --owners."}
			}
			serials, err := a.readOwners(owners)
			if err != nil {
				return err
			}
			password := func() (string, error) {
				if args[0] == stdinName && !a.interactive() {
					return "", sentence("The keys are encrypted, and the password cannot come from standard input too: name the file.")
				}
				return a.askHidden(askFilePassword)
			}
			return a.importFile(cmd.Context(), args[0], o, func(data []byte) ([]transfer.Account, error) {
				all, err := transfer.PSKC(data, password, serials)
				if user != "" {
					all = transfer.For(user, all)
				}
				return all, err
			})
		},
	}
	cmd.Flags().StringVar(&user, "user", "", "all keys are `USER`'s")
	cmd.Flags().StringVar(&owners, "owners", "", "`FILE` that says whose the tokens are")
	return cmd
}

func (a *app) readOwners(path string) (map[string]string, error) {
	if path == "" {
		return nil, nil
	}
	data, err := a.readFile(path, transfer.MaxFile)
	if err != nil {
		return nil, err
	}
	owners, err := transfer.Owners(data)
	if err != nil {
		return nil, sourceError{path, err}
	}
	return owners, nil
}
