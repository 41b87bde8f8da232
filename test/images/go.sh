#!/usr/bin/env bash
# Makes an OCI archive of an image whose one file is a Go binary, and go.truth:
# "module version" as `go version -m` says.
#   go.sh OUT.tar
set -euo pipefail
out=$1
: "${BREAKWATER_BIN:=$PWD/bin/breakwater}"
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root/usr/local/bin"
cp "$BREAKWATER_BIN" "$root/usr/local/bin/app"
go version -m "$BREAKWATER_BIN" | awk '$1 == "dep" && NF >= 3 {print $2, $3}' | sort -u >"${out%.tar}.truth"
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
c=$(buildah from scratch)
buildah add --quiet "$c" "$root" / >/dev/null
i=$(buildah commit --quiet --rm "$c")
rm -f "$out"
buildah push --quiet "$i" "oci-archive:$out"
buildah rmi --force "$i" >/dev/null 2>&1 || true
