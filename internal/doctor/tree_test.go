package doctor_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/internal/disk"
	"sallyport/internal/doctor"
	"sallyport/test/host"
)

const always = "[[rule]]\nrequire = \"always\"\n"

// illness is a host that is broken in one way.
type illness struct {
	name  string
	spoil func(*tree)
	want  string // the one finding
	// lasts says that its mend is for a person to do: there is no command and no line.
	lasts bool
}

func authLine(rest string) string { return "auth     required  " + modulePath + rest }

func accountLine() string { return "account  required  " + modulePath }

const sessionLine = "session  required  " + modulePath

// stack takes the lines of the README out of sshd's stack, and puts others in.
func (x *tree) stack(auth string) {
	x.Helper()
	x.replace("etc/pam.d/sshd", "@include common-auth\n"+authLine("")+"\n"+accountLine()+"\n"+sessionLine+"\n", auth)
}

func sshdIllnesses() []illness {
	edit := func(old, text string) func(*tree) {
		return func(x *tree) { x.replace("etc/ssh/sshd_config", old, text) }
	}
	const methods = "AuthenticationMethods keyboard-interactive publickey,keyboard-interactive\n"
	return []illness{
		{"sshd passes PAM by", func(x *tree) {
			x.replace("etc/ssh/sshd_config", "UsePAM yes\nKbd", "UsePAM no\nKbd")
		}, "sshd-usepam", false},
		{"sshd asks no questions", edit("KbdInteractiveAuthentication yes\n", "KbdInteractiveAuthentication no\n"), "sshd-kbdinteractive", false},
		{"Debian's own setting comes first", edit("KbdInteractiveAuthentication yes\n", ""), "sshd-kbdinteractive", false},
		{"a drop-in comes first", func(x *tree) {
			x.replace("etc/ssh/sshd_config", "KbdInteractiveAuthentication yes\n", "Include /etc/ssh/sshd_config.d/*.conf\n")
			x.write("etc/ssh/sshd_config.d/10-cloud.conf", "# cloud\nKbdInteractiveAuthentication no\n")
		}, "sshd-kbdinteractive", false},
		{"passwords by a method without questions", edit("PasswordAuthentication no\n"+methods, "AuthenticationMethods any\nPubkeyAuthentication no\n"), "sshd-password", false},
		{"a list with the method password", edit(methods, "PasswordAuthentication yes\nAuthenticationMethods keyboard-interactive password\n"), "sshd-password", false},
		{"a key alone, and the account line", edit(methods, ""), "sshd-key-refused", false},
		{"a key alone among the lists", edit(methods, "AuthenticationMethods keyboard-interactive publickey\n"), "sshd-key-refused", false},
		{"a key alone for one user", func(x *tree) {
			x.write("etc/ssh/sshd_config", x.read("etc/ssh/sshd_config")+"\nMatch User alice\n  AuthenticationMethods publickey\n")
		}, "sshd-key-refused", false},
		{"empty passwords", edit(methods, methods+"PermitEmptyPasswords yes\n"), "sshd-empty-passwords", false},
		{"root with a password", edit(methods, methods+"PermitRootLogin yes\n"), "sshd-root-password", false},
		{"root's key is not enough", func(x *tree) {
			x.mkdir("root/.ssh")
			x.write("root/.ssh/authorized_keys", "ssh-ed25519 AAAA\n")
			x.enroll("root", 0)
		}, "sshd-root-refused", false},
		{"a word that sshd does not know", edit("UsePAM yes\nKbd", "UsePAM yes\nUsePAN yes\nKbd"), "sshd-config", true},
		{"the code is all that is asked", func(x *tree) {
			x.stack(authLine("") + "\nauth required pam_permit.so\n" + accountLine() + "\n")
		}, "sshd-code-alone", false},
	}
}

