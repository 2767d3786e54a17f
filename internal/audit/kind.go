package audit

import "strings"

// Kind says which fact an event is about. Its value is what the journal's field SALLYPORT_KIND holds.
type Kind string

// The kinds. Each has an entry in kinds; a test sees to that.
const (
	LoginAccepted         Kind = "login-accepted"     // a right code, a recovery code or a remembered source
	LoginDenied           Kind = "login-denied"       // a wrong code, or a dialogue that ended without a right one
	CodeReplayed          Kind = "code-replayed"      // a right code that was used before, or may have been
	LoginLocked           Kind = "login-locked"       // a lock began, or turned somebody away
	LoginNotRequired      Kind = "login-not-required" // the policy asks for no code
	Unavailable           Kind = "unavailable"        // something that the verdict depends on failed
	Enrolled              Kind = "enrolled"           // a device was confirmed by its first code
	EnrollmentStarted     Kind = "enrollment-started" // a secret was shown and waits for its first code
	TokenRemoved          Kind = "token-removed"      // one of several devices
	TokenRenamed          Kind = "token-renamed"
	Forgotten             Kind = "forgotten"               // logins are not remembered any more
	Removed               Kind = "removed"                 // by its user
	RecoveryCodeUsed      Kind = "recovery-code-used"      // Count are left
	RecoveryCodesReplaced Kind = "recovery-codes-replaced" // the old ones stopped working
	Resynced              Kind = "resynced"                // by two consecutive codes
	UsersListed           Kind = "users-listed"            // by an administrator
	Disabled              Kind = "disabled"                // by an administrator
	Unlocked              Kind = "unlocked"                // by an administrator
	Imported              Kind = "imported"                // by an administrator, from elsewhere
	Exported              Kind = "exported"                // an administrator was shown a user's secrets
	VaultBackedUp         Kind = "vault-backed-up"         // an administrator was given everybody's
	PolicyReloaded        Kind = "policy-reloaded"
	PolicyRejected        Kind = "policy-rejected"
	PolicyChanged         Kind = "policy-changed"    // by an administrator, through the daemon
	RecordUnreadable      Kind = "record-unreadable" // damaged, or open to others
	VaultKeyRead          Kind = "vault-key-read"    // which could not be read
	VaultSealed           Kind = "vault-sealed"
	VaultRekeyed          Kind = "vault-rekeyed"
	VaultUnsealed         Kind = "vault-unsealed" // secrets are readable on the disk from now on
	LedgerQuarantined     Kind = "ledger-quarantined"
	SavedCopyStale        Kind = "saved-copy-stale" // it could not be written or marked
	DaemonStarted         Kind = "daemon-started"
	DaemonStopped         Kind = "daemon-stopped"
	SessionOpened         Kind = "session-opened"
	SessionClosed         Kind = "session-closed"
	SessionRefused        Kind = "session-refused"   // there are as many as the policy allows
	SessionDisplaced      Kind = "session-displaced" // the oldest ended for a new one from elsewhere
	SessionEnded          Kind = "session-ended"     // by somebody, or by a logout in another window
	SessionNotEnded       Kind = "session-not-ended" // through logind; signals come next
	AccessRefused         Kind = "access-refused"    // the caller may not do this
	AccountRefused        Kind = "account-refused"   // the login skipped the second factor
	ClockWrong            Kind = "clock-wrong"
	ClockRight            Kind = "clock-right" // again
	ClockJumped           Kind = "clock-jumped"
	Withheld              Kind = "events-withheld" // of a user who asked for more in a minute than is recorded one by one
)

// priority is a syslog severity (syslog(3)).
type priority int

const (
	problem priority = 3
	warning priority = 4
	notice  priority = 5
	info    priority = 6
	debug   priority = 7
)

// about is what all events of a kind have in common.
type about struct {
	id       string // MESSAGE_ID (systemd.journal-fields(7)): scripts and catalogues match it, so it never changes
	priority priority
	title    string // the message begins with it
}

// about is the kind's entry. A kind without one would be a mistake of ours; its event is not lost for that.
func (k Kind) about() about {
	if a, ok := kinds[k]; ok {
		return a
	}
	return about{strings.Repeat("0", 32), warning, plain(string(k))}
}

// proven reports whether it takes a right code.
func (k Kind) proven() bool {
	switch k {
	case LoginAccepted, Enrolled, TokenRemoved, Removed, RecoveryCodeUsed, RecoveryCodesReplaced, Resynced:
		return true
	}
	return false
}

