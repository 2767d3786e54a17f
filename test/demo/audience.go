package main

import (
	"bufio"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"sallyport/test/host"
)

// audience keeps the private host up for a person with a phone, until Enter or Ctrl-C.
func audience() scene {
	return scene{"A person with a phone has tried it", func(s *stage) {
		stop := make(chan os.Signal, 4)
		signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
		s.invite()
		enter := make(chan struct{})
		go func() {
			_, _ = bufio.NewReader(os.Stdin).ReadString('\n') // its end ends the wait too
			close(enter)
		}()
		select {
		case <-stop:
		case <-enter:
		}
		fmt.Println()
	}}
}

// invite says what to do, with the QR code of a user that is made for it.
func (s *stage) invite() {
	_, screen := s.setUp("guest")
	picture, _, _ := strings.Cut(screen, setupPrompt)
	host.AddUser(s, "newcomer")
	fmt.Printf("\n%s\n\nIt is confirmed already. Log in from another terminal of this machine:\n\n", picture)
	for _, name := range []string{"guest", "newcomer"} {
		fmt.Printf("    ssh -p %d -o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no %s@127.0.0.1\n", s.sshd.Port, name)
	}
	fmt.Printf("\nThe password of both is %q. newcomer sets up a second factor in the login.\n", host.Password)
	fmt.Print("Enter or Ctrl-C ends it. ")
}
