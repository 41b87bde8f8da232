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

# archive IMAGE OUT.tar writes an OCI archive, whole or not at all.
archive() {
	rm -f "$2" "$2.part"
	buildah push --quiet "$1" "oci-archive:$2.part"
	mv "$2.part" "$2"
}
