package main

import (
	"fmt"
	"io"
	"time"
)

// progress says on a terminal how far something is that takes long. Before two seconds have gone it says nothing.
type progress struct {
	w     io.Writer // nil: nobody is watching
	now   func() time.Time
	what  string
	count int
	next  time.Time // when to say more
	said  bool
}

const (
	quickEnough   = 2 * time.Second
	progressEvery = 200 * time.Millisecond
)

func (t terminal) progress(what string) *progress {
	var w io.Writer
	if isTerminal(t.stderr) {
		w = t.stderr
	}
	return newProgress(w, what, time.Now)
}

func newProgress(w io.Writer, what string, now func() time.Time) *progress {
	return &progress{w: w, now: now, what: what, next: now().Add(quickEnough)}
}

// step counts one more.
func (p *progress) step() {
	p.count++
	if now := p.now(); p.w != nil && now.After(p.next) {
		fmt.Fprintf(p.w, "\r%d %s ...", p.count, p.what)
		p.next, p.said = now.Add(progressEvery), true
	}
}

// done takes the line away again. It may be called twice.
func (p *progress) done() {
	if p.said {
		fmt.Fprint(p.w, "\r\x1b[K") // EL, ECMA-48 §8.3.41
		p.said = false
	}
}
