#!/usr/bin/env bash
# The clients that people use, against a running registry without TLS on
# loopback: skopeo, crane, buildah and podman sign in, push, list, pull and
# delete the images of DIR, and what comes back is what was sent, by digest.
# Leaves images/debian:1, images/npm:1, images/go:1 and, of the same content,
# images/zstd:1, images/docker:1 (schema 2) and images/multi:1 (two platforms)
# behind, to be scanned.
#   clients.sh HOST:PORT USER PASSWORD DIR
set -euo pipefail
host=$1 user=$2 password=$3 dir=$(realpath "$4")
. "$(dirname "$0")/storage.sh"
export REGISTRY_AUTH_FILE="$root/auth.json"

# crane signs in apart from the others, which would read its file too. It says
# much on standard error; that is shown when it fails.
crane() { DOCKER_CONFIG="$root/docker" go tool crane "$@" 2>"$root/crane.log" || { cat "$root/crane.log" >&2; return 1; }; }
digest() { crane digest "$host/$1"; }
done_with() { echo "ok   $*"; }
same() { [ "$2" = "$3" ] || { echo "FAIL $1: $2 is not $3" >&2; exit 1; }; }
# refused holds that a command fails, for the reason that it prints.
refused() {
	local reason=$1 said
	shift
	if said=$("$@" 2>&1); then echo "FAIL accepted: $*" >&2; exit 1; fi
	grep -qiE "$reason" <<<"$said" || { echo "FAIL refused for another reason: $*: $said" >&2; exit 1; }
}
# holds wants a line in what a command prints.
holds() {
	local line=$1 said
	shift
	said=$("$@")
	grep -qxF "$line" <<<"$said" || { echo "FAIL no line $line in: $*: $said" >&2; exit 1; }
}
# login CLIENT… signs in with the password on standard input, as scripts do.
login() { printf '%s' "$password" | "$@" --username "$user" --password-stdin "$host" >/dev/null 2>"$root/log" || { cat "$root/log" >&2; return 1; }; }

with_skopeo() {
	local plain=--tls-verify=false to=(--quiet --dest-tls-verify=false) from=(--quiet --src-tls-verify=false) sent back
	refused 'unauthorized|authentication required' skopeo inspect $plain "docker://$host/images/npm:1"
	refused 'invalid username/password|unauthorized' skopeo login $plain -u "$user" -p "not$password" "$host"
	login skopeo login $plain
	for image in debian npm go; do
		skopeo copy "${to[@]}" "oci-archive:$dir/$image.tar" "docker://$host/images/$image:1"
		sent=$(skopeo inspect --format '{{.Digest}}' "oci-archive:$dir/$image.tar")
		same "$image pushed" "$(skopeo inspect $plain --format '{{.Digest}}' "docker://$host/images/$image:1")" "$sent"
		skopeo copy "${from[@]}" "docker://$host/images/$image:1" "oci:$root/back:$image"
		back=$(skopeo inspect --format '{{.Digest}}' "oci:$root/back:$image")
		same "$image pulled" "$back" "$sent"
	done
	rm -rf "$root/back"
	skopeo copy "${to[@]}" --dest-compress-format zstd "oci-archive:$dir/npm.tar" "docker://$host/images/zstd:1"
	skopeo copy "${to[@]}" --format v2s2 "oci-archive:$dir/npm.tar" "docker://$host/images/docker:1"
	# Another repository (its layers are mounted, not sent), another format, another tag.
	skopeo copy "${from[@]}" --dest-tls-verify=false "docker://$host/images/npm:1" "docker://$host/copies/by/skopeo:oci"
	skopeo copy "${from[@]}" --dest-tls-verify=false --format v2s2 "docker://$host/images/npm:1" "docker://$host/copies/by/skopeo:docker"
	holds '["docker","oci"]' bash -c "skopeo list-tags $plain docker://$host/copies/by/skopeo | node -p 'JSON.stringify(JSON.parse(fs.readFileSync(0)).Tags)'"
	skopeo delete $plain "docker://$host/copies/by/skopeo:docker"
	refused 'manifest unknown' skopeo inspect $plain "docker://$host/copies/by/skopeo:docker"
	skopeo inspect $plain "docker://$host/copies/by/skopeo:oci" >/dev/null
	skopeo delete $plain "docker://$host/copies/by/skopeo:oci"
	skopeo logout "$host" >/dev/null
	done_with skopeo: login, push, pull, copy, list-tags, delete
}