func stackIllnesses() []illness {
	stack := func(text string) func(*tree) { return func(x *tree) { x.stack(text) } }
	common := func(control string) func(*tree) {
		return func(x *tree) {
			x.stack("@include common-auth\n" + accountLine() + "\n")
			unix := "auth\t[success=1 default=ignore]\tpam_unix.so nodelay nullok\n"
			x.replace("etc/pam.d/common-auth", unix, strings.Replace(unix, "success=1 default=ignore", control, 1)+authLine("")+"\n")
		}
	}
	return []illness{
		{"no account line, and keys", func(x *tree) {
			x.stack("@include common-auth\n" + authLine("") + "\n")
		}, "pam-no-account", false},
		{"no auth line", stack("@include common-auth\n" + accountLine() + "\n"), "pam-no-auth", false},
		{"sufficient before ours, in another file", func(x *tree) {
			x.write("etc/pam.d/common-auth", "auth sufficient pam_unix.so\nauth required pam_deny.so\n")
		}, "pam-bypassed", false},
		{"sufficient before ours, in the same file", stack("auth sufficient pam_unix.so\nauth sufficient pam_sss.so\n" +
			authLine("") + "\n" + accountLine() + "\n"), "pam-bypassed", false},
		{"a fingerprint before ours", stack("auth sufficient pam_fprintd.so\n@include common-auth\n" + authLine("") + "\n" + accountLine() + "\n"), "pam-bypassed", true},
		{"a jump over ours", common("success=2 default=ignore"), "pam-bypassed", false},
		{"optional", stack("@include common-auth\nauth optional " + modulePath + "\n" + accountLine() + "\n"), "pam-not-required", false},
		{"sufficient", stack("@include common-auth\nauth sufficient " + modulePath + "\n" + accountLine() + "\n"), "pam-not-required", false},
		{"done before ours, in the same file", stack("auth [success=done default=die] pam_unix.so\n" + authLine("") + "\n" + accountLine() + "\n"), "pam-bypassed", false},
		{"done before ours, in a file that is included", func(x *tree) {
			x.write("etc/pam.d/common-auth", "auth [success=done new_authtok_reqd=done default=die] pam_unix.so\n")
		}, "pam-bypassed", false},
		{"any end of another module lets in", stack("auth [default=done] pam_exec.so x\n@include common-auth\n" + authLine("") + "\n" + accountLine() + "\n"), "pam-bypassed", true},
		{"a jump over ours, to what lets in", stack("@include common-auth\nauth [success=1 default=ignore] pam_access.so\n" + authLine("") + "\n" +
			"auth required pam_permit.so\n" + accountLine() + "\n"), "pam-bypassed", false},
		{"a right code ends the stack", stack("auth requisite pam_unix.so\nauth [success=done ignore=ignore default=die] " + modulePath + "\n" +
			"auth required pam_faillock.so authsucc\n" + accountLine() + "\n"), "pam-skips", false},
		{"a right code leads past the password", stack("auth [success=done ignore=ignore default=die] " + modulePath + " split_password\n" +
			"auth required pam_unix.so\n" + accountLine() + "\n"), "pam-skips", false},
		{"a right code jumps over the password", stack("auth [success=1 ignore=ignore default=die] " + modulePath + " split_password\n" +
			"auth required pam_unix.so\nauth required pam_permit.so\n" + accountLine() + "\n"), "pam-skips", false},
		{"a password that need not be right", stack("auth optional pam_unix.so\n" + authLine("") + "\n" + accountLine() + "\n"), "pam-password-optional", false},
		{"a wrong password is ignored", stack("auth [success=ok default=ignore] pam_unix.so\n" + authLine("") + "\nauth required pam_permit.so\n" + accountLine() + "\n"), "pam-password-optional", false},
		{"a code that was given ends the account part", stack("@include common-auth\n" + authLine("") + "\n" +
			"account [success=done ignore=ignore default=die] " + modulePath + "\n"), "pam-account-skips", false},
		{"unavailable is ignored", stack("@include common-auth\nauth [success=ok ignore=ignore authinfo_unavail=ignore default=die] " + modulePath + "\n" +
			accountLine() + "\n"), "pam-not-required", false},
		{"before the password", stack(authLine("") + "\n" + accountLine() + "\n@include common-auth\n"), "pam-before-password", false},
		{"split_password behind the password", stack("@include common-auth\n" + authLine(" split_password") + "\n" + accountLine() + "\n"), "pam-split-late", false},
		{"asked although the password was wrong", stack("auth required pam_unix.so\n" + authLine("") + "\n" + accountLine() + "\n"), "pam-asked-in-vain", false},
		{"nothing but ours", func(x *tree) {
			x.stack(authLine("") + "\n" + accountLine() + "\n")
			x.replace("etc/ssh/sshd_config", "Methods keyboard-interactive publickey", "Methods publickey")
		}, "pam-nothing-else", false},
		{"account line too late", func(x *tree) {
			x.stack("@include common-auth\n" + authLine("") + "\n")
			x.replace("etc/pam.d/sshd", "@include common-account\n", "@include common-account\n"+accountLine()+"\n")
		}, "pam-account-bypassed", false},
		{"account line optional", stack("@include common-auth\n" + authLine("") + "\naccount optional " + modulePath + "\n"), "pam-account-not-required", false},
		{"account line in sudo", func(x *tree) {
			x.replace("etc/pam.d/sudo", "@include common-account\n", authLine("")+"\n"+accountLine()+"\n@include common-account\n")
		}, "pam-account-sudo", false},
		{"an option that nobody knows", stack("@include common-auth\n" + authLine(" nullok") + "\n" + accountLine() + "\n"), "pam-option", false},
		{"a file to include that is not there", func(x *tree) {
			if err := os.Remove(x.path("etc/pam.d/common-account")); err != nil {
				x.Fatal(err)
			}
		}, "pam-syntax", true},
		{"a control that is none", stack("@include common-auth\nauth requird " + modulePath + "\n" + accountLine() + "\n"), "pam-syntax", false},
		{"a rule for a service without the module", func(x *tree) {
			x.write("etc/sallyport/sallyport.toml", "[[rule]]\nservices = [\"sudo\"]\nrequire = \"if-enrolled\"\n")
		}, "pam-missing", false},
		{"no stack has it", stack("@include common-auth\n"), "pam-nowhere", true},
		{"a stack that others may write", func(x *tree) { x.run("chmod", "g+w", x.path("etc/pam.d/common-account")) }, "pam-writable", false},
		{"the module is somebody's", func(x *tree) { x.run("chown", "1001", x.path(modulePath)) }, "pam-writable", false},
		{"the module is elsewhere", func(x *tree) {
			x.mkdir("usr/lib/x86_64-linux-gnu/security")
			x.run("mv", x.path(modulePath), x.path("usr/lib/x86_64-linux-gnu/security/pam_sallyport.so"))
		}, "module-missing", false},
		{"the session line has an option that nobody knows", func(x *tree) {
			x.replace("etc/pam.d/sshd", sessionLine+"\n", sessionLine+" limit=2\n")
		}, "pam-option", false},
		{"the module is not there", func(x *tree) { x.run("rm", x.path(modulePath)) }, "module-missing", true},
		{"the module is no module", func(x *tree) { x.run("cp", "/bin/true", x.path(modulePath)) }, "module-unusable", true},
		{"nullok, and somebody without a password", func(x *tree) {
			x.replace("etc/pam.d/login", "@include common-auth\n", "@include common-auth\n"+authLine("")+"\n"+"")
			x.replace("etc/shadow", "alice:!", "alice:")
		}, "empty-password", false},
	}
}

