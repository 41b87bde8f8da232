#!/usr/bin/env bash
# Makes an OCI archive of a Debian image with ten layers, and beside it
# debian.truth: "source version" of every installed package, as dpkg-query says.
#   debian.sh OUT.tar
set -euo pipefail
out=$1
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
# The mirror is the machine's own: the first one of its apt sources.
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | grep -oE '(https?|file|mirror\+[a-z]+):[^ ]+' | head -n 1)
debootstrap --variant=minbase --include=ca-certificates bookworm "$root/0" "$mirror" >"$root/log" 2>&1 || { tail -n 20 "$root/log"; exit 1; }
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
c=$(buildah from scratch)
clean() { rm -rf "$1/var/cache/apt/archives"/*.deb "$1/var/lib/apt/lists"/* "$1/var/log"/*.log; }
clean "$root/0"
buildah add --quiet "$c" "$root/0" / >/dev/null
i=$(buildah commit --quiet --rm "$c")
n=1
for package in openssl curl git perl zlib1g-dev libxml2 busybox wget sqlite3; do
	# Each package is installed on a copy of the tree before it; what changed is the layer.
	mkdir "$root/$n"
	cp -a "$root/$((n - 1))/." "$root/$n/"
	cp /etc/resolv.conf "$root/$n/etc/resolv.conf" 2>/dev/null || true
	cp -aL /etc/apt/sources.list* "$root/$n/etc/apt/" 2>/dev/null || true
	[ -d /etc/apt/apt.conf.d ] && cp -a /etc/apt/apt.conf.d/. "$root/$n/etc/apt/apt.conf.d/"
	{ chroot "$root/$n" apt-get update -qq && DEBIAN_FRONTEND=noninteractive chroot "$root/$n" apt-get install -y -qq --no-install-recommends "$package"; } >"$root/log" 2>&1 ||
		{ tail -n 20 "$root/log"; exit 1; }
	clean "$root/$n"
	(cd "$root/$n" && find . -xdev \( -newer "$root/$((n - 1))/.stamp" -o -cnewer "$root/stamp$((n - 1))" \) 2>/dev/null) >/dev/null || true
	rsync_list=$(mktemp -p "$root")
	(cd "$root/$n" && find . -xdev ! -type d -print0) | while IFS= read -r -d '' f; do
		cmp -s "$root/$n/$f" "$root/$((n - 1))/$f" 2>/dev/null || printf '%s\0' "$f"
	done >"$rsync_list"
	tar -C "$root/$n" --null -T "$rsync_list" -cf "$root/$n.tar"
	c=$(buildah from --pull-never "$i")
	buildah add --quiet "$c" "$root/$n.tar" / >/dev/null
	i=$(buildah commit --quiet --rm "$c")
	[ "$n" = 1 ] || rm -rf "$root/$((n - 1))"
	n=$((n + 1))
done
chroot "$root/$((n - 1))" dpkg-query -W -f '${source:Package} ${source:Version}\n' | sort -u >"${out%.tar}.truth"
rm -f "$out"
buildah push --quiet "$i" "oci-archive:$out"
buildah rmi --all --force >/dev/null 2>&1 || true