with_crane() {
	local npm multi
	refused 'unauthorized' crane digest "$host/images/npm:1"
	login crane auth login
	npm=$(digest images/npm:1)
	crane pull --format oci "$host/images/npm:1" "$root/layout"
	crane push "$root/layout" "$host/crane/npm:layout" >/dev/null
	crane pull "$host/images/npm:1" "$root/npm.tar"
	crane push "$root/npm.tar" "$host/crane/npm:tarball" >/dev/null
	crane tag "$host/crane/npm:layout" again >/dev/null
	crane mutate --label a=b --tag "$host/crane/npm:mutated" "$host/crane/npm:layout" >/dev/null
	for tag in layout tarball mutated; do crane validate --remote "$host/crane/npm:$tag" >/dev/null; done
	for tag in again layout mutated tarball; do holds $tag crane ls "$host/crane/npm"; done
	for repository in images/debian images/npm images/go crane/npm; do holds "$host/$repository" crane catalog --full-ref "$host"; done
	crane export "$host/crane/npm:mutated" - | tar -tf - >"$root/files"
	grep -q 'srv/app/node_modules/lodash/package.json' "$root/files"
	# A multi-arch image of the Go binary, for another processor and for this one.
	crane mutate --set-platform linux/arm64 --tag "$host/crane/go:arm64" "$host/images/go:1" >/dev/null
	crane mutate --set-platform linux/amd64 --tag "$host/crane/go:amd64" "$host/images/go:1" >/dev/null
	crane index append -m "$host/crane/go:amd64" -m "$host/crane/go:arm64" -t "$host/images/multi:1" >/dev/null
	multi=$(digest images/multi:1)
	same "one platform" "$(crane digest --platform linux/arm64 "$host/images/multi:1")" "$(digest crane/go:arm64)"
	crane copy "$host/images/multi:1" "$host/copies/multi:1" >/dev/null
	same "multi-arch copy" "$(digest copies/multi:1)" "$multi"
	crane delete "$host/copies/multi@$multi"
	refused 'MANIFEST_UNKNOWN' crane digest "$host/copies/multi:1"
	same "layout pushed" "$(digest crane/npm:layout)" "$npm"
	crane delete "$host/crane/npm:again"
	refused 'MANIFEST_UNKNOWN' crane manifest "$host/crane/npm:again"
	same "another tag of it" "$(digest crane/npm:layout)" "$npm"
	crane delete "$host/crane/npm@$npm"
	refused 'MANIFEST_UNKNOWN' crane manifest "$host/crane/npm:layout"
	done_with crane: auth login, push, pull, tag, mutate, index append, ls, catalog, copy, delete
}

# with_containers CLIENT pulls into a storage of its own, changes the image,
# pushes it and pulls the result.
with_containers() {
	local client=$1 plain=--tls-verify=false id reference
	refused 'invalid username/password|unauthorized' "$client" login $plain -u "$user" -p "not$password" "$host"
	login "$client" login $plain
	id=$("$client" pull --quiet $plain "$host/images/npm:1")
	"$client" tag "$host/images/npm:1" "$host/containers/$client:1"
	"$client" push --quiet $plain --digestfile "$root/pushed" "$host/containers/$client:1" >/dev/null
	same "$client pushed" "$(digest "containers/$client:1")" "$(cat "$root/pushed")"
	"$client" push --quiet $plain --format v2s2 "$host/containers/$client:1" "docker://$host/containers/$client:docker" >/dev/null
	for reference in "@$(cat "$root/pushed")" ":docker"; do
		"$client" rmi --all --force >/dev/null
		same "$client pulled" "$("$client" pull --quiet $plain "$host/containers/$client$reference")" "$id"
	done
	"$client" logout "$host" >/dev/null
	refused 'unauthorized|authentication required' "$client" pull --quiet $plain "$host/images/go:1"
	done_with "$client": login, pull, push, push as Docker schema 2, pull by digest
}

with_skopeo
with_crane
with_containers buildah
with_containers podman
login podman login --tls-verify=false
holds "$host/containers/buildah  docker" podman search --tls-verify=false --list-tags --format '{{.Name}}  {{.Tag}}' "$host/containers/buildah"
crane delete "$host/containers/podman:1"
refused 'manifest unknown' podman pull --quiet --tls-verify=false "$host/containers/podman:1"
done_with podman: list tags, pull of what is deleted
