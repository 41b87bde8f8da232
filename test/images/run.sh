#!/usr/bin/env bash
# Real images through real clients against the real binary: Debian images of
# several releases made with debootstrap and mmdebstrap, images of npm, Go, Java,
# Ruby and Python software, and one of planted cases with its good twin; pushed,
# listed, pulled and deleted with skopeo, buildah or podman, and crane; scanned
# by the server and by the command; and what is found compared with what the
# package managers, the OSV records and the planter say.
#
#   test/images/run.sh          needs root (debootstrap) and a Debian machine
#   IMAGES_CACHE=DIR            keeps the images between runs
#   IMAGES_ONLY=scan|server     only one of the two halves
#   BREAKWATER_SHARED=DIR       has OSV zips in osv/; without them a few findings
#                               that everybody knows stand in
#   BREAKWATER_CLAMD=ADDRESS    a clamd that the command asks, too
set -euo pipefail
cd "$(dirname "$0")/../.."
. test/lib.sh
need debootstrap=debootstrap mmdebstrap=mmdebstrap skopeo=skopeo buildah=buildah podman=podman curl=curl openssl=openssl \
	zip=zip unzip=unzip zstd=zstd mkpasswd=whois ssh-keygen=openssh-client
: "${BREAKWATER_BIN:=$PWD/bin/breakwater}"
work=${IMAGES_CACHE:-$(mktemp -d)}
mkdir -p "$work"
work=$(realpath "$work")
[ -n "${IMAGES_CACHE:-}" ] || trap 'rm -rf "$work"' EXIT
osv=${BREAKWATER_SHARED:-../shared}/osv

# build runs a builder unless what it makes is there, whole.
build() {
	local made=$1
	shift
	[ -e "$work/$made" ] || { "$@" && touch "$work/$made"; }
}
# in_scratch runs a builder with a directory to work in.
in_scratch() {
	local scratch status=0
	scratch=$(mktemp -d)
	node "$1" "$scratch" "$work" || status=$?
	rm -rf "$scratch"
	return "$status"
}

echo "-- building"
began=$SECONDS
build .releases test/images/releases.sh "$work" & releases=$!
build .debian test/images/debian.sh "$work" || { wait "$releases"; exit 1; }
wait "$releases"
build .npm test/images/npm.sh "$work/npm.tar"
build .go test/images/go.sh "$work/go.tar"
build .langs in_scratch test/images/langs.mjs
build .planted in_scratch test/images/planted.mjs
echo "built in $((SECONDS - began)) s"

# server pushes the images, has them scanned and compares.
server() {
	start_server
	trap 'status=$?; [ $status = 0 ] || tail -n 40 "$SERVER_DATA.log" >&2; stop_server; [ -n "${IMAGES_CACHE:-}" ] || rm -rf "$work"; exit $status' EXIT
	[ ! -d "$osv" ] || "$BREAKWATER_BIN" db update --data "$SERVER_DATA" --from "$osv" 2>"$work/update.log" || { cat "$work/update.log" >&2; exit 1; }
	echo "-- clients"
	test/images/clients.sh "$SERVER_ADDR" "$DOCKER_USER" "$DOCKER_PASSWORD" "$work"
	echo "-- findings"
	node test/images/check.mjs "http://$SERVER_ADDR" "$SERVER_DATA/credentials.json" "$work" "$osv"
}

# command_line scans every image that has a truth, without a server.
command_line() {
	local cache options=() truth name input
	node --test test/images/truth.test.mjs >"$work/truth.log" 2>&1 || { cat "$work/truth.log"; return 1; }
	cache=$work/cache
	[ ! -d "$osv" ] || options=(--feed-dir "$osv")
	"$BREAKWATER_BIN" base add debian:11.11 --data "$cache" --input "$work/debian11.tar" >/dev/null
	"$BREAKWATER_BIN" base add debian:11.12 --data "$cache" --input "$work/debian11-new.tar" >/dev/null
	for truth in "$work"/*.truth.json; do
		name=$(basename "$truth" .truth.json)
		input=$work/$name.tar
		[ -f "$input" ] || input=$work/$name
		"$BREAKWATER_BIN" scan --quiet --input "$input" --cache "$cache" --format json --output "$work/$name.result.json" \
			"${options[@]}" ${BREAKWATER_CLAMD:+--clamd "$BREAKWATER_CLAMD"}
		options=()
	done
	node test/images/truth.mjs "$work" --osv "$osv" ${BREAKWATER_CLAMD:+--clamd}
}

if [ "${IMAGES_ONLY:-}" != server ] && "$BREAKWATER_BIN" scan --help >/dev/null 2>&1; then
	echo "-- the command against the truth"
	command_line
fi
[ "${IMAGES_ONLY:-}" = scan ] || server
