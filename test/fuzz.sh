#!/usr/bin/env bash
# Runs every fuzz target for the given time each (default 30s), two at once.
#   test/fuzz.sh [TIME]
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-30s}
grep -rlE '^func Fuzz' --include='*_test.go' . | while read -r file; do
	grep -hoE '^func Fuzz[A-Za-z0-9_]*' "$file" | sed 's/^func //' | while read -r target; do echo "$(dirname "$file") $target"; done
done | sort -u | xargs -P 2 -L 1 bash -c '
	out=$(go test -run "^$" -fuzz "^$2\$" -fuzztime "$0" -fuzzminimizetime 5x -parallel 1 "$1" 2>&1) || { echo "FAIL $1 $2"; echo "$out"; exit 255; }
	printf "ok   %s %s: %s\n" "$1" "$2" "$(echo "$out" | grep -oE "execs: [0-9]+" | tail -n 1)"' "$time"
