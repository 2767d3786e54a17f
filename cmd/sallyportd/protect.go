package main

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// protect keeps what is in memory out of core dumps and away from debuggers.
func protect() error {
	if os.Geteuid() != 0 {
		return errors.New("must run as root: the vault and the ledger are root's")
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("PR_SET_DUMPABLE: %w", err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("RLIMIT_CORE: %w", err)
	}
	unix.Umask(0o022) // each file has its own mode; the directories that lead to the sockets are for everybody
	return nil
}
