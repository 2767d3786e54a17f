package main

import (
	"context"
	"errors"
	"fmt"
	"log/syslog"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sallyport/internal/rollout"
)

// setupFlags are what setup can be told.
type setupFlags struct {
	dryRun, apply, revert, confirm bool
	force, noReload, asJSON        bool
	within                         time.Duration
	rollback                       string        // the ID of a change, for the process that undoes it
	rollbackAfter                  time.Duration // what that waits for
}

// told counts what setup is told to do.
func (f setupFlags) told() int {
	n := 0
	for _, set := range []bool{f.dryRun, f.apply, f.revert, f.confirm, f.rollback != ""} {
		if set {
			n++
		}
	}
	return n
}

func (a *app) setup() *cobra.Command {
	var f setupFlags
	cmd := &cobra.Command{
		Use:       "setup ssh|sudo|cockpit",
		Short:     "Put the module into a login stack, or take it out again (root)",
		ValidArgs: []string{"ssh", "sudo", "cockpit"},
		Long: `Setup shows the change to /etc/pam.d, and for ssh to sshd's configuration, that
has people asked for a code. With --apply it makes that change, with --revert it
puts the files back byte for byte as they were.

It refuses a change that would lock somebody out, as "doctor" sees it, and one
that sshd does not take. With --confirm-within the change undoes itself after
that time, terminal or no terminal, unless somebody logs in anew, through what
was changed, and runs --confirm there.`,
		Example: `  sallyportctl setup ssh
  sallyportctl setup ssh --apply --confirm-within 5m
  sallyportctl setup ssh --confirm
  sallyportctl setup ssh --revert`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			target, err := setupTarget(args[0])
			if err != nil {
				return err
			}
			if f.told() > 1 {
				return usageError{"Say one of --dry-run, --apply, --revert and --confirm."}
			}
			if f.within < 0 || f.within > 0 && !f.apply {
				return usageError{"--confirm-within goes with --apply, and is a time such as 5m."}
			}
			return a.runSetup(cmd.Context(), rollout.Setup{Root: a.root, Target: target, Now: time.Now()}, f)
		},
	}
	a.setupFlags(cmd, &f)
	return cmd
}

func (a *app) setupFlags(cmd *cobra.Command, f *setupFlags) {
	flags := cmd.Flags()
	flags.BoolVar(&f.dryRun, "dry-run", false, "show the change; this is the default")
	flags.BoolVar(&f.apply, "apply", false, "make the change")
	flags.BoolVar(&f.revert, "revert", false, "put everything back")
	flags.BoolVar(&f.confirm, "confirm", false, "have the change stay; from a new login only")
	flags.DurationVar(&f.within, "confirm-within", 0, "undo the change after `TIME` unless it is confirmed")
	flags.BoolVar(&f.force, "force", false, "do it in spite of what speaks against it")
	flags.BoolVar(&f.noReload, "no-reload", false, "do not have sshd read its configuration")
	flags.BoolVar(&f.asJSON, "json", false, "with --dry-run: print JSON")
	flags.StringVar(&f.rollback, "rollback", "", "undo the change `ID` if it is not confirmed")
	flags.DurationVar(&f.rollbackAfter, "rollback-after", 0, "wait for `TIME` first")
	for _, hidden := range []string{"rollback", "rollback-after"} {
		flags.Lookup(hidden).Hidden = true
	}
}

func setupTarget(name string) (rollout.Target, error) {
	var names []string
	for _, t := range rollout.Targets() {
		if string(t) == name {
			return t, nil
		}
		names = append(names, string(t))
	}
	return "", usageError{fmt.Sprintf("%q cannot be set up: must be one of %s.", name, strings.Join(names, ", "))}
}

func (a *app) runSetup(ctx context.Context, s rollout.Setup, f setupFlags) error {
	if err := needRoot("Setup changes what only root may."); err != nil {
		return err
	}
	switch {
	case f.apply:
		return a.applySetup(ctx, s, f)
	case f.revert:
		return a.revertSetup(ctx, s, f)
	case f.confirm:
		return a.confirmRollout(s)
	case f.rollback != "":
		return rollbackSetup(ctx, s, f)
	default:
		return a.showSetupPlan(ctx, s, f)
	}
}

// plannedChange is a change in JSON.
type plannedChange struct {
	Path string `json:"path"`
	Diff string `json:"diff"` // unified
}

func (a *app) showSetupPlan(ctx context.Context, s rollout.Setup, f setupFlags) error {
	changes, err := s.Plan(ctx)
	if err != nil {
		return setupSentence(err)
	}
	if f.asJSON {
		all := make([]plannedChange, len(changes))
		for i, c := range changes {
			all[i] = plannedChange{c.Path, c.Diff()}
		}
		return a.writeJSON(all)
	}
	if len(changes) == 0 {
		a.say("Everything is in place for %s.", s.Target)
		return nil
	}
	for _, c := range changes {
		a.say("%s", strings.TrimRight(c.Diff(), "\n"))
	}
	if err := a.objections(ctx, s, changes); err != nil {
		return err
	}
	a.tell("To make this change: sallyportctl setup %s --apply --confirm-within 5m", s.Target)
	return nil
}

