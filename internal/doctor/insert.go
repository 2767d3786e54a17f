package doctor

import (
	"fmt"

	"sallyport/internal/pamstack"
)

// Insertion is how the module gets into the stack of a service: the service's file, and the lines to put into it. There
// are none where the stack has the module already.
func Insertion(p Patient, name string) (file string, edits []Edit, err error) {
	s := readService(pamstack.In(p.etc()), name)
	if s.file == "" {
		return "", nil, fmt.Errorf("there is no PAM service %q on this host", name)
	}
	path := ModulePath(p)
	if path == "" {
		return "", nil, fmt.Errorf("%s is not installed", moduleName)
	}
	if line(s.auth) == nil {
		edits = append(edits, Edit{File: s.file, Line: s.behindPassword(), New: "auth     required  " + path})
	}
	if line(s.account) == nil && keyLogins(name) {
		edits = append(edits, Edit{File: s.file, Line: s.beforeAccount(), New: "account  required  " + path})
	}
	if line(s.session) == nil && keyLogins(name) {
		edits = append(edits, Edit{File: s.file, Line: s.beforeAccount(), New: "session  required  " + path})
	}
	return s.file, edits, nil
}