func fileIllnesses() []illness {
	const record = "var/lib/sallyport/users/alice.toml"
	return []illness{
		{"the policy cannot be used", func(x *tree) { x.write("etc/sallyport/sallyport.toml", "enabeld = true\n") }, "policy-problem", true},
		{"the policy is odd", func(x *tree) { x.write("etc/sallyport/sallyport.toml", "enabled = false\n") }, "policy-warning", true},
		{"always, and root is not enrolled", func(x *tree) {
			x.write("etc/sallyport/sallyport.toml", always)
		}, "unenrolled-always", true},
		{"the policy can be written by others", func(x *tree) {
			x.write("etc/sallyport/sallyport.toml", "enabled = true\n")
			x.run("chmod", "0666", x.path("etc/sallyport/sallyport.toml"))
		}, "file-trust", false},
		{"/etc/sallyport can be written by others", func(x *tree) { x.run("chmod", "0777", x.path("etc/sallyport")) }, "file-trust", false},
		{"the state directory is a link", func(x *tree) {
			x.run("mv", x.path("var/lib/sallyport"), x.path("var/lib/elsewhere"))
			x.run("ln", "-s", "elsewhere", x.path("var/lib/sallyport"))
		}, "file-trust", false},
		{"a record is somebody's", func(x *tree) { x.run("chown", "1001", x.path(record)) }, "file-trust", false},
		{"a record can be read by others", func(x *tree) { x.run("chmod", "0644", x.path(record)) }, "file-trust", false},
		{"a record is damaged", func(x *tree) {
			data := x.read(record)
			host.WriteFile(x.T, x.path(record), data[:len(data)/2], 0o600)
		}, "record-damaged", false},
		{"a record of another uid", func(x *tree) { x.replace("etc/passwd", "alice:x:1001", "alice:x:1002") }, "record-uid", true},
		{"the key is gone", func(x *tree) {
			host.WriteFile(x.T, x.path("etc/sallyport/vault.key"), host.Output(x.T, "openssl", "rand", "-base64", "32"), 0o600)
			x.enroll("alice", 1001)
			x.run("rm", x.path("etc/sallyport/vault.key"))
		}, "vault-key-missing", true},
		{"the key is damaged", func(x *tree) {
			host.WriteFile(x.T, x.path("etc/sallyport/vault.key"), "no key\n", 0o600)
		}, "vault-key", true},
	}
}

