# Shell functions of .ci/run and the scripts under test/. Source from the root
# of the checkout.

# need installs Debian packages whose commands are missing: need command=package …
need() {
	local missing=() pair
	for pair in "$@"; do command -v "${pair%%=*}" >/dev/null 2>&1 || missing+=("${pair##*=}"); done
	[ ${#missing[@]} -eq 0 ] && return 0
	echo "installing ${missing[*]}"
	$(sudo_if) apt-get update -qq
	DEBIAN_FRONTEND=noninteractive $(sudo_if) apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

sudo_if() { [ "$(id -u)" = 0 ] || echo sudo; }

# as_postgres runs a command as the database's owner.
as_postgres() { if [ "$(id -u)" = 0 ]; then (cd / && runuser -u postgres -- "$@"); else sudo -u postgres "$@"; fi; }

# postgres_dsn makes sure that a PostgreSQL answers on loopback, with a
# database of ours in it, and exports BREAKWATER_TEST_POSTGRES.
postgres_dsn() {
	if [ -n "${BREAKWATER_TEST_POSTGRES:-}" ]; then return 0; fi
	need psql=postgresql pg_ctlcluster=postgresql-common
	if ! pg_isready -q -h 127.0.0.1; then
		local cluster
		cluster=$(ls /etc/postgresql | sort -n | tail -n 1)
		$(sudo_if) pg_ctlcluster --skip-systemctl-redirect "$cluster" main start || true
		for _ in $(seq 50); do pg_isready -q -h 127.0.0.1 && break; sleep 0.2; done
	fi
	as_postgres psql -qAt -c "SELECT 1 FROM pg_roles WHERE rolname = 'breakwater_ci'" | grep -q 1 ||
		as_postgres psql -q -c "CREATE ROLE breakwater_ci LOGIN PASSWORD 'breakwater_ci' CREATEDB"
	as_postgres psql -qAt -c "SELECT 1 FROM pg_database WHERE datname = 'breakwater_ci'" | grep -q 1 ||
		as_postgres createdb -O breakwater_ci breakwater_ci
	export BREAKWATER_TEST_POSTGRES="postgres://breakwater_ci:breakwater_ci@127.0.0.1:5432/breakwater_ci?sslmode=disable"
}

# free_port prints a free port of loopback.
free_port() { node -e 'const s=require("net").createServer();s.listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})'; }

# start_server starts $BREAKWATER_BIN on a fresh data directory. Sets SERVER_DATA,
# SERVER_ADDR, SERVER_PID and the fields of credentials.json as CRED_….
start_server() {
	SERVER_DATA=$(mktemp -d)
	SERVER_ADDR=127.0.0.1:$(free_port)
	"$BREAKWATER_BIN" serve --data "$SERVER_DATA" --listen "$SERVER_ADDR" --allow-networks 127.0.0.0/8 --feed-every 0 "$@" \
		>"$SERVER_DATA.log" 2>&1 &
	SERVER_PID=$!
	for _ in $(seq 150); do
		curl -fsS -o /dev/null "http://$SERVER_ADDR/readyz" 2>/dev/null && break
		kill -0 "$SERVER_PID" 2>/dev/null || { cat "$SERVER_DATA.log" >&2; return 1; }
		sleep 0.2
	done
	CRED_AK=$(cred access_key) CRED_SK=$(cred secret_key) CRED_PROJECT=$(cred project_name) CRED_PROJECT_ID=$(cred project_id)
	CRED_USER=$(cred user) CRED_PASSWORD=$(cred password)
	DOCKER_USER="$CRED_PROJECT@$CRED_AK"
	DOCKER_PASSWORD=$(printf '%s' "$CRED_AK" | openssl dgst -sha256 -hmac "$CRED_SK" | sed 's/.*= *//')
}

cred() { node -p 'JSON.parse(require("fs").readFileSync(process.argv[1]))[process.argv[2]]' "$SERVER_DATA/credentials.json" "$1"; }

stop_server() {
	kill "$SERVER_PID" 2>/dev/null || true
	wait "$SERVER_PID" 2>/dev/null || true
	rm -rf "$SERVER_DATA" "$SERVER_DATA.log"
}

# with_server runs a command with HOST:PORT, docker user and docker password of
# a fresh server, and ends the server whatever happens.
with_server() {
	start_server
	local status=0
	"$@" "$SERVER_ADDR" "$DOCKER_USER" "$DOCKER_PASSWORD" || status=$?
	[ "$status" = 0 ] || tail -n 30 "$SERVER_DATA.log" >&2
	stop_server
	return "$status"
}
