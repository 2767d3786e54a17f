package disk

import "path/filepath"

// Root is what stands before every path of Sallyport's: "" or "/" on a host, an absolute directory for a tree of its
// own (--root DIR, root=DIR).
type Root string

func (r Root) path(host string) string {
	if r == "" {
		return host
	}
	return filepath.Join(string(r), host)
}

// Config is the directory of the policy that the admin writes.
func (r Root) Config() string { return r.path("/etc/sallyport") }

// DropIns is the directory of the policy's drop-ins.
func (r Root) DropIns() string { return r.path("/etc/sallyport/sallyport.d") }

// Managed is the drop-in that the daemon writes.
func (r Root) Managed() string { return r.path("/etc/sallyport/sallyport.d/50-managed.toml") }

// Vendor is the directory of the policy that packages bring.
func (r Root) Vendor() string { return r.path("/usr/lib/sallyport") }

// State is the directory of what outlives the machine's power.
func (r Root) State() string { return r.path("/var/lib/sallyport") }

// Runtime is the directory of what outlives the daemon only.
func (r Root) Runtime() string { return r.path("/run/sallyport") }

// Users is the directory of the vault's records.
func (r Root) Users() string { return r.path("/var/lib/sallyport/users") }

// Feigned is written where a user has no record that could be.
func (r Root) Feigned() string { return r.path("/var/lib/sallyport/feigned") }

// KeyFile holds the vault's keys where no systemd credential does.
func (r Root) KeyFile() string { return r.path("/etc/sallyport/vault.key") }

// Credential is the vault's key as systemd hands it to the daemon, and keeps it while the daemon's unit is active.
func (r Root) Credential() string { return r.path("/run/credentials/sallyportd.service/vault-key") }

// LedgerFile is the ledger in use.
func (r Root) LedgerFile() string { return r.path("/run/sallyport/ledger.db") }

// SavedClean is the ledger's copy from an orderly stop: nothing was verified since.
func (r Root) SavedClean() string { return r.path("/var/lib/sallyport/ledger.clean") }

// Saved is the ledger's copy from some earlier time.
func (r Root) Saved() string { return r.path("/var/lib/sallyport/ledger.saved") }

// PamSocket is where the module speaks to the daemon.
func (r Root) PamSocket() string { return r.path("/run/sallyport/pam") }

// VarlinkSocket is where everybody else does.
func (r Root) VarlinkSocket() string { return r.path("/run/sallyport/io.sallyport") }
