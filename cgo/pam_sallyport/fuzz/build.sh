#!/usr/bin/env bash
# Builds libFuzzer's targets for the C half of the module, with the sanitizers: DIR/codec for its packets, and DIR/login
# for whole calls of a host under the real libpam, with DIR/pam_fuzz.so, which that loads. test/fuzz.sh runs them.
set -euo pipefail
dir=${1:?usage: build.sh DIR}
cd "$(dirname "$0")"
flags=(-std=c11 -D_GNU_SOURCE -g -O1 -Wall -Wextra -Werror -I.. -I. -fno-sanitize-recover=all)
mkdir -p "$dir"
clang "${flags[@]}" -fsanitize=fuzzer,address,undefined -o "$dir/codec" codec.c ../packet.c
wraps=$(printf -- '-Wl,--wrap=%s ' socket connect getsockopt send recv poll close pam_syslog)
# shellcheck disable=SC2086 # several options
clang "${flags[@]}" -fsanitize=fuzzer-no-link,address,undefined -shared -fPIC $wraps -o "$dir/pam_fuzz.so" \
	../module.c ../dialogue.c ../connect.c ../packet.c wrap.c -lpam
clang "${flags[@]}" -fsanitize=fuzzer,address,undefined -rdynamic -o "$dir/login" login.c ../packet.c -lpam -ldl
