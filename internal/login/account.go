package login

import (
	"fmt"

	"sallyport/internal/audit"
	"sallyport/internal/policy"
)

// Account answers PAM's account phase for a login in which the auth phase gave no second factor: a key login skips
// that phase. It is refused where the policy would have asked for a code.
func Account(r Request, f *Facts) Step {
	if notRequired(r, f) {
		s := end(NotRequired)
		if reminding(f) {
			s.tell(reminder(f.Decision.Until))
		}
		s.notify(f)
		return s
	}
	if f.remembered(r) {
		s := end(Granted)
		s.notify(f)
		return s
	}
	s := end(AccountRefused)
	s.tellError(accountAdvice(r, f))
	s.refused(f)
	s.Events = []audit.Event{r.Event(audit.AccountRefused)}
	return s
}

// accountAdvice names the setting that made the login skip the second factor.
func accountAdvice(r Request, f *Facts) string {
	what := "This login needs a verification code, and none was asked for. "
	if f.Decision.Require == policy.RequireEnroll && !f.Enrolled() {
		what = "This login needs a second factor, which is not set up yet. "
	}
	if r.Service == "sshd" {
		return what + "The administrator has to set in sshd_config: AuthenticationMethods publickey,keyboard-interactive"
	}
	return what + fmt.Sprintf("The administrator has to put pam_sallyport.so into the auth part of /etc/pam.d/%s.", r.Service)
}
