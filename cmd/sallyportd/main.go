// Sallyportd is Sallyport's daemon: the host's verifier, behind the module's socket and the Varlink one.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"

	"golang.org/x/sys/unix"

	"sallyport/internal/api"
	"sallyport/internal/audit"
	"sallyport/internal/disk"
)

const usage = `Usage: sallyportd [--root DIR] [--version]

The daemon that verifies the second factor of logins. systemd starts it and passes
its sockets on; started by hand, it makes them itself.

  --root DIR  work on the tree below DIR, as systemd's tools do
  --version   print the version
  --help      print this

SIGHUP has it read the policy again, SIGTERM and SIGINT stop it.

Examples:
  sallyportd                      in the foreground, on this host
  sallyportd --root /srv/rescue   on the files of another one
`

func main() {
	flag.Usage = func() { fmt.Fprint(os.Stderr, usage) }
	root := flag.String("root", "", "")
	version := flag.Bool("version", false, "")
	if len(os.Args) == 2 && (os.Args[1] == "--help" || os.Args[1] == "-h") {
		fmt.Print(usage)
		return
	}
	flag.Parse()
	switch {
	case *version:
		fmt.Println("sallyportd", api.Version)
		return
	case flag.NArg() > 0:
		fmt.Fprintf(os.Stderr, "sallyportd: unexpected %q\n\n%s", flag.Arg(0), usage)
		os.Exit(2)
	case *root != "" && !filepath.IsAbs(*root):
		fmt.Fprintf(os.Stderr, "sallyportd: --root %q must be an absolute path\n", *root)
		os.Exit(2)
	}
	if err := serve(disk.Root(*root)); err != nil {
		fmt.Fprintf(os.Stderr, "sallyportd: %v\n", err)
		os.Exit(1)
	}
}

// serve is the daemon's life.
func serve(root disk.Root) error {
	if err := protect(); err != nil {
		return err
	}
	// Signals that come early wait for the daemon to be ready.
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, unix.SIGHUP, unix.SIGTERM, unix.SIGINT)
	signal.Ignore(unix.SIGPIPE) // whoever read standard error may go
	log := audit.Moderate(audit.Open(os.Stderr))
	defer log.Flush()
	d, err := start(root, log)
	if err != nil {
		return err
	}
	return errors.Join(d.run(signals), d.stop())
}
