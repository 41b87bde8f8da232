#!/usr/bin/env bash
# Makes an OCI archive of an image whose one file is a Go binary, go.truth.json
# (see truth.mjs), and go.truth:
# "module version" as `go version -m` says, without the v of versions, and the
# toolchain as "stdlib".
#   go.sh OUT.tar
set -euo pipefail
out=$1
: "${BREAKWATER_BIN:=$PWD/bin/breakwater}"
. "$(dirname "$0")/storage.sh"
mkdir -p "$root/tree/usr/local/bin"
cp "$BREAKWATER_BIN" "$root/tree/usr/local/bin/app"
go version -m "$BREAKWATER_BIN" | awk '
	NR == 1 { sub(/^go/, "", $NF); print "stdlib", $NF }
	$1 == "mod" || $1 == "dep" { sub(/^v/, "", $3); print $2, $3 }' | sort -u >"${out%.tar}.truth"
node "$(dirname "$0")/managers.mjs" go "${out%.tar}.truth" >"${out%.tar}.truth.json"
image_of "$root/tree" "$out"
