package host_test

import (
	"testing"

	"sallyport/test/host"
)

// A reader that throws away what was typed before it was ready, behind its prompt, as libpam_misc's does.
func TestAnswerWaitsForTheReader(t *testing.T) {
	x := host.Open(t, host.Command("perl", "-MPOSIX", "-e", `
		$| = 1;
		print "Word: ";
		1 for 1 .. 2_000_000; # it takes its time
		tcflush(0, TCIFLUSH);
		sysread(STDIN, $word, 100);
		chomp $word;
		print "It is <$word>.\n";
		exit 5`))
	x.Answer("Word: ", "xyzzy")
	if got := x.Expect(`It is <(\w*)>`); got[1] != "xyzzy" {
		t.Errorf("it read %q", got[1])
	}
	if status := x.Wait(); status != 5 {
		t.Errorf("exit status %d", status)
	}
}

func TestSu(t *testing.T) {
	u, _ := host.AddUser(t, "alice"), host.AddUser(t, "bob")
	x := host.Open(t, host.Command("setpriv", host.As(u, "su", "-", "bob", "-c", "id -un; exit 3")[1:]...))
	x.Answer("Password: ", host.Password)
	x.Expect("bob")
	if status := x.Wait(); status != 3 {
		t.Errorf("exit status %d; the terminal shows:\n%s", status, x.Text())
	}
}
