#!/usr/bin/env bash
# Runs every fuzz target for the given time each (default 30s), two at once, and
# says in the end whether one failed.
#   test/fuzz.sh [TIME]
#
# Go before 1.27 now and then reports the end of -fuzztime itself as a failure of
# the target, "context deadline exceeded" and nothing else (go.dev/issue/75804).
# An input that really fails, panics or hangs is named and written to testdata.
# So that one message, alone, is no failure. An input that never ends is found
# only when TIME is over 10 s: with less, Go stops it and says nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
export FUZZTIME=${1:-30s}

# fuzz PACKAGE TARGET
fuzz() {
	local out said
	if ! out=$(go test -run '^$' -fuzz "^$2\$" -fuzztime "$FUZZTIME" -fuzzminimizetime 5x -parallel 1 "$1" 2>&1); then
		said=$(grep -vE '^(fuzz: elapsed: |FAIL|exit status 1$|--- FAIL: )' <<<"$out" || true)
		if [ "$said" != "    context deadline exceeded" ]; then
			printf 'FAIL %s %s\n%s\n' "$1" "$2" "$out"
			return 1
		fi
	fi
	printf 'ok   %s %s: %s\n' "$1" "$2" "$(grep -oE 'execs: [0-9]+' <<<"$out" | tail -n 1)"
}
export -f fuzz

grep -rlE '^func Fuzz' --include='*_test.go' . | while read -r file; do
	grep -hoE '^func Fuzz[A-Za-z0-9_]*' "$file" | sed 's/^func //' | while read -r target; do echo "$(dirname "$file") $target"; done
done | sort -u | xargs -P 2 -L 1 bash -c 'fuzz "$0" "$1"'