// TestIllnesses breaks a host in one way at a time: the doctor finds that and nothing else, and its mend mends it.
func TestIllnesses(t *testing.T) {
	for _, i := range slices.Concat(sshdIllnesses(), stackIllnesses(), fileIllnesses()) {
		t.Run(i.name, func(t *testing.T) {
			x := healthy(t)
			i.spoil(x)
			found := x.examine()
			if got := ids(found); len(got) != 1 || got[0] != i.want {
				t.Fatalf("found %v, want %s\n%+v", got, i.want, found)
			}
			f := found[0]
			if f.What == "" || f.Outcome == "" || f.Mend.Text == "" && f.Mend.Command == "" && len(f.Mend.Edits) == 0 {
				t.Errorf("it says too little: %+v", f)
			}
			if able := (f.Mend.Command != "" || len(f.Mend.Edits) > 0) && f.ID != "record-uid" && f.ID != "pam-nowhere"; able == i.lasts {
				t.Fatalf("a mend that a program can do: %v; %+v", able, f.Mend)
			}
			if i.lasts {
				return
			}
			apply(t, f.Mend)
			if again := x.examine(); len(again) > 0 {
				t.Errorf("after the mend %+v there is: %+v", f.Mend, again)
			}
		})
	}
}

// TestHealthyStacks are those of distributions and of their options, with the module where it belongs.
func TestHealthyStacks(t *testing.T) {
	ours := authLine("") + "\n" + accountLine() + "\n"
	for name, auth := range map[string]string{
		"Debian's": "@include common-auth\n" + ours,
		"Debian's with sssd": "auth [success=2 default=ignore] pam_unix.so nullok\nauth [success=1 default=ignore] pam_sss.so use_first_pass\n" +
			"auth requisite pam_deny.so\nauth required pam_permit.so\nauth optional pam_cap.so\n" + ours,
		"Debian's with faillock": "auth requisite pam_faillock.so preauth\nauth [success=2 default=ignore] pam_unix.so\nauth [default=die] pam_faillock.so authfail\n" +
			"auth requisite pam_deny.so\nauth required pam_permit.so\n" + ours,
		"a substack":                      "auth substack sub\n" + ours,
		"Fedora's":                        "auth substack sub-fedora\n" + ours,
		"a substack that ends either way": "auth substack sub-done\n" + ours,
		"in common-auth":                  "auth [success=1 default=ignore] pam_unix.so\nauth requisite pam_deny.so\n" + authLine("") + "\nauth required pam_permit.so\nauth optional pam_cap.so\n" + accountLine() + "\n",
		"split":                           authLine(" split_password") + "\nauth requisite pam_unix.so use_first_pass\n" + accountLine() + "\n",
		"with brackets":                   "@include common-auth\nauth [success=ok ignore=ignore default=die] " + modulePath + "\n" + accountLine() + "\n",
		"an optional one behind it":       "@include common-auth\n" + authLine("") + "\nauth optional pam_gnome_keyring.so\n" + accountLine() + "\n",
		"a keyring behind it that is jumped over": "@include common-auth\nauth [success=1 ignore=ignore default=die] " + modulePath + "\nauth optional pam_gnome_keyring.so\n" +
			"auth required pam_permit.so\n" + accountLine() + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			x := healthy(t)
			x.write("etc/pam.d/sub", "auth requisite pam_unix.so\n")
			x.write("etc/pam.d/sub-done", "auth [success=done default=die] pam_unix.so\n")
			x.write("etc/pam.d/sub-fedora", "auth required pam_env.so\nauth required pam_faildelay.so delay=2000000\nauth sufficient pam_unix.so nullok\n"+
				"auth sufficient pam_sss.so forward_pass\nauth required pam_deny.so\n")
			x.stack(auth)
			if found := x.examine(); len(found) > 0 {
				t.Errorf("nothing is wrong, and it finds %+v", found)
			}
		})
	}
}

