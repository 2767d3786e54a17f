#!/bin/bash
# Has Sallyport check a code: verify.sh USER SERVICE [ADDRESS] <CODE
#
# Status 0 lets the person in; every other does not. It needs socat and jq.
set -euo pipefail

socket=/run/sallyport/io.sallyport
seconds=10    # for all of it
longest=65536 # bytes of a reply

if [ $# -lt 2 ] || [ $# -gt 3 ]; then
	echo 'verify.sh USER SERVICE [ADDRESS] <CODE' >&2
	exit 2
fi

refuse() {
	echo "sallyport: $1" >&2
	echo 'The code cannot be checked at the moment.'
	exit 1
}

# The code comes to jq on its standard input: everybody can read command lines.
IFS= read -r -n 1024 code || [ -n "$code" ] || refuse 'no code on standard input'
request=$(printf '%s' "$code" | jq -Rsc --arg user "$1" --arg service "$2" --arg rhost "${3-}" '
	{method: "io.sallyport.Login.Verify", parameters:
		({user: $user, code: ., service: $service} + if $rhost == "" then {} else {rhost: $rhost} end)}')

# What does not end with a NUL is no reply: read fails then.
IFS= read -r -d '' reply < <(
	printf '%s\0' "$request" | timeout "$seconds" socat -t "$seconds" - "UNIX-CONNECT:$socket" | head -c "$longest"
) || refuse 'no whole reply'

message=$(jq -er 'if has("error") then error("\(.error) \(.parameters)") else .parameters.message end' <<<"$reply") ||
	refuse 'no answer'
verdict=$(jq -r .parameters.verdict <<<"$reply")
printf '%s\n' "${message:-Let in.}"
[ "$verdict" = granted ] || [ "$verdict" = not_required ]
