#!/usr/bin/env bash
# Starts ClamAV's daemon for tests, with signatures of our own (there is no need
# for its database, which is large and comes over the network): EICAR and
# ClamAV's test file. Installs Debian's packages where they are missing. Prints
# the daemon's address, unix:PATH, as its last line, and leaves the daemon running.
#   address=$(test/clamd.sh start DIR | tail -n 1); export BREAKWATER_TEST_CLAMD=$address
#   test/clamd.sh stop DIR
set -euo pipefail
cd "$(dirname "$0")/.."
. test/lib.sh

start() {
	need clamd=clamav-daemon >&2
	[ -d /usr/share/clamav-testfiles ] || { need no-such-command=clamav-testfiles >&2; }
	mkdir -p "$dir/db" "$dir/tmp"
	dir=$(cd "$dir" && pwd)
	# Name:target:offset:hex. Written in parts, so that this script is no test file itself.
	local eicar='X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTI''VIRUS-TEST-FILE!$H+H*'
	printf 'Eicar-Test-Signature:0:0:%s\n' "$(printf '%s' "$eicar" | od -An -v -tx1 | tr -d ' \n')" >"$dir/db/breakwater.ndb"
	printf 'Clamav.Test.File-6:1:*:%s\n' "$(printf '[CLAM''AV]' | od -An -v -tx1 | tr -d ' \n')" >>"$dir/db/breakwater.ndb"
	local sample=/usr/share/clamav-testfiles/clam.exe
	printf '%s:%s:Clamav.Test.File-7\n' "$(sha256sum <"$sample" | cut -d' ' -f1)" "$(stat -c %s "$sample")" >"$dir/db/breakwater.hsb"
	cat >"$dir/clamd.conf" <<-END
		DatabaseDirectory $dir/db
		TemporaryDirectory $dir/tmp
		LocalSocket $dir/clamd.sock
		LocalSocketMode 600
		FixStaleSocket yes
		LogFile $dir/clamd.log
		PidFile $dir/clamd.pid
		Foreground yes
		StreamMaxLength 8M
		MaxThreads 4
		MaxConnectionQueueLength 30
		ReadTimeout 10
		DetectPUA no
		CrossFilesystems yes
		ExitOnOOM yes
	END
	setsid clamd --config-file="$dir/clamd.conf" >"$dir/clamd.out" 2>&1 </dev/null &
	local pid=$!
	echo "$pid" >"$dir/started.pid"
	for _ in $(seq 150); do
		if [ -S "$dir/clamd.sock" ] && [ "$(ping)" = PONG ]; then
			echo "unix:$dir/clamd.sock"
			return 0
		fi
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.2
	done
	cat "$dir/clamd.out" "$dir/clamd.log" >&2 || true
	return 1
}

# ping asks the daemon for a sign of life.
ping() {
	perl -MIO::Socket::UNIX -e '
		my $s = IO::Socket::UNIX->new(Peer => shift) or exit 1;
		print $s "zPING\0"; $s->flush; local $/ = "\0"; my $a = <$s>; chomp $a; print $a' "$dir/clamd.sock" 2>/dev/null || true
}

stop() {
	[ -f "$dir/started.pid" ] || return 0
	kill "$(cat "$dir/started.pid")" 2>/dev/null || true
	rm -f "$dir/started.pid"
}

dir=${2:?usage: test/clamd.sh start|stop DIR}
case ${1:-} in
start) start ;;
stop) stop ;;
*) echo "usage: test/clamd.sh start|stop DIR" >&2; exit 2 ;;
esac
