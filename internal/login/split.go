package login

import "sallyport/internal/otp"

// answerSplit judges an answer that holds the password and, behind it, the code. There is no second try: the host's
// next answer would be the same one.
func (d *Dialogue) answerSplit(f *Facts, answer string) Step {
	password, code := splitAnswer(f, answer)
	p := Prove(d.req, f, code)
	var s Step
	if p.Finding == Right {
		s = d.accept(f, p)
	} else {
		d.prompts = f.Decision.Attempts
		s = d.refuse(f, p)
	}
	s.PasswordLength = len(password)
	return s
}

// recoveryLengths are the lengths of a recovery code with its dashes and without, and of a scratch code.
var recoveryLengths = [...]int{19, 16, 8}

// splitAnswer parts a password from the code behind it. The code's length is that of a token of the user's; where
// there is none it is taken as six digits, so that nothing differs for a user who is not enrolled.
func splitAnswer(f *Facts, answer string) (password, code string) {
	lengths := []int{}
	if f.Enrolled() {
		for _, t := range f.Record.Tokens {
			lengths = append(lengths, t.Key.Digits)
		}
	} else {
		lengths = append(lengths, 6)
	}
	best := len(answer)
	for _, n := range lengths {
		cut := len(answer) - n
		if cut < 0 {
			continue
		}
		shape, text := otp.Classify(answer[cut:])
		if shape != otp.ShapeCode || len(text) != n { // a blank in front of a shorter code is the password's
			continue
		}
		if best == len(answer) || f.find(answer[cut:]).Finding > f.find(answer[best:]).Finding {
			best = cut
		}
	}
	for _, n := range recoveryLengths {
		if cut := len(answer) - n; cut >= 0 && f.find(answer[best:]).Finding < Right {
			if m := f.find(answer[cut:]); m.Finding == Right && m.Recovery >= 0 {
				best = cut
			}
		}
	}
	return answer[:best], answer[best:]
}
