#!/usr/bin/env bash
# Real images through real clients against the real binary: a Debian image of
# ten layers made with debootstrap, an npm image and a Go image; pushed, listed,
# pulled and deleted with skopeo, buildah or podman, and crane; scanned; and what
# is found compared with what the package managers and the OSV records say.
#
#   test/images/run.sh          needs root (debootstrap) and a Debian machine
#   IMAGES_CACHE=DIR            keeps the images between runs
#   BREAKWATER_SHARED=DIR       has OSV zips in osv/; without them a few findings
#                               that everybody knows stand in
set -euo pipefail
cd "$(dirname "$0")/../.."
. test/lib.sh
need debootstrap=debootstrap skopeo=skopeo buildah=buildah podman=podman curl=curl openssl=openssl
: "${BREAKWATER_BIN:=$PWD/bin/breakwater}"
work=${IMAGES_CACHE:-$(mktemp -d)}
mkdir -p "$work"
[ -n "${IMAGES_CACHE:-}" ] || trap 'rm -rf "$work"' EXIT

echo "-- building"
[ -f "$work/debian.tar" ] || test/images/debian.sh "$work/debian.tar"
[ -f "$work/npm.tar" ] || test/images/npm.sh "$work/npm.tar"
[ -f "$work/go.tar" ] || test/images/go.sh "$work/go.tar"

start_server
trap 'status=$?; [ $status = 0 ] || tail -n 40 "$SERVER_DATA.log" >&2; stop_server; [ -n "${IMAGES_CACHE:-}" ] || rm -rf "$work"; exit $status' EXIT
osv=${BREAKWATER_SHARED:-../shared}/osv
[ ! -d "$osv" ] || "$BREAKWATER_BIN" db update --data "$SERVER_DATA" --from "$osv" 2>"$work/update.log" || { cat "$work/update.log" >&2; exit 1; }

echo "-- clients"
test/images/clients.sh "$SERVER_ADDR" "$DOCKER_USER" "$DOCKER_PASSWORD" "$work"

echo "-- findings"
node test/images/check.mjs "http://$SERVER_ADDR" "$SERVER_DATA/credentials.json" "$work" "$osv"
