package pamstack

import "slices"

// Walk asks which ways lead through a stack. It goes them all, so it is for stacks, which are short.
type Walk struct {
	Stack Stack
	// May lists what a line may return. Possible is all that makes a difference.
	May func(l Line) []Code
	// Watch says which lines an End tells of.
	Watch func(l Line) bool
}

// End is one way through a stack.
type End struct {
	Status Code
	Called bool // a watched line was
	// Missed is the index of the line that led past a watched one: it ended the stack, or jumped. -1: none did.
	Missed int
	// Refused says that a watched line was called when the login was lost already.
	Refused bool

	account bool
}

// Passed reports whether the login goes on. Programs take an expired password in the account part only.
func (e End) Passed() bool { return e.Status == Success || e.account && e.Status == NewAuthtok }

// impression is what libpam thinks of a login so far.
type impression int

const (
	undefined impression = iota
	positive
	negative
)

// mustFail is the status of a stack in which nothing decided.
const mustFail Code = "perm_denied"

// verdict is what libpam keeps while it goes through a stack, or a substack.
type verdict struct {
	impression impression
	status     Code
}

// state is a place on a way.
type state struct {
	next  int // index of the line that is called next
	level int // of the line before
	verdict
	entered [maxLevel + 2]verdict // by level: what it was when the substack was entered
	called  bool
	missed  int
	refused bool
}

// Ends lists the different ways in which the stack can end.
func (w Walk) Ends() []End {
	start := state{verdict: verdict{undefined, mustFail}, missed: -1}
	start.entered[0] = start.verdict
	seen := map[state]bool{start: true}
	var ends []End
	for todo := []state{start}; len(todo) > 0; {
		s := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if s.next >= len(w.Stack.Lines) {
			e := s.end()
			e.account = w.Stack.Kind == Account
			if !slices.Contains(ends, e) {
				ends = append(ends, e)
			}
			continue
		}
		for _, after := range w.step(s) {
			if !seen[after] {
				seen[after] = true
				todo = append(todo, after)
			}
		}
	}
	return ends
}

func (s state) end() End {
	e := End{Status: s.status, Called: s.called, Missed: s.missed, Refused: s.refused}
	if s.status == Success && s.impression != positive {
		e.Status = mustFail
	}
	return e
}

// step calls the next line, once for everything that it may return.
func (w Walk) step(s state) []state {
	l := w.Stack.Lines[s.next]
	if l.level > s.level {
		s.entered[l.level] = s.verdict
	}
	s.level = l.level
	if l.entry {
		s.next++
		return []state{s}
	}
	if w.Watch(l) {
		s.called = true
		s.refused = s.refused || s.impression == negative
	}
	var all []state
	for _, code := range w.May(l) {
		all = append(all, w.after(s, l, code))
	}
	return all
}

// after is _pam_dispatch_aux of libpam: what the line's code leads to.
func (w Walk) after(s state, l Line, code Code) state {
	here := s.next
	s.next++
	a := l.Control.Of(code)
	over := false
	switch a.word {
	case "reset":
		s.verdict = s.entered[l.level]
	case "ok", "done":
		if (s.impression == undefined || s.impression == positive && s.status == Success) && code != Ignore {
			s.verdict = verdict{positive, code}
		}
		over = a.word == "done" && s.impression == positive
	case "bad", "die":
		if s.impression != negative {
			s.verdict = verdict{negative, code}
			if code == Ignore {
				s.status = mustFail
			}
		}
		over = a.word == "die"
	case "":
		if !w.jump(&s, l.level, a.jump) {
			s.verdict = verdict{negative, mustFail}
		}
	}
	if over {
		for s.next < len(w.Stack.Lines) && w.Stack.Lines[s.next].level >= l.level {
			s.next++
		}
	}
	if slices.ContainsFunc(w.Stack.Lines[here+1:s.next], w.Watch) {
		s.missed = here
	}
	return s
}

// jump goes over n lines of the same stack; a substack counts as one.
func (w Walk) jump(s *state, level, n int) bool {
	lines := w.Stack.Lines
	for ; n > 0 && s.next < len(lines) && lines[s.next].level >= level; n-- {
		s.next++
		for s.next < len(lines) && lines[s.next].level > level {
			s.next++
		}
	}
	return n == 0
}

// Possible lists the codes between which the line's control makes a difference: of those that mean the same and are
// treated alike it gives one.
func Possible(l Line) []Code {
	type class struct {
		like   Code
		action Action
	}
	seen := map[class]bool{}
	var all []Code
	for _, code := range codes() {
		like := code
		if code != Success && code != NewAuthtok && code != Ignore {
			like = AuthErr
		}
		if c := (class{like, l.Control.Of(code)}); !seen[c] {
			seen[c] = true
			all = append(all, code)
		}
	}
	return all
}
