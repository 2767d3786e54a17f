package host

import (
	"fmt"
	"os/user"
	"strconv"
	"strings"
)

// Password is every user's.
const Password = "correct horse"

// AddUser makes a user with a home directory and Password. It is gone at the end of the test.
func AddUser(t T, name string, groups ...string) *user.User {
	t.Helper()
	Output(t, "useradd", "--create-home", "--shell", "/bin/bash", "--groups", strings.Join(groups, ","), name)
	t.Cleanup(func() { _ = Command("userdel", "--force", "--remove", name).Run() }) // its home may still be in use
	set := Command("chpasswd")
	set.Stdin = strings.NewReader(fmt.Sprintf("%s:%s\n", name, Password))
	if out, err := set.CombinedOutput(); err != nil {
		t.Fatalf("chpasswd for %q: %v\n%s", name, err, out)
	}
	u, err := user.Lookup(name)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return u
}

// As is the command line that runs a program as u without asking for anything.
func As(u *user.User, program string, args ...string) []string {
	line := []string{"setpriv", "--reuid", u.Uid, "--regid", u.Gid, "--init-groups", "--reset-env", program}
	return append(line, args...)
}

// UID is u's number.
func UID(t T, u *user.User) int {
	t.Helper()
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return uid
}
