// Demo logs in to a real OpenSSH server that Sallyport protects, in a private host on this machine (package host), and
// prints what it did, a line each. It exits with 0 only if all of it happened and nothing is left on the machine. It
// needs root and what make build leaves.
//
// With INTERACTIVE=1 in the environment it then waits for a person with a phone.
package main

import (
	"fmt"
	"os"

	"sallyport/test/host"
)

func main() {
	if !host.Inside() {
		fmt.Println("Sallyport on a private copy of this machine: its own users, files and processes, a real sshd on loopback.")
		fmt.Println()
	}
	os.Exit(host.Run(host.Options{ShareNetwork: true, After: report}, inside))
}

// inside plays the scenes in the private host.
func inside() int {
	s := &stage{}
	defer s.clear()
	for _, scene := range scenes() {
		if !s.play(scene) {
			return 1
		}
	}
	if os.Getenv("INTERACTIVE") == "1" && !s.play(audience()) {
		return 1
	}
	return 0
}

// report prints the last lines, on the machine, when the private host is gone.
func report(status int, left []string) int {
	problem := ""
	for _, line := range left {
		problem += line + "\n"
	}
	printLine("Afterwards /etc, /run, /var/lib, users and processes of this machine are as before", problem)
	if status != 0 || problem != "" {
		fmt.Println("\nNot all of it happened.")
		return max(status, 1)
	}
	fmt.Println("\nAll of it happened.")
	return 0
}
