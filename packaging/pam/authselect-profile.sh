#!/bin/sh
# Makes the authselect(8) profile custom/sallyport: the profile that is in use, with the feature "with-sallyport". Nothing
# is in use before it is selected:
#
#   /usr/libexec/sallyport/authselect-profile
#   authselect select custom/sallyport with-sallyport     and the features that you have: authselect current
#
# With an argument it adds the feature to the profile in that directory.
set -eu

# feature adds the module to a profile. The code is asked for in postlogin, which sshd, login and the panels include when
# the password or the key was right; sudo and su do not, and have it in their own files if at all.
feature() {
	for file in system-auth password-auth; do
		grep -q pam_sallyport "$1/$file" && continue
		# In front of the other account lines: it refuses a login that skipped the code.
		awk '/^account[ \t]/ && !done {
			print "account     required                                     pam_sallyport.so                       {include if \"with-sallyport\"}"
			done = 1
		} { print }' "$1/$file" >"$1/$file.new"
		cat "$1/$file.new" >"$1/$file"
		rm "$1/$file.new"
	done
	grep -q pam_sallyport "$1/postlogin" || cat >>"$1/postlogin" <<END

auth        required                                     pam_sallyport.so                       {include if "with-sallyport"}
session     required                                     pam_sallyport.so                       {include if "with-sallyport"}
END
	grep -q with-sallyport "$1/README" || cat >>"$1/README" <<END

with-sallyport::
    Ask for a one-time code behind the password or the key; see sallyport.toml(5).
END
}

if [ $# -gt 0 ]; then
	feature "$1"
	exit
fi
profile=/etc/authselect/custom/sallyport
if [ ! -e "$profile" ]; then
	base=$(authselect current --raw | cut -d ' ' -f 1)
	[ -n "$base" ] || { echo 'No authselect profile is in use: select one first (authselect list).' >&2; exit 1; }
	authselect create-profile sallyport --base-on="$base"
fi
feature "$profile"
echo "To use it: authselect select custom/sallyport with-sallyport, and the features of: authselect current"