// kinds is read-only.
var kinds = map[Kind]about{
	LoginAccepted:         {"fe078bb1f3ac78d3acfadf5430a5967d", info, "login accepted"},
	LoginDenied:           {"5e4daffc2001f5ca5946e0e5bbfc33bd", notice, "login denied"},
	CodeReplayed:          {"9a594d42641d3c3c54e8fc6217f371e1", warning, "used code refused"},
	LoginLocked:           {"c384d30d804002b4bfccb152704ba54b", warning, "login locked"},
	LoginNotRequired:      {"844955bbd08b059bbd8640abe63454c8", debug, "login needs no code"},
	Unavailable:           {"f8f6a059d963c4d0efd528e554866f28", problem, "login could not be verified"},
	Enrolled:              {"39879db6960efafcf0b6da2a85619fd3", notice, "second factor set up"},
	EnrollmentStarted:     {"a175d61cc667c2d661d017ef02827356", info, "set-up begun"},
	TokenRemoved:          {"47469a0d659e6dc4a0c8d4b7d64ac361", notice, "device removed"},
	TokenRenamed:          {"ccd6476a06d1cd8b13bc1566536421ba", info, "device renamed"},
	Forgotten:             {"55d17a2c9604185ea2973bca1413d765", notice, "remembered logins forgotten"},
	Removed:               {"ff57fbeaf814f1544bf732508f1e3406", notice, "second factor removed"},
	RecoveryCodeUsed:      {"fd8d3b0af9eb8d6e538fc66a7b7df8b9", notice, "recovery code used"},
	RecoveryCodesReplaced: {"ead896a95bb94c00928329d773f8065b", notice, "recovery codes replaced"},
	Resynced:              {"5cd50bcbc0359d933e4efd4ee44f856a", notice, "device resynchronised"},
	UsersListed:           {"b3113de2f3ccf92c598acfc3547703a9", info, "users listed"},
	Disabled:              {"dbdfa5547c73bfbd2004126374fa2c2e", warning, "second factor disabled"},
	Unlocked:              {"0c02b7ec0ab8f5dcd591410f1d6c485d", notice, "user unlocked"},
	Imported:              {"c9a5bfa6d7851a5e5042194840d49885", notice, "second factor imported"},
	Exported:              {"e8641c38cca3c1a50df53eca09127084", warning, "secrets exported"},
	VaultBackedUp:         {"92908cc16835f81e5dafa72d0238dad0", warning, "all secrets given out for a backup"},
	PolicyReloaded:        {"3fb648eb6148a06c8e91ec755b548483", info, "policy loaded"},
	PolicyRejected:        {"fb8444aaadc247e1ac046426ede747d7", problem, "policy rejected, the one before stays in force"},
	PolicyChanged:         {"0b010f63a316641a943d8f50ca508bb4", warning, "policy changed"},
	RecordUnreadable:      {"107a075bf7514f608a7a713e1f3eaa48", problem, "file cannot be used"},
	VaultKeyRead:          {"5a5c85376d6641ad8b6c1ac84236fd1b", notice, "vault key can be read again"},
	VaultSealed:           {"348c65fcd57e595a0c19065f25da5485", notice, "vault sealed"},
	VaultRekeyed:          {"e703f2484506e0a0450e0342243eaabf", notice, "vault sealed with a new key"},
	VaultUnsealed:         {"93fb1125a554a065556440c3e8d87742", warning, "vault unsealed"},
	LedgerQuarantined:     {"f4297403481c236465f66717d9731ced", warning, "ledger began empty, codes of the last minute are refused"},
	SavedCopyStale:        {"2778d958f43e0e2b7b7356e859d1fca7", warning, "the ledger's saved copy is out of date"},
	DaemonStarted:         {"52eed4cec425c6b4c956fdb5a0392dda", info, "daemon started"},
	DaemonStopped:         {"8e632920f0cd2493a20a29803da7d6d5", info, "daemon stopped"},
	SessionOpened:         {"7cdfb3bfb5056809184d2b75bc409ba4", info, "session opened"},
	SessionClosed:         {"0c6db8f6f40c401f5be0bce4765889fc", info, "session closed"},
	SessionRefused:        {"017e920df12a0c81df5ea44b8ce8e777", notice, "session refused"},
	SessionDisplaced:      {"395b3133ceac0e9cad5331f6fa7272ca", notice, "session displaced"},
	SessionEnded:          {"d00faa1334d74ccd8a6b80636100705c", notice, "session ended"},
	SessionNotEnded:       {"abc084f83cd8960cc31f27efbd6adda7", warning, "session could not be ended through logind"},
	AccessRefused:         {"7b501e5108bfa3cb6de87b3acbdbab2c", warning, "request refused"},
	AccountRefused:        {"0bdfb9a52c7e300a02f8e425905c3a96", notice, "account refused, no code was asked for"},
	ClockWrong:            {"b7c4e1d09f2a4c53a8d6e05b3f71c29e", warning, "clock wrong"},
	ClockRight:            {"5d90a3f6c8174be2b1e7d42f960c3a8b", notice, "clock right again"},
	ClockJumped:           {"e31f7ba25c0d4698a4c2f8136be9705d", warning, "clock jumped"},
	Withheld:              {"9c41d7e05b2f4a6d8e13c7f09ab2564d", warning, "a user asked too often"},
}
