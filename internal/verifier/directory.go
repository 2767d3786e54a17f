package verifier

import (
	"errors"
	"fmt"
	"os/user"
	"strconv"
)

// ErrUnknownUser says that the user database was asked and has no such user.
var ErrUnknownUser = errors.New("unknown user")

// NSS is the host's user database by the C library.
type NSS struct{}

// Lookup is getpwnam(3).
func (NSS) Lookup(name string) (uint32, error) {
	u, err := user.Lookup(name)
	var unknown user.UnknownUserError
	if errors.As(err, &unknown) {
		return 0, fmt.Errorf("%q: %w", name, ErrUnknownUser)
	}
	if err != nil {
		return 0, fmt.Errorf("looking up user %q: %w", name, err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("uid of user %q: %w", name, err)
	}
	return uint32(uid), nil
}

// Name is getpwuid(3).
func (NSS) Name(uid uint32) (string, error) {
	u, err := user.LookupId(strconv.FormatUint(uint64(uid), 10))
	var unknown user.UnknownUserIdError
	if errors.As(err, &unknown) {
		return "", fmt.Errorf("uid %d: %w", uid, ErrUnknownUser)
	}
	if err != nil {
		return "", fmt.Errorf("looking up uid %d: %w", uid, err)
	}
	return u.Username, nil
}

// Groups is getgrouplist(3), as names. A group without a name cannot be in a policy and is left out.
func (NSS) Groups(name string) ([]string, error) {
	u, err := user.Lookup(name)
	var nobody user.UnknownUserError
	if errors.As(err, &nobody) {
		return nil, fmt.Errorf("%q: %w", name, ErrUnknownUser)
	}
	if err != nil {
		return nil, fmt.Errorf("looking up user %q: %w", name, err)
	}
	ids, err := u.GroupIds()
	if err != nil {
		return nil, fmt.Errorf("groups of user %q: %w", name, err)
	}
	names := make([]string, 0, len(ids))
	for _, id := range ids {
		g, err := user.LookupGroupId(id)
		var unknown user.UnknownGroupIdError
		if errors.As(err, &unknown) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("group %s of user %q: %w", id, name, err)
		}
		names = append(names, g.Name)
	}
	return names, nil
}
