#!/usr/bin/env bash
# Runs every fuzz target of the tree for FUZZTIME each, from its committed corpus.
set -euo pipefail
cd "$(dirname "$0")/.."
time=${FUZZTIME:-6s}

# fuzz runs one target. Go's fuzzer now and then takes the end of its time for a failure, without a failing input to show
# (golang/go#75804); that is tried again, once.
fuzz() {
	local dir=$1 target=$2 output
	for _ in 1 2; do
		if output=$(go test "./$dir" -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 10x </dev/null 2>&1); then
			grep -o 'execs: [0-9]*' <<<"$output" | tail -n 1 | sed "s|^|fuzz $dir $target, $time, no find, |"
			return
		fi
		if ! grep -q 'context deadline exceeded' <<<"$output" || grep -q 'Failing input written' <<<"$output"; then
			break
		fi
	done
	printf '%s\n' "$output"
	return 1
}

grep -rl --include='*_test.go' '^func Fuzz' internal cgo cmd test | sort | while read -r file; do
	sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$file" | while read -r target; do
		fuzz "$(dirname "$file")" "$target"
	done
done
