# Makes $root, a directory that is gone when the script ends, and keeps what
# buildah and podman store below it: needs no daemon and no set-up of the
# machine, and leaves nothing behind. Source it.

# Every layer is a whole copy of the tree (vfs): two gigabytes of small files,
# which a machine with memory to spare keeps there.
in_memory() {
	awk '$1 == "MemAvailable:" { exit !($2 > 8 * 1024 * 1024) }' /proc/meminfo &&
		[ "$(df --output=avail /dev/shm | tail -n 1)" -gt $((8 * 1024 * 1024)) ] &&
		! grep -qE '^[^ ]+ /dev/shm [^ ]+ [^ ]*(noexec|nodev)' /proc/mounts
}
if in_memory 2>/dev/null; then root=$(mktemp -d -p /dev/shm); else root=$(mktemp -d); fi

leave() {
	awk -v under="$root/" 'index($2, under) == 1 { print $2 }' /proc/mounts | sort -r | xargs -r umount
	rm -rf "$root"
}
trap leave EXIT
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot

buildah() { command buildah --root "$root/storage" --runroot "$root/run" "$@"; }
podman() { command podman --root "$root/storage" --runroot "$root/run" "$@"; }

# image_of DIR OUT.tar writes an OCI archive of one layer that holds DIR.
image_of() {
	local c i
	c=$(buildah from scratch)
	buildah add --quiet "$c" "$1" / >/dev/null
	i=$(buildah commit --quiet --rm "$c")
	archive "$i" "$2"
}

# archive IMAGE OUT.tar [OPTION…] writes an OCI archive, whole or not at all.
archive() {
	local image=$1 out=$2
	shift 2
	rm -f "$out" "$out.part"
	buildah push --quiet "$@" "$image" "oci-archive:$out.part"
	mv "$out.part" "$out"
}

# mirror [security] prints the machine's own Debian mirror: the first of its apt
# sources, in either form, or the first that has security updates.
mirror() {
	{ cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null || true; } |
		sed -nE 's/^(deb|URIs:)[[:space:]]+(\[[^]]*\][[:space:]]+)?([a-z+]+:[^[:space:]]+).*/\3/p' |
		awk -v security="${1:-}" '/security/ == (security != "") { print; exit }'
}

# quietly shows what a command printed only when it failed.
quietly() { "$@" >"$root/log.$BASHPID" 2>&1 || { tail -n 30 "$root/log.$BASHPID" >&2; return 1; }; }
