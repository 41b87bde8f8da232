#!/usr/bin/env bash
# Makes an OCI archive of a Debian 12 image of ten layers: debootstrap, eight
# times apt-get, and a layer that takes things away again. Beside it stands
# debian.truth, "package version source source-version" of every package that
# is installed in the end, as dpkg-query says.
#   debian.sh OUT.tar
set -euo pipefail
out=$1
. "$(dirname "$0")/storage.sh"

# The mirror is the machine's own: the first of its apt sources, in either form.
mirror=$({ cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null || true; } |
	sed -nE 's/^(deb|URIs:)[[:space:]]+(\[[^]]*\][[:space:]]+)?([a-z+]+:[^[:space:]]+).*/\3/p' | head -n 1)

# quietly shows what a command printed only when it failed.
quietly() { "$@" >"$root/log" 2>&1 || { tail -n 30 "$root/log" >&2; return 1; }; }

# layer adds what a command changes to $image. What apt downloads lies outside.
layer() {
	local c
	c=$(buildah from --pull-never "$image")
	quietly buildah run -v "$root/lists:/var/lib/apt/lists" -v "$root/cache:/var/cache/apt" \
		--env DEBIAN_FRONTEND=noninteractive "$c" -- sh -euc "$1"
	image=$(buildah commit --quiet --rm "$c")
}

mkdir -p "$root/lists/partial" "$root/cache/archives/partial"
quietly debootstrap --variant=minbase --include=ca-certificates bookworm "$root/tree" "$mirror"
# Slim, as Debian's own container images are: no manuals, no translations.
rm -rf "$root/tree"/var/lib/apt/lists/* "$root/tree"/var/cache/apt/* "$root/tree"/usr/share/{doc,man,info,locale}/*
printf '%s\n' force-unsafe-io path-exclude=/usr/share/{doc,man,info,locale}/'*' >"$root/tree/etc/dpkg/dpkg.cfg.d/slim"
c=$(buildah from scratch)
buildah add --quiet "$c" "$root/tree" / >/dev/null
image=$(buildah commit --quiet --rm "$c")
rm -rf "$root/tree"

install='apt-get install -y --no-install-recommends'
layer "apt-get update; $install openssl"
for packages in curl perl git zlib1g-dev 'libxml2 libexpat1' 'busybox wget'; do
	layer "$install $packages"
done
# What the last layer removes: a package purged, one whose configuration stays,
# and an application that must not be found.
layer "$install sqlite3 nano logrotate
	mkdir -p /opt/gone/node_modules/minimist
	echo '{\"name\":\"minimist\",\"version\":\"1.2.0\"}' >/opt/gone/node_modules/minimist/package.json"
layer "apt-get purge -y nano; apt-get remove -y logrotate; rm -r /opt/gone"

c=$(buildah from --pull-never "$image")
buildah run "$c" -- dpkg-query -W -f '${db:Status-Status} ${Package} ${Version} ${source:Package} ${source:Version}\n' |
	sed -n 's/^installed //p' | sort -u >"${out%.tar}.truth"
archive "$image" "$out"
