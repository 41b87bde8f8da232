#!/usr/bin/env bash
# Runs every fuzz target for the given time each (default 30s), two at once, and
# says in the end whether one failed.
#   test/fuzz.sh [TIME] [PACKAGE…]
#
# Go before 1.27 now and then reports the end of -fuzztime itself as a failure of
# the target, "context deadline exceeded" and nothing else (go.dev/issue/75804).
# An input that really fails, panics or hangs is named and written to testdata.
# So that one message, alone, is no failure. An input that never ends is found
# only when TIME is over 10 s: with less, Go stops it and says nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
export FUZZTIME=${1:-30s}
shift || true
built=$(mktemp -d)
trap 'rm -rf "$built"' EXIT
CORPUS=$(go env GOCACHE)/fuzz
export CORPUS

# fuzz DIRECTORY BINARY TARGET
fuzz() {
	local out said
	if ! out=$(cd "$1" && "$2" -test.run '^$' -test.fuzz "^$3\$" -test.fuzztime "$FUZZTIME" -test.fuzzminimizetime 5x \
		-test.parallel 1 -test.fuzzcachedir "$CORPUS/breakwater/$1" 2>&1); then
		said=$(grep -vE '^(fuzz: elapsed: |FAIL$|--- FAIL: )' <<<"$out" || true)
		if [ "$said" != "    context deadline exceeded" ]; then
			printf 'FAIL %s %s\n%s\n' "$1" "$3" "$out"
			return 1
		fi
	fi
	printf 'ok   %s %s: %s\n' "$1" "$3" "$(sed -n 's/^fuzz: elapsed: [^,]*, //p' <<<"$out" | tail -n 1)"
}
export -f fuzz

# A package is built once, not once for each target, and what guides the fuzzer is
# put into our own code only: with -fuzz it would be put into every library, which
# takes minutes to build, and makes each try twenty times slower.
[ $# -gt 0 ] || set -- $(grep -rlE '^func Fuzz' --include='*_test.go' . | xargs -n 1 dirname | sort -u)
for dir; do
	binary=$built/$(tr -c 'a-z0-9\n' _ <<<"$dir").test
	go test -c -gcflags='breakwater/...=-d=libfuzzer' -o "$binary" "$dir"
	grep -hoE '^func Fuzz[A-Za-z0-9_]*' "$dir"/*_test.go | sed 's/^func //' | sort -u | while read -r target; do echo "$dir $binary $target"; done
done >"$built/targets"
xargs -P 2 -L 1 bash -c 'fuzz "$0" "$1" "$2"' <"$built/targets"
