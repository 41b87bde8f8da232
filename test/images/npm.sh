#!/usr/bin/env bash
# Makes an OCI archive of an application installed by npm, and npm.truth:
# "name version" of everything that npm says is installed.
#   npm.sh OUT.tar
set -euo pipefail
out=$1
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root/srv/app"
printf '{"name":"app","version":"1.0.0","private":true,"dependencies":{"lodash":"4.17.15","minimist":"1.2.0","jquery":"3.3.1","express":"4.17.1"}}' >"$root/srv/app/package.json"
(cd "$root/srv/app" && npm install --silent --ignore-scripts --no-audit --no-fund)
(cd "$root/srv/app" && npm ls --all --parseable --long 2>/dev/null | sed -nE 's#^[^:]*:(.+)@([^@:]+)(:.*)?$#\1 \2#p' | grep -v '^app ' | sort -u) >"${out%.tar}.truth"
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
c=$(buildah from scratch)
buildah add --quiet "$c" "$root" / >/dev/null
i=$(buildah commit --quiet --rm "$c")
rm -f "$out"
buildah push --quiet "$i" "oci-archive:$out"
buildah rmi --force "$i" >/dev/null 2>&1 || true
