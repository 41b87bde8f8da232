#!/usr/bin/env bash
# Makes small images of other Debian releases, and one that is built on another:
#
#   debian11       docker archive: Debian 11 as it was released last
#   debian11-new   OCI archive: the same with its security updates, as a newer tag
#   derived        OCI archive on the very layer of debian11, and two of its own
#   derived-docker the same as a docker archive
#   debian13       OCI layout directory, zstd
#
#   releases.sh DIR
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=$(realpath "$1")
. "$here/storage.sh"
export TMPDIR=$root
mirror=$(mirror) security=$(mirror security)

# release SUITE VARIANT DIR SOURCE… makes a tree without manuals and translations.
release() {
	local suite=$1 variant=$2 dir=$3 opts=(--dpkgopt=force-unsafe-io --skip=cleanup/apt/lists) path
	shift 3
	for path in doc man info locale; do opts+=("--dpkgopt=path-exclude=/usr/share/$path/*"); done
	opts+=('--dpkgopt=path-include=/usr/share/doc/*/copyright' --aptopt='Acquire::Languages "none"')
	quietly mmdebstrap --quiet --mode=root --variant="$variant" "${opts[@]}" "$suite" "$dir" "$@"
}

# apt DIR ARGUMENT… runs apt-get in a tree.
apt() {
	local dir=$1
	shift
	quietly chroot "$dir" env DEBIAN_FRONTEND=noninteractive apt-get -y "$@"
}
clean() { rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*.bin "$1"/var/cache/apt/archives/*.deb "$1"/var/log/apt "$1"/tmp/*; }
image() { tar -C "$1" --one-file-system --numeric-owner --sort=name -cf "$2" .; }

release trixie essential "$root/trixie" "deb $mirror trixie main" &
trixie=$!
release bullseye apt "$root/old" "deb $mirror bullseye main"
wait "$trixie"

cp -a "$root/old" "$root/new"
echo "deb $security bullseye-security main" >>"$root/new/etc/apt/sources.list"
apt "$root/new" update
apt "$root/new" upgrade
clean "$root/new"

# What apt-get changes in a copy of the base is the layer of the derived image.
cp -a "$root/old" "$root/derived"
sleep 0.05
touch "$root/stamp"
apt "$root/derived" --no-install-recommends install curl libxml2
clean "$root/derived"
(cd "$root/derived" && find . -cnewer "$root/stamp" ! -type d -print0 | sort -z |
	tar --null --no-recursion --numeric-owner -T - -cf "$root/derived.tar")
mkdir -p "$root/app/srv/app"
(cd "$root/app/srv/app" && echo '{"name":"app","version":"1.0.0","private":true,"dependencies":{"lodash":"4.17.15"}}' >package.json &&
	npm install --silent --ignore-scripts --no-audit --no-fund)

clean "$root/trixie"
clean "$root/old"
for tree in trixie old new; do image "$root/$tree" "$root/$tree.tar"; done
node "$here/releases.mjs" "$root" "$out"
