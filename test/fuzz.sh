#!/usr/bin/env bash
# Runs every fuzz target of the tree for FUZZTIME each, from its committed corpus, as many at a time as there are
# processors. libFuzzer runs those of the module's C half.
set -euo pipefail
cd "$(dirname "$0")/.."
export time=${FUZZTIME:-20s}

# fuzz runs one target. Go's fuzzer now and then takes the end of its time for a failure, without a failing input to show
# (golang/go#75804); that is tried again, once.
fuzz() {
	local dir=$1 target=$2 output
	for _ in 1 2; do
		if output=$(go test "./$dir" -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 10x -parallel 1 </dev/null 2>&1); then
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

export -f fuzz

grep -rl --include='*_test.go' '^func Fuzz' internal cgo cmd test | sort | while read -r file; do
	sed -n "s|^func \(Fuzz[A-Za-z0-9_]*\)(.*|$(dirname "$file") \1|p" "$file"
done | xargs -L 1 -P "$(nproc)" bash -c 'fuzz "$@" || exit 255' fuzz

# seconds is a time as libFuzzer takes it.
seconds() {
	case $1 in
	*m) echo $((60 * ${1%m})) ;;
	*) echo "${1%s}" ;;
	esac
}

build=build/fuzz
cgo/pam_sallyport/fuzz/build.sh "$PWD/$build"
long=$(seconds "$time")
for target in codec login; do
	corpus=$build/corpus/$target
	mkdir -p "$corpus"
	if ! output=$(PAM_FUZZ_MODULE=$PWD/$build/pam_fuzz.so "$build/$target" -max_total_time="$long" -max_len=4096 \
		-artifact_prefix="$build/" -print_final_stats=1 "$corpus" "cgo/pam_sallyport/fuzz/testdata/$target" 2>&1); then
		printf '%s\n' "$output"
		exit 1
	fi
	sed -n "s/^stat::number_of_executed_units: */fuzz cgo\/pam_sallyport\/fuzz $target, ${long}s, no find, execs: /p" <<<"$output"
done
