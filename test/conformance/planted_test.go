package conformance

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// random is text that nobody else has, made anew for every run. It has no vowels,
// and so no words, which a search for credentials would take for an example.
func random(t *testing.T, n int) string {
	t.Helper()
	const letters = "BCDFGHJKLMNPQRSTVWXZbcdfghjkmnpqrstvwxz23456789"
	b := make([]byte, n)
	for i := range b {
		k, err := rand.Int(rand.Reader, big.NewInt(int64(len(letters))))
		if err != nil {
			t.Fatal(err)
		}
		b[i] = letters[k.Int64()]
	}
	return string(b)
}

// privateKey is a new key, and a line of it that must be seen nowhere.
func privateKey(t *testing.T) (text, line string) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text = string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	return text, strings.Split(text, "\n")[1]
}

// eicar is the test file of the antivirus makers. It stands nowhere in one piece.
func eicar() string {
	return strings.Join([]string{"X5O!P%@AP[4", "\\", "PZX54(P^)7CC)7}$", "EICAR-STANDARD", "-ANTIVIRUS-", "TEST-FILE!$", "H+H*"}, "")
}

// Hashes by mkpasswd of whois 5.5: of 123456, of password, and of a random text
// that nobody has kept.
const (
	yescryptWeak   = "$y$j9T$n3BTECoWW4vfPIu0wyWMZ1$/YIhbsccucldzml8bO5/qfGHop.Z0QdTzOVODIgEJCB"
	sha512Weak     = "$6$O85uyDMxIw9svdkI$SNDW.oC0CnTNKR3wU4/oSKeRsZzWzBaWYSf/Lh81Vy6zqKpmCVENx7IjvbGOXJWftUFisd04jcoMPhK6.rcQo/"
	yescryptStrong = "$y$j9T$6fsd6xsP2ar3zMGN8DHx10$V9X4m9.EWNJChWB0ijIpvdE1nJ6X5saThFIP0NbWHC."
	sha512Strong   = "$6$CRgoSfTgrr/3EaIW$yCWfDHM1RcCqNpxvzBattHFZjaxPuQlt1cZNokDgn7yUKjr7QxqJDJw5IS/TeVXZursGBQ.qe3WxS4WFNdAK5/"
)

// release is of a distribution whose support ends on 2028-06-30; from 90 days
// before that the compliance rules would speak of it, and it must be a newer one.
const release = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\nVERSION=\"12 (bookworm)\"\nVERSION_CODENAME=bookworm\nID=debian\n"

// The package databases. bsdutils has an epoch that its source has not, so that
// whoever compares binary versions finds nothing.
var (
	oldDebs = []deb{
		{"base-files", "12.4+deb12u5", ""}, {"bsdutils", "1:2.38.1-5+b1", "util-linux (2.38.1-5)"}, {"bzip2", "1.0.6-9", ""},
		{"libbz2-1.0", "1.0.6-9", "bzip2"}, {"libexpat1", "2.5.0-1", "expat"}, {"zlib1g", "1:1.2.13.dfsg-1", "zlib"},
	}
	newDebs = []deb{
		{"base-files", "12.4+deb12u9", ""}, {"bsdutils", "1:2.38.1-5+b1", "util-linux (2.38.1-5)"}, {"bzip2", "1.0.8-5+b1", "bzip2 (1.0.8-5)"},
		{"libbz2-1.0", "1.0.8-5+b1", "bzip2 (1.0.8-5)"}, {"libexpat1", "2.5.0-1+deb12u1", "expat"}, {"zlib1g", "1:1.2.13.dfsg-1", "zlib"},
	}
	cleanDebs = []deb{
		{"base-files", "12.4+deb12u9", ""}, {"bsdutils", "1:2.38.1-5+deb12u1", "util-linux (2.38.1-5+deb12u1)"}, {"bzip2", "1.0.8-5+b1", "bzip2 (1.0.8-5)"},
		{"libbz2-1.0", "1.0.8-5+b1", "bzip2 (1.0.8-5)"}, {"libexpat1", "2.5.0-1+deb12u1", "expat"}, {"zlib1g", "1:1.2.13.dfsg-1", "zlib"},
	}
	tools = []deb{{"nmap", "7.93+dfsg1-1", ""}, {"tcpdump", "4.99.3-1", ""}}
)

// baseSteps are the layers of a base image with these packages.
func baseSteps(debs []deb) []step {
	first := []file{
		{path: "etc/os-release", text: release}, status(debs...),
		{path: "etc/passwd", text: "root:x:0:0:root:/root:/bin/bash\n"},
		{path: "etc/shadow", text: "root:*:19700:0:365:7:::\n", mode: 0o640, gid: 42},
		{path: "etc/group", text: "root:x:0:\nshadow:x:42:\n"},
	}
	for _, d := range debs {
		first = append(first, file{path: "usr/share/doc/" + d.name + "/copyright",
			text: "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\nCopyright: somebody\nLicense: MIT\n"})
	}
	return []step{
		{by: "/bin/sh -c #(nop) ADD file:7e3f1b0c9a52d846 in / ", files: first},
		{by: "RUN /bin/sh -c mkdir -p /srv # buildkit", files: []file{{path: "srv/README", text: "Put programs here.\n"}}},
	}
}

