package main

import (
	"context"

	"github.com/spf13/cobra"
	"github.com/varlink/go/varlink"

	admin "sallyport/internal/api/iosallyportadmin"
)

func (a *app) vault() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "vault",
		Short: "Seal the secrets on disk, back them up, restore them (root)",
		Long: `The vault is where the secrets of all devices are kept. Sealed, a copy of its
files is worth nothing without the vault key, which is in
/etc/sallyport/vault.key or comes from systemd as the credential "vault-key".`,
		Example: `  sallyportctl vault seal`,
		Args:    cobra.NoArgs,
		RunE:    needSubcommand,
	}
	cmd.AddCommand(a.vaultSeal(), a.vaultRekey(), a.vaultUnseal(), a.vaultBackup(), a.vaultRestore())
	return cmd
}

func (a *app) vaultSeal() *cobra.Command {
	return &cobra.Command{
		Use:   "seal",
		Short: "Seal all secrets; without a key, with a new one",
		Long: `Seal seals the secrets that are not. Where there is no vault key it makes one in
/etc/sallyport/vault.key: keep a copy of it where a backup of the vault is not.`,
		Example: `  sallyportctl vault seal`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.reseal(cmd.Context(), "sealed", admin.SealVault().Send)
		},
	}
}

func (a *app) vaultRekey() *cobra.Command {
	return &cobra.Command{
		Use:   "rekey",
		Short: "Seal all secrets with a new key",
		Long: `Rekey makes a new vault key in /etc/sallyport/vault.key, seals everything with
it and drops the old one. Stopped at any moment, it can be run again.`,
		Example: `  sallyportctl vault rekey`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.reseal(cmd.Context(), "sealed with the new key", admin.RekeyVault().Send)
		},
	}
}

func (a *app) vaultUnseal() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "unseal",
		Short: "Take the seal off all secrets, and remove the key",
		Long: `Unseal writes all secrets as they are and removes /etc/sallyport/vault.key.
Whoever gets at the files, or at a backup of them, can then make codes.

It asks first. Without a terminal to ask on it needs --yes.`,
		Example: `  sallyportctl vault unseal --yes`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !yes {
				if err := a.agree("Write all secrets without a seal?"); err != nil {
					return err
				}
			}
			return a.reseal(cmd.Context(), "unsealed", admin.UnsealVault().Send)
		},
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return cmd
}

// send is one of the three calls, as it is generated.
type send func(ctx context.Context, c *varlink.Connection, flags uint64) (
	func(context.Context) (int64, *admin.VaultChange, uint64, error), error)

// reseal makes one of the three calls, and shows how far it is.
func (a *app) reseal(ctx context.Context, what string, call send) error {
	var change *admin.VaultChange
	err := a.callLong(ctx, func(ctx context.Context, c *varlink.Connection) error {
		receive, err := call(ctx, c, varlink.More)
		for err == nil {
			var done int64
			var flags uint64
			if done, change, flags, err = receive(ctx); err != nil || flags&varlink.Continues == 0 {
				break
			}
			if isTerminal(a.stderr) {
				a.tell("%d records ...", done)
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	if change == nil {
		return sentence("The daemon does not say what it did.")
	}
	if change.Records == 1 {
		a.say("1 record was %s.", what)
	} else {
		a.say("%d records were %s.", change.Records, what)
	}
	if change.Key_id != nil && change.Key_file != nil {
		a.say("The key %s is in %s. Keep a copy where no backup of the vault is.", *change.Key_id, *change.Key_file)
	}
	if change.Key_id == nil && change.Key_file != nil {
		a.say("%s is removed.", *change.Key_file)
	}
	if change.Credential != nil {
		a.say("No record needs the credential %s any more: take it out of sallyportd.service.", *change.Credential)
	}
	return nil
}
