#!/usr/bin/env bash
# Runs the given govulncheck over the tree where its database can be reached, and says so where it cannot.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
output=$("$@" ./... 2>&1)
status=$?
if [ $status -ne 0 ] && grep -qE 'vuln\.go\.dev|fetching vulnerabilities' <<<"$output"; then
	echo 'govulncheck: its database cannot be reached from here; not run'
	exit 0
fi
printf '%s\n' "$output"
exit $status
