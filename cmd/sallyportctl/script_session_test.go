package main

import (
	"context"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"sallyport/internal/api/iosallyportlogin"
	"sallyport/internal/client"
	"sallyport/internal/disk"
	"sallyport/test/host"
)

func cmdLeader(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: leader NAME USER")
	}
	cmd := exec.Command("setpriv", "--reuid", args[1], "--clear-groups", "sleep", "600")
	ts.Check(cmd.Start())
	stateOf(ts).leaders[args[0]] = cmd
}

func leader(ts *testscript.TestScript, neg bool, args []string, n int) *exec.Cmd {
	if neg || len(args) <= n {
		ts.Fatalf("whose process?")
	}
	cmd := stateOf(ts).leaders[args[n]]
	if cmd == nil {
		ts.Fatalf("there is no process %q", args[n])
	}
	return cmd
}

func cmdSession(ts *testscript.TestScript, neg bool, args []string) {
	cmd := leader(ts, neg, args, 1)
	ctx := context.Background()
	c, err := client.Dial(ctx, disk.Root(ts.Getenv("ROOT")))
	ts.Check(err)
	defer c.Close()
	verdict, message, err := iosallyportlogin.OpenSession().Call(ctx, c, args[0], "sshd", &args[2], nil, int64(cmd.Process.Pid))
	ts.Check(err)
	if verdict != iosallyportlogin.Verdict("granted") {
		ts.Fatalf("session: %s: %s", verdict, message)
	}
}

// alive reads the state of a process, which this one has not waited for: one that has ended is a zombie.
func alive(cmd *exec.Cmd) bool {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(cmd.Process.Pid) + "/stat")
	return err == nil && !strings.Contains(string(text), ") Z ")
}

func cmdRunning(ts *testscript.TestScript, neg bool, args []string) {
	if cmd := leader(ts, neg, args, 0); !alive(cmd) {
		ts.Fatalf("the process %q has ended", args[0])
	}
}

func cmdGone(ts *testscript.TestScript, neg bool, args []string) {
	cmd := leader(ts, neg, args, 0)
	host.Eventually(script{ts}, "the process ends", func() bool { return !alive(cmd) })
}
