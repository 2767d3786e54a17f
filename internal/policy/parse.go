package policy

import (
	"fmt"
	"slices"
)

// File is a policy file's name, as it is shown in messages, and content.
type File struct {
	Name string
	Data []byte
}

// maxFile bounds a policy file, in bytes: the decoder is recursive, and must
// not exhaust the stack.
const maxFile = 256 << 10

// Parse makes a policy of files in the order in which they override each other:
// a later file's value replaces an earlier one's (a list too, as a whole), its
// rules are tried before the earlier one's, and its delegates are added.
// Without any file it gives the defaults. The error is Problems, with
// everything that is wrong in all files.
func Parse(files []File) (*Policy, error) {
	return parse(files, nil)
}

// parse is Parse for files beside which there were some that could not be read.
func parse(files []File, unread Problems) (*Policy, error) {
	d := newDraft()
	d.problems, d.broken = unread, len(unread) > 0
	for _, f := range files {
		d.add(f)
	}
	d.problems = append(d.problems, d.contradictions()...)
	if len(d.problems) > 0 {
		return nil, d.problems
	}
	d.policy.mark = rememberMark(d.policy.Rules)
	return d.policy, nil
}

// draft is a policy in the making.
type draft struct {
	policy   *Policy
	problems Problems
	faulty   map[string]bool // settings of tables that somewhere have a bad value
	broken   bool            // a file could not be read to its end
}

func newDraft() draft {
	return draft{policy: defaultPolicy(), faulty: make(map[string]bool)}
}

// add lays one file over those before it.
func (d *draft) add(f File) {
	r := newReader(f.Name, d)
	r.read(f.Data)
	r.problems.sortByLine()
	d.problems = append(d.problems, r.problems...)
	d.policy.Rules = slices.Concat(r.rules, d.policy.Rules)
	d.policy.Delegates = append(d.policy.Delegates, r.delegates...)
}

// contradictions finds settings that are right each for itself but not
// together. What is not fully known is not judged.
func (d *draft) contradictions() Problems {
	const lock, longest = "lockout.lock", "lockout.lock_max"
	p := d.policy
	if d.broken || d.faulty[lock] || d.faulty[longest] || p.Lockout.Lock <= p.Lockout.LockMax {
		return nil
	}
	at, set := p.origins[lock]
	if !set {
		at = p.origins[longest]
	}
	return Problems{{
		File: at.file,
		Line: at.line,
		Text: fmt.Sprintf("%s (%s) is longer than %s (%s).",
			lock, showDuration(p.Lockout.Lock), longest, showDuration(p.Lockout.LockMax)),
		Hint: "Each lock is twice the one before, up to lock_max.",
	}}
}
