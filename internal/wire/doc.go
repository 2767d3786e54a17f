// Package wire is the packets of /run/sallyport/pam, which the PAM module and the verifier speak.
//
// # The socket
//
// The socket is AF_UNIX, SOCK_SEQPACKET: one send is one packet, and the kernel keeps the boundaries. One connection
// carries one login, one account check or one session event:
//
//	module                         verifier
//	begin                      →
//	                           ←   ask        messages, then one prompt
//	answer                     →
//	                           ←   ask        as often as the verifier likes
//	answer                     →
//	                           ←   final      messages and the verdict; the connection is over
//
//	account                    →
//	                           ←   final
//	open-session               →
//	                           ←   final
//	close-session              →
//	                           ←   final
//
// The module takes only a verifier that runs as root (SO_PEERCRED); whom the verifier serves is the verifier's
// decision. A module whose connection ends before the final packet may begin again on a new one, four times at most,
// and gives back the last resume value that it was told.
//
// # The packet
//
// A packet is at most 16384 bytes. Numbers are big endian.
//
//	byte 0    version, 1
//	byte 1    kind
//	then fields, each
//	  byte 0    tag
//	  byte 1–2  length of the value
//	  ...       the value
//
// Kinds are begin 0x01, answer 0x02, account 0x03, open-session 0x04, close-session 0x05 from the module, ask 0x41 and
// final 0x42 from the verifier.
//
//	tag             value                             in
//	0x01 user       name, 1 to 255 bytes              begin, account, open-session, close-session: always
//	0x02 service    word, 1 to 64 bytes               the same: always
//	0x03 rhost      text, 1 to 255 bytes              the same; left out: the login is local
//	0x04 tty        text, 1 to 64 bytes               the same
//	0x05 pid        4 bytes, 1 to 2147483647          the same: always
//	0x06 method     word, 1 to 64 bytes, up to 16     the same; what sshd has accepted already, in that order:
//	                                                  each line of SSH_AUTH_INFO_0 up to a blank or "/"; "auth-skipped"
//	                                                  with account: PAM's auth phase did not come to the module
//	0x07 split      empty                             begin; password and code come in one answer
//	0x08 silent     empty                             as user; the host wants no messages (PAM_SILENT)
//	0x09 given      empty                             open-session, close-session; this handle has been granted a login
//	0x10 resume     text, 1 to 512 bytes              begin, ask
//	0x11 answer     0 to 512 bytes, none of them NUL  answer: always
//	0x20 info       text, 0 to 511 bytes, up to 256   ask, final; order kept, also with error
//	0x21 error      text, 0 to 511 bytes, up to 256   ask, final
//	0x22 hidden     text, 0 to 511 bytes              ask: a prompt whose answer is not shown as it is typed
//	0x23 shown      text, 0 to 511 bytes              ask: a prompt whose answer is shown; an ask has one or the other
//	0x24 verdict    1 byte, 1 to 7                    final: always
//	0x25 password   2 bytes, 0 to 512                 final; how many bytes of the last answer are the password
//	0x26 busy       empty                             final, with verdict unavailable; another process is the verifier
//
// Text is UTF-8 without control characters (C0, DEL, C1). A name is text without '/'. A word is of ASCII letters, digits
// and "_.@+-". A field may be there once, but for method, info and error.
//
// Verdicts are granted 1, denied 2, locked 3, not required 4, unavailable 5, account refused 6, session refused 7.
//
// A tag of 0x80 and above may be skipped by who does not know it; its length must still be right. Everything else that
// is not as above makes the packet malformed, and a malformed packet ends the login as denied.
//
// # Two releases
//
// During an upgrade the module of one release talks to the daemon of another: the files of the module are new before the
// daemon has restarted, and a process that has loaded the old module keeps it until it ends. So within version 1
//
//   - a kind, a verdict and a tag below 0x80 never come, go or change their meaning;
//   - what is new travels in a tag of 0x80 and above, and whoever sends it gets by where it is skipped: the login is then
//     as in the older release, and none is granted that would be denied without the tag;
//   - a resume value is the verifier's own business; one that it does not know, or that is another release's, has it begin
//     the login from the start.
//
// What cannot be done in this way needs another version. A verifier then takes both for at least one release before a
// module sends the new one, and answers in the version in which it was asked. Whoever gets a version that it does not
// know denies.
//
// Restarting the daemon costs no login, in whichever release: the sockets are the service manager's and stay, new logins
// wait in them, and one that was under way begins again on a new connection. What the two write, they agree on likewise:
// the vault's records and the ledger bear the number of their format.
//
// cgo/pam_sallyport/packet.c is the same in C; FuzzCodec holds them together.
package wire
