package server

import (
	"fmt"
	"testing"
)

func TestRights(t *testing.T) {
	h := newHost(t, authorityPolicy)
	for _, c := range []struct {
		uid  uint32
		root bool
		may  string
	}{
		{0, true, "[list disable unlock sessions]"},
		{1000, false, "[]"},
		{1002, false, "[list disable]"},
		{nobody, false, "[]"},
	} {
		reply, failure := h.call(t, c.uid, "io.sallyport.Admin.Rights", nil)
		if failure != "" || reply["root"] != c.root || fmt.Sprint(reply["may"]) != c.may {
			t.Errorf("uid %d: %v (error %q), want root %v, may %s", c.uid, reply, failure, c.root, c.may)
		}
	}
}
