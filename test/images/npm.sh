#!/usr/bin/env bash
# Makes an OCI archive of an application installed by npm, npm.truth.json (see
# truth.mjs), and npm.truth:
# "name version" of everything that npm says is installed in it.
#   npm.sh OUT.tar
set -euo pipefail
out=$1
. "$(dirname "$0")/storage.sh"
mkdir -p "$root/tree/srv/app"
cd "$root/tree/srv/app"
echo '{"name":"app","version":"1.0.0","private":true,"dependencies":{"lodash":"4.17.15","minimist":"1.2.0","jquery":"3.3.1","express":"4.17.1"}}' >package.json
npm install --silent --ignore-scripts --no-audit --no-fund
npm ls --silent --all --parseable --long | sed -nE 's#^[^:]*:(.+)@([^@:]+)(:.*)?$#\1 \2#p' | grep -v '^app ' | sort -u >npm.truth
cd - >/dev/null
node "$(dirname "$0")/managers.mjs" npm "$root/tree/srv/app" >"${out%.tar}.truth.json"
mv "$root/tree/srv/app/npm.truth" "${out%.tar}.truth"
image_of "$root/tree" "$out"
