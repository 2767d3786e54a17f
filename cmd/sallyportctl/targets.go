package main

import (
	"context"
	"fmt"
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	admin "sallyport/internal/api/iosallyportadmin"
)

// targets are the users that a command is for: named, or all of a kind.
type targets struct {
	users []string
	all   bool
	group string
}

func (t *targets) flags(cmd *cobra.Command, all string) {
	f := cmd.Flags()
	f.BoolVar(&t.all, "all", false, all)
	f.StringVar(&t.group, "group", "", "the same, of the members of `GROUP`")
}

// many reports whether the users were not named.
func (t *targets) many() bool { return len(t.users) == 0 }

// resolve returns the names of the targets. Where they are not named, they are those that one of the filters lists.
func (a *app) resolve(ctx context.Context, t *targets, filters ...usersFilter) ([]string, error) {
	switch {
	case t.many() && !t.all && t.group == "":
		return nil, usageError{"Name the users, or say --all or --group GROUP."}
	case !t.many() && (t.all || t.group != ""), t.all && t.group != "":
		return nil, usageError{"The users' names, --all and --group exclude one another: say one."}
	case !t.many():
		return t.users, nil
	}
	var names []string
	for _, f := range filters {
		f.group = t.group
		if err := f.check(); err != nil {
			return nil, err
		}
		err := a.eachUser(ctx, f, func(u admin.User) error {
			if u.User != "" { // a file that is nobody's record
				names = append(names, u.User)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return names, nil
}

// spareOwn takes the caller's own accounts out of a list, and says so.
func (a *app) spareOwn(users []string) []string {
	own := ownAccounts()
	return slices.DeleteFunc(users, func(name string) bool {
		if !slices.Contains(own, name) {
			return false
		}
		a.tell("%s is left alone: it is your own account.", name)
		return true
	})
}

// ownAccounts is the account that this program runs as and, where that is root's, that of the person who became root: by
// the kernel's word (/proc/self/loginuid, which neither sudo nor su changes) or, where it has none, by sudo's. Who
// says something else there is root, and spares one account more.
func ownAccounts() []string {
	own := []string{nameOf(strconv.Itoa(os.Geteuid()))}
	if os.Geteuid() != 0 {
		return own
	}
	const unset = "4294967295" // (uid_t)-1
	uid, err := os.ReadFile("/proc/self/loginuid")
	if login := strings.TrimSpace(string(uid)); err == nil && login != unset {
		return append(own, nameOf(login))
	}
	return append(own, os.Getenv("SUDO_USER"))
}

// nameOf is the name of a uid, empty where it has none.
func nameOf(uid string) string {
	u, err := user.LookupId(uid)
	if err != nil {
		return ""
	}
	return u.Username
}

// listOf names users in a question, as long as a person would read them.
func listOf(users []string) string {
	const most = 10
	if len(users) > most {
		return fmt.Sprintf("%d users", len(users))
	}
	return strings.Join(users, ", ")
}

// each does something to several users. Where it fails for one it goes on with the others, and says so. Users who were
// named get a line each; one is the line. At the end of several it says for how many it was done, after the word did.
func (a *app) each(t targets, users []string, one, did string, do func(user string) error) error {
	done, failed := 0, 0
	p := a.progress(fmt.Sprintf("of %d users", len(users)))
	for _, name := range users {
		p.step()
		if err := do(name); err != nil {
			failed++
			p.done()
			a.fail(fmt.Errorf("%s: %w", printable(name), err))
			continue
		}
		done++
		if !t.many() {
			p.done()
			a.say(one, printable(name))
		}
	}
	p.done()
	if t.many() || len(users) > 1 {
		a.say("%s: %d. Failed: %d.", did, done, failed)
	}
	if failed > 0 {
		return errSaid
	}
	return nil
}