func TestHealthy(t *testing.T) {
	x := healthy(t)
	if found := x.examine("alice", "nobody-of-that-name"); len(found) > 0 {
		t.Errorf("nothing is wrong, and it finds %+v", found)
	}
}

// A key alone is no finding where the policy says that it is enough.
func TestKeyIsEnough(t *testing.T) {
	x := healthy(t)
	x.replace("etc/ssh/sshd_config", "AuthenticationMethods keyboard-interactive publickey,keyboard-interactive\n", "")
	x.write("etc/sallyport/sallyport.toml", "[[rule]]\nservices = [\"sshd\"]\npublickey = true\nrequire = \"never\"\n")
	if got := ids(x.examine()); len(got) != 1 || got[0] != "policy-warning" {
		t.Errorf("the policy says that a key is enough, and it finds %v", got)
	}
	x.write("etc/sallyport/sallyport.toml", "[[rule]]\nservices = [\"sshd\"]\npublickey = false\nrequire = \"never\"\n")
	if got := ids(x.examine()); len(got) != 1 || got[0] != "sshd-key-refused" {
		t.Errorf("the policy says that a key is not enough, and it finds %v", got)
	}
}

// A key alone and no account line are two faults, each with a mend of its own.
func TestKeyGoesPast(t *testing.T) {
	x := healthy(t)
	x.stack("@include common-auth\n" + authLine("") + "\n")
	x.replace("etc/ssh/sshd_config", "AuthenticationMethods keyboard-interactive publickey,keyboard-interactive\n", "")
	found := x.examine()
	if got := strings.Join(ids(found), " "); got != "pam-no-account sshd-key-past" {
		t.Fatalf("found %s", got)
	}
	for _, f := range found {
		apply(t, f.Mend)
	}
	if again := x.examine(); len(again) > 0 {
		t.Errorf("after the mends there is %+v", again)
	}
}

// A tree's Includes lead into the tree, and its findings name files there.
func TestTreeKeepsToItself(t *testing.T) {
	x := healthy(t)
	x.replace("etc/ssh/sshd_config", "UsePAM yes\nKbd", "Include /etc/ssh/sshd_config.d/*.conf\nKbd")
	x.write("etc/ssh/sshd_config.d/10-no.conf", "\nUsePAM no\n")
	found := x.examine()
	if len(found) != 1 || found[0].File != x.path("etc/ssh/sshd_config.d/10-no.conf") || found[0].Line != 2 {
		t.Errorf("found %+v", found)
	}
}

// Findings that several services share are one.
func TestSharedFindings(t *testing.T) {
	x := healthy(t)
	x.run("chmod", "0666", x.path(modulePath))
	x.replace("etc/pam.d/login", "@include common-auth\n", "@include common-auth\n"+authLine("")+"\n")
	found := x.examine()
	if len(found) != 1 || fmt.Sprint(found[0].Services) != "[login sshd]" {
		t.Errorf("found %+v", found)
	}
}

// The worst comes first.
func TestOrder(t *testing.T) {
	x := healthy(t)
	x.write("etc/sallyport/sallyport.toml", "enabled = true\n[login]\ntrusted = [\"root\"]\n")
	x.run("chmod", "0666", x.path(modulePath))
	x.run("chmod", "0644", x.path("var/lib/sallyport/users/alice.toml"))
	var got []string
	for _, f := range examine(t, doctor.Patient{Root: disk.Root(x.root), Now: time.Now()}) {
		got = append(got, string(f.Effect))
	}
	if fmt.Sprint(got) != "[locks-out lets-past warns]" {
		t.Errorf("effects %v", got)
	}
}
