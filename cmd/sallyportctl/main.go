// Sallyportctl is Sallyport's command line: a user's own second factor, and what an administrator does.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/varlink/go/varlink"

	"sallyport/internal/client"
	"sallyport/internal/disk"
)

// The exit statuses: what was asked for was done, or is so; it was not; nobody could know what was asked for.
const (
	exitDone  = 0
	exitNot   = 1
	exitUsage = 2
)

// app is what the commands share.
type app struct {
	terminal
	root    disk.Root
	started bool // a command was understood, and runs
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == readHomeWord {
		os.Exit(giveHome(os.Args[2], os.Stdout))
	}
	a := &app{terminal: newTerminal(os.Stdin, os.Stdout, os.Stderr)}
	cmd, err := a.command().ExecuteC()
	status := a.status(err)
	if err != nil && !errors.Is(err, errSaid) {
		a.fail(err)
	}
	if status == exitUsage {
		a.tell("See: %s --help", cmd.CommandPath())
	}
	os.Exit(status)
}

// status is the exit status for a command's error.
func (a *app) status(err error) int {
	var usage usageError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &usage), !a.started:
		return exitUsage
	default:
		return exitNot
	}
}

// usageError says that a command was called in a way that it cannot be.
type usageError struct{ text string }

func (e usageError) Error() string { return e.text }

// errSaid ends a command with status 1 whose output says it all.
var errSaid = errors.New("said already")

func (a *app) command() *cobra.Command {
	root := &cobra.Command{
		Use:   "sallyportctl",
		Short: "Two-factor login: set it up, look after it",
		Long: `Sallyportctl sets up and looks after two-factor login on this host.

Codes are never given as arguments, where others could see them: they are asked
for, or read from standard input, one to a line.

The exit status is 0 if it was done or is so, 1 if not, and 2 if the command
line is wrong.`,
		SilenceErrors:     true,
		SilenceUsage:      true,
		Args:              cobra.NoArgs,
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: a.start,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	root.PersistentFlags().StringVar((*string)(&a.root), "root", "", "work on the tree below `DIR`, as systemd's tools do")
	for _, g := range a.groups() {
		root.AddGroup(&cobra.Group{ID: g.title, Title: g.title + ":"})
		for _, make := range g.commands {
			cmd := make()
			cmd.GroupID = g.title
			root.AddCommand(cmd)
		}
	}
	root.SetHelpCommandGroupID(groupHost)
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	return root
}

// group is commands that stand together in the help.
type group struct {
	title    string
	commands []func() *cobra.Command
}

const groupHost = "The host"

// groups is every command, by whose it is. Within a group the help sorts them by name.
func (a *app) groups() []group {
	return []group{
		{"Your own second factor", []func() *cobra.Command{
			a.enroll, a.confirm, a.statusCommand, a.rename, a.remove, a.recoveryCodes, a.resync, a.forget,
		}},
		{"Other people's, for administrators", []func() *cobra.Command{
			a.users, a.events, a.disable, a.unlock, a.verify, a.importCommand, a.export,
			a.sessions,
		}},
		{groupHost, []func() *cobra.Command{
			a.doctor, a.setup, a.clock, a.policy, a.issuer, a.vault, a.version, a.completion, a.man,
		}},
	}
}

// start runs when the command line is understood.
func (a *app) start(*cobra.Command, []string) error {
	if a.root != "" && !strings.HasPrefix(string(a.root), "/") {
		return usageError{fmt.Sprintf("--root %q must be an absolute path.", a.root)}
	}
	a.started = true
	return nil
}

// callTimeout is how long the daemon may take for one call. It waits for the user database, which may be far away.
const callTimeout = 30 * time.Second

// call makes one connection and does fn on it. Its error is a sentence for people, behind which what fn returned still is.
func (a *app) call(ctx context.Context, fn func(context.Context, *varlink.Connection) error) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return a.callLong(ctx, fn)
}

// callLong is call for what may take as long as it takes.
func (a *app) callLong(ctx context.Context, fn func(context.Context, *varlink.Connection) error) error {
	conn, err := client.Dial(ctx, a.root)
	if err != nil {
		return refusal{err}
	}
	defer conn.Close()
	if err := fn(ctx, conn); err != nil {
		return refusal{err}
	}
	return nil
}

// refusal is an error of the daemon's, or about it, that reads as a sentence.
type refusal struct{ err error }

func (e refusal) Error() string { return client.Sentence(e.err) }

func (e refusal) Unwrap() error { return e.err }

// maybe is absent for the empty text.
func maybe(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// needRoot refuses who is not root, before half of it is done.
func needRoot(why string) error {
	if os.Geteuid() == 0 {
		return nil
	}
	return sentence(why + " Run it as root.")
}