// planted is the image with cases for every check, and what they are.
type planted struct {
	steps  []step
	config v1.Config
	values map[string]string // credentials by where they lie
}

// plant adds to the steps of a base what no image should have.
func plant(t *testing.T, base []step) planted {
	t.Helper()
	key, keyLine := privateKey(t)
	oldKey, oldLine := privateKey(t)
	p := planted{values: map[string]string{
		"/srv/app/.env": "gh" + "p_" + random(t, 36), "env:DB_PASSWORD": random(t, 9) + "-" + random(t, 9), "history": "gh" + "p_" + random(t, 36),
		"/home/deploy/.ssh/id_ed25519": keyLine, "/srv/app/old.key": oldLine,
		"hash of alice": yescryptWeak, "hash of bob": sha512Weak, "hash of carol": yescryptStrong, "hash of dave": sha512Strong,
	}}
	for where, value := range p.values {
		mustNotLeak(where, value)
	}
	p.steps = append(append([]step{}, base...), bake(t,
		step{by: "RUN /bin/sh -c apt-get update && apt-get install -y --no-install-recommends nmap=7.93+dfsg1-1 tcpdump=4.99.3-1 && rm -rf /var/lib/apt/lists/* # buildkit",
			files: []file{status(append(append([]deb{}, oldDebs...), tools...)...)}},
		step{by: "COPY app /srv/app # buildkit", files: []file{
			{path: "srv/app/package-lock.json", text: npmLock("4.17.15", "1.2.0")},
			{path: "srv/app/.env", text: "PORT=8080\nGITHUB_TOKEN=" + p.values["/srv/app/.env"] + "\n"},
			{path: "srv/app/old.key", text: oldKey, mode: 0o600},
			{path: "home/deploy/.ssh/id_ed25519", text: key, mode: 0o600},
			{path: "srv/samples/plain.com", text: eicar()},
			{path: "srv/samples/bundle.zip", text: zipped(t, file{path: "readme.txt", text: "Nothing to see.\n"}, file{path: "inner/sample.com", text: eicar()})},
			{path: "srv/samples/deleted.com", text: eicar()},
		}},
		step{by: "COPY etc /etc # buildkit", files: []file{
			{path: "etc/ssh/sshd_config", text: "Port 22\nPermitRootLogin yes\nPermitEmptyPasswords yes\nPasswordAuthentication yes\nX11Forwarding yes\nMaxAuthTries 10\n"},
			{path: "etc/login.defs", text: "PASS_MAX_DAYS 99999\nPASS_MIN_DAYS 0\nPASS_WARN_AGE 3\nUMASK 022\nENCRYPT_METHOD MD5\n"},
			{path: "etc/pam.d/common-auth", text: "auth [success=1 default=ignore] pam_unix.so nullok\nauth requisite pam_deny.so\nauth required pam_permit.so\n"},
			{path: "etc/pam.d/common-password", text: "password [success=1 default=ignore] pam_unix.so md5\npassword requisite pam_deny.so\n"},
			{path: "etc/passwd", text: "root:x:0:0:root:/root:/bin/bash\nalice:x:1001:1001::/home/alice:/bin/bash\nbob:x:1002:1002::/home/bob:/bin/bash\ncarol:x:1003:1003::/home/carol:/bin/bash\ndave:x:1004:1004::/home/dave:/bin/bash\n"},
			{path: "etc/shadow", mode: 0o640, gid: 42, text: "root:*:19700:0:365:7:::\nalice:" + yescryptWeak + ":19700:0:365:7:::\nbob:" + sha512Weak + ":19700:0:365:7:::\ncarol:" + yescryptStrong + ":19700:0:365:7:::\ndave:" + sha512Strong + ":19700:0:365:7:::\n"},
			{path: "etc/group", text: "root:x:0:\nshadow:x:42:\nalice:x:1001:\nbob:x:1002:\ncarol:x:1003:\ndave:x:1004:\n"},
		}},
		step{by: "RUN /bin/sh -c rm /srv/samples/deleted.com /srv/app/old.key # buildkit", files: []file{
			{path: "srv/samples/deleted.com", gone: true}, {path: "srv/app/old.key", gone: true}}},
		step{by: "RUN /bin/sh -c curl -fsSL https://get.example.com/install.sh | sh # buildkit"},
		step{by: "RUN /bin/sh -c chmod -R 777 /srv/app # buildkit"},
		step{by: "ADD http://downloads.example.com/tool.bin /opt/tool # buildkit"},
		step{by: "ENV DB_PASSWORD=" + p.values["env:DB_PASSWORD"]},
		step{by: "ARG API_TOKEN=" + p.values["history"]},
		step{by: "CMD [\"/srv/app/run\"]"},
	)...)
	p.config = v1.Config{Env: []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "DB_PASSWORD=" + p.values["env:DB_PASSWORD"]}, Cmd: []string{"/srv/app/run"}}
	return p
}