// objections says what the doctor has against a change, and is an error if that is anything.
func (a *app) objections(ctx context.Context, s rollout.Setup, changes []rollout.Change) error {
	found, err := s.Objections(ctx, changes)
	if err != nil {
		return setupSentence(err)
	}
	if len(found) == 0 {
		return nil
	}
	for _, f := range found {
		a.tell("%s: %s %s", f.ID, f.What, f.Outcome)
	}
	return sentence("This would lock people out. Mend that first: sallyportctl doctor says how, and --force does it all the same.")
}

func (a *app) applySetup(ctx context.Context, s rollout.Setup, f setupFlags) error {
	changes, err := s.Plan(ctx)
	if err != nil {
		return setupSentence(err)
	}
	if len(changes) == 0 {
		a.say("Everything is in place for %s. Nothing was changed.", s.Target)
		return nil
	}
	if !f.force {
		if err := a.objections(ctx, s, changes); err != nil {
			return err
		}
	}
	saved, err := s.Apply(ctx, changes, rollout.Options{ConfirmWithin: f.within, NoReload: f.noReload})
	if err != nil && !errors.Is(err, rollout.ErrNotRunning) {
		return setupSentence(err)
	}
	for _, c := range changes {
		a.say("%s was changed.", c.Path)
	}
	if err != nil {
		a.tell("sshd does not run, so it was not reloaded.")
	}
	if saved.ConfirmBy == nil {
		a.say("Keep this terminal open until a login from a second one has worked. To undo it: sallyportctl setup %s --revert", s.Target)
		return nil
	}
	a.say("All of it is undone at %s, unless you log in from a second window before, and run there, as root:", saved.ConfirmBy.Local().Format("15:04:05"))
	a.say("  sallyportctl setup %s --confirm", s.Target)
	return nil
}

func (a *app) revertSetup(ctx context.Context, s rollout.Setup, f setupFlags) error {
	copies, err := s.Revert(ctx, f.force, f.noReload)
	var changed *rollout.ChangedError
	switch {
	case errors.Is(err, rollout.ErrNothing):
		a.say("There is no setup of %s to undo.", s.Target)
		return nil
	case errors.As(err, &changed):
		return sentence(fmt.Sprintf("Somebody has changed %s since. Nothing was undone. With --force it is put back all the same, and what is there now is kept.",
			strings.Join(changed.Paths, " and ")))
	case err != nil && !errors.Is(err, rollout.ErrNotRunning):
		return sentence(fmt.Sprintf("It was not undone to the end: %v. Run it again when that is mended.", err))
	}
	for _, path := range copies {
		a.say("What was changed since is kept in %s.", path)
	}
	a.say("Everything is as it was before setup %s.", s.Target)
	return nil
}

func (a *app) confirmRollout(s rollout.Setup) error {
	err := s.Confirm()
	var old *rollout.NotNewError
	switch {
	case errors.Is(err, rollout.ErrNothing):
		return sentence(fmt.Sprintf("There is no setup of %s to confirm: it was undone, or never made.", s.Target))
	case errors.Is(err, rollout.ErrConfirmed):
		a.say("It is confirmed already.")
		return nil
	case errors.As(err, &old):
		return sentence(fmt.Sprintf("This is no new login (%v). Log in from a second window, and run it there.", old))
	case err != nil:
		return setupSentence(err)
	}
	a.say("The setup of %s stays. To undo it: sallyportctl setup %s --revert", s.Target, s.Target)
	return nil
}

// rollbackSetup runs without a terminal: what it does is in the system's log.
func rollbackSetup(ctx context.Context, s rollout.Setup, f setupFlags) error {
	time.Sleep(f.rollbackAfter)
	undone, err := s.Rollback(ctx, f.rollback)
	if w, logErr := syslog.New(syslog.LOG_AUTHPRIV|syslog.LOG_NOTICE, "sallyportctl"); logErr == nil && (undone || err != nil) {
		text := fmt.Sprintf("setup %s was not confirmed and has been undone", s.Target)
		if err != nil {
			text = fmt.Sprintf("setup %s was not confirmed and cannot be undone: %v", s.Target, err)
		}
		_ = w.Notice(text) // nobody else can be told
	}
	return err
}

// setupSentence says what a setup failed on.
func setupSentence(err error) error {
	if errors.Is(err, rollout.ErrOther) {
		return sentence("An earlier setup was changed since. Undo it first, with --revert --force, which keeps what is there now.")
	}
	return sentence(fmt.Sprintf("Nothing was changed: %v.", err))
}
