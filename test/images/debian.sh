#!/usr/bin/env bash
# Makes three images that share their lower layers, out of one storage:
#
#   debian.tar     OCI archive, gzip: a Debian 12 of ten layers: debootstrap,
#                  eight times apt-get, and a layer that takes things away again
#   debian12.tar   OCI archive, zstd: eight layers more: upgrades, modules, gems
#                  and jars that dpkg installed, the same kinds of thing that
#                  pip, gem and npm installed, and lock files that are gone
#   tools          OCI layout: debian's first layer and one of apt-get install
#                  nmap tcpdump gcc, for planted.mjs to build on
#
# Beside each stands NAME.truth.json, written by debian.mjs from what the
# package managers say in the tree of the last layer; beside debian also
# debian.truth, "package version source source-version", for check.mjs.
#   debian.sh DIR
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=$(realpath "$1")
. "$here/storage.sh"
mirror=$(mirror) security=$(mirror security)
install='apt-get install -y --no-install-recommends'

# layer adds what a command changes to $image; what apt downloads lies outside.
# What dpkg lists after it is kept: from that follows which layer brought what.
layers=0
layer() {
	local c
	c=$(buildah from --pull-never "$image")
	quietly buildah run -v "$root/lists:/var/lib/apt/lists" -v "$root/cache:/var/cache/apt" -v "$root/in:/in:ro" \
		--env DEBIAN_FRONTEND=noninteractive "$c" -- sh -euc "$1"
	note "$(buildah mount "$c")"
	image=$(buildah commit --quiet --rm "$c" "${2:-step$layers}")
}
note() {
	layers=$((layers + 1))
	dpkg-query --admindir="$1/var/lib/dpkg" -W -f '${db:Status-Status} ${Package} ${Version}\n' >"$root/dpkg-$layers"
}

# truth NAME writes the ground truth of $image.
truth() {
	local c
	c=$(buildah from --pull-never "$image")
	node "$here/debian.mjs" "$1" "$(buildah mount "$c")" "$root" "$layers" "$out/$1.truth.json"
	buildah rm "$c" >/dev/null
}

mkdir -p "$root/lists/partial" "$root/cache/archives/partial" "$root/in"
quietly debootstrap --variant=minbase --include=ca-certificates bookworm "$root/tree" "$mirror"
# Slim, as Debian's own container images are: no manuals, no translations.
find "$root/tree/usr/share/doc" -type f ! -name copyright -delete
rm -rf "$root/tree"/var/lib/apt/lists/* "$root/tree"/var/cache/apt/* "$root/tree"/usr/share/{man,info,locale}/*
printf '%s\n' force-unsafe-io path-exclude=/usr/share/{doc,man,info,locale}/'*' 'path-include=/usr/share/doc/*/copyright' >"$root/tree/etc/dpkg/dpkg.cfg.d/slim"
note "$root/tree"
c=$(buildah from scratch)
buildah add --quiet "$c" "$root/tree" / >/dev/null
image=$(buildah commit --quiet --rm "$c" base)
rm -rf "$root/tree"

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
	sed -n 's/^installed //p' | sort -u >"$out/debian.truth"
buildah rm "$c" >/dev/null
truth debian
archive "$image" "$out/debian.tar"

# What pip, gem and npm install below, made by them.
node "$here/outside.mjs" "$root/in"
layer "$install python3 python3-requests python3-jinja2 python3-yaml python3-venv"
layer "$install ruby ruby-rack ruby-mustermann"
layer "$install libcommons-text-java liblog4j2-java libjackson2-databind-java node-minimist"
layer "python3 -m venv /opt/venv; cp -r /in/web /opt/web"
layer "cd /tmp; cp -r /in/gem gem; cd gem; gem build -q breakwater-sample.gemspec
	gem install --local --no-document rack-*.gem; cd /; rm -r /tmp/gem"
layer "mkdir -p /srv; cp -r /in/locks /srv/locks; cp -r /opt/web /srv/copy"
layer "rm -r /srv/locks /srv/copy; apt-get purge -y git"
[ -z "$security" ] || security="echo deb $security bookworm-security main >/etc/apt/sources.list.d/security.list"
layer "$security
	apt-get update; apt-get upgrade -y"
truth debian12
archive "$image" "$out/debian12.tar" --compression-format zstd

image=base layers=1
layer "$install nmap tcpdump gcc"
truth tools
rm -rf "$out/tools"
buildah push --quiet "$image" "oci:$out/tools"