// npmLock is a lock file of two packages: lodash and minimist.
func npmLock(lodash, minimist string) string {
	return `{"name":"app","version":"1.0.0","lockfileVersion":3,"packages":{
"":{"name":"app","version":"1.0.0","dependencies":{"lodash":"` + lodash + `","minimist":"` + minimist + `"}},
"node_modules/lodash":{"version":"` + lodash + `","resolved":"https://registry.example.invalid/lodash.tgz"},
"node_modules/minimist":{"version":"` + minimist + `","resolved":"https://registry.example.invalid/minimist.tgz"}}}`
}

// cleanSteps add to the steps of a base the same kinds of file, each as it should be.
func cleanSteps(t *testing.T, base []step) ([]step, v1.Config) {
	t.Helper()
	steps := append(append([]step{}, base...), bake(t,
		step{by: "COPY rootfs / # buildkit", files: []file{
			status(cleanDebs...),
			{path: "srv/app/package-lock.json", text: npmLock("4.17.21", "1.2.8")},
			{path: "srv/app/.env", text: "PORT=8080\nGITHUB_TOKEN=${TOKEN}\n"},
			{path: "srv/samples/plain.com", text: "Nothing to see.\n"},
			{path: "srv/samples/bundle.zip", text: zipped(t, file{path: "readme.txt", text: "Nothing to see.\n"})},
			{path: "etc/ssh/sshd_config", text: sshd},
			{path: "etc/login.defs", text: "PASS_MAX_DAYS 365\nPASS_MIN_DAYS 1\nPASS_WARN_AGE 7\nUMASK 027\nLOGIN_RETRIES 3\nENCRYPT_METHOD YESCRYPT\n"},
			{path: "etc/pam.d/common-auth", text: "auth required pam_faillock.so preauth silent deny=5 unlock_time=900\nauth [success=2 default=ignore] pam_unix.so\nauth [default=die] pam_faillock.so authfail deny=5 unlock_time=900\nauth requisite pam_deny.so\nauth required pam_permit.so\n"},
			{path: "etc/pam.d/common-password", text: "password requisite pam_pwquality.so retry=3 minlen=14 dcredit=-1 ucredit=-1 lcredit=-1 ocredit=-1\npassword requisite pam_pwhistory.so remember=24 use_authtok\npassword [success=1 default=ignore] pam_unix.so obscure use_authtok yescrypt\npassword requisite pam_deny.so\npassword required pam_permit.so\n"},
			{path: "etc/passwd", text: "root:x:0:0:root:/root:/bin/bash\napp:x:10001:10001::/home/app:/usr/sbin/nologin\n"},
			{path: "etc/shadow", mode: 0o640, gid: 42, text: "root:*:19700:0:365:7:::\napp:!:19700:1:365:7:::\n"},
			{path: "etc/group", text: "root:x:0:\nshadow:x:42:\napp:x:10001:\n"},
		}},
		step{by: "WORKDIR /srv/app"}, step{by: "USER 10001:10001"},
		step{by: "HEALTHCHECK &{[\"CMD\" \"/srv/app/run\" \"health\"] \"30s\" \"5s\" \"0s\" '\\x03'}"},
		step{by: "ENTRYPOINT [\"/srv/app/run\"]"},
	)...)
	return steps, v1.Config{User: "10001:10001", WorkingDir: "/srv/app", Entrypoint: []string{"/srv/app/run"},
		Env:         []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
		Healthcheck: &v1.HealthConfig{Test: []string{"CMD", "/srv/app/run", "health"}}}
}

const sshd = `Port 2022
PermitRootLogin no
PermitEmptyPasswords no
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM yes
X11Forwarding no
MaxAuthTries 4
LoginGraceTime 60
ClientAliveInterval 300
ClientAliveCountMax 3
LogLevel VERBOSE
IgnoreRhosts yes
HostbasedAuthentication no
PermitUserEnvironment no
AllowTcpForwarding no
MaxSessions 10
MaxStartups 10:30:60
DisableForwarding yes
AllowGroups operators
Banner /etc/issue.net
Ciphers chacha20-poly1305@openssh.com,aes256-gcm@openssh.com,aes128-gcm@openssh.com
MACs hmac-sha2-512-etm@openssh.com,hmac-sha2-256-etm@openssh.com
KexAlgorithms curve25519-sha256,curve25519-sha256@libssh.org
`
