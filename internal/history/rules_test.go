package history

import (
	"slices"
	"strings"
	"testing"

	"breakwater"
)

// ruleCases are, for each rule about steps, entries that it must find and
// entries that it must not.
var ruleCases = map[string]struct{ hit, miss []string }{
	"BW-BUILD-001": {
		hit: []string{`ENV DB_PASSWORD=hunter2 # buildkit`, `/bin/sh -c #(nop)  ENV MYSQL_ROOT_PASSWORD=root`, `ENV AWS_SECRET_ACCESS_KEY=***`, `ENV GITHUB_TOKEN=abc`, `ENV API_KEY abc`, `ENV SETTINGS=***`},
		miss: []string{`ENV GPG_KEY=A035C8C19219BA821ECEA86B64E628F8D684696D`, `ENV POSTGRES_PASSWORD_FILE=/run/secrets/pw`, `ENV PASSWORD=`, `ENV TOKEN_URL=https://x/`,
			`ENV PYTHON_GET_PIP_SHA256=abc`, `ENV REQUIRE_PASSWORD=true`, `ENV PWD=/app`, `ENV SECRET_KEY=$SECRET`, `ENV TOKENIZERS_PARALLELISM=false`, `ENV COMPASS=north`, `ENV PHP_ASC_KEYS_GPG=1`, `ENV KEYCLOAK_HOME=/opt`},
	},
	"BW-BUILD-002": {
		hit:  []string{`ARG NPM_TOKEN=abc # buildkit`, `|1 NPM_TOKEN=abc /bin/sh -c npm ci && npm cache clean --force`, `RUN |2 A=b DB_PASSWORD=*** /bin/sh -c make # buildkit`},
		miss: []string{`ARG NPM_TOKEN`, `|1 VERSION=3 /bin/sh -c make`, `ARG TOKEN_FILE=/x`},
	},
	"BW-BUILD-003": {
		hit: []string{`/bin/sh -c curl -u admin:secret https://x/y -o /z`, `/bin/sh -c wget https://bob:secret@x.org/a`, `/bin/sh -c git clone https://oauth2:abc@git.example.com/x.git && cd x && git checkout abc`,
			`/bin/sh -c docker login -u bob -pabc`, `/bin/sh -c mysql -uroot -psecret`, `/bin/sh -c curl -H "Authorization: Bearer abc" https://x`, `/bin/sh -c tool --api-key=*** run`},
		miss: []string{`/bin/sh -c curl -u "$USER:$PASS" https://x`, `/bin/sh -c git clone https://github.com/x/y@z`, `/bin/sh -c mysql -uroot -p`, `/bin/sh -c git clone git@github.com:x/y.git`, `/bin/sh -c curl https://x/@scope/pkg`},
	},
	"BW-BUILD-004": {
		hit:  []string{`/bin/sh -c echo "root:secret" | chpasswd`, `/bin/sh -c echo 'root:***' | sudo chpasswd`, `/bin/sh -c echo secret | passwd --stdin root`, `/bin/sh -c passwd -d root`, `/bin/sh -c useradd -p abc bob`},
		miss: []string{`/bin/sh -c useradd -r bob`, `/bin/sh -c adduser --disabled-password bob`, `/bin/sh -c usermod -p '*' root`, `/bin/sh -c passwd -l root`},
	},
	"BW-BUILD-005": {
		hit:  []string{`COPY id_rsa /root/.ssh/id_rsa # buildkit`, `COPY .ssh /root/.ssh`, `COPY .aws/ /root/.aws/`, `/bin/sh -c #(nop) COPY file:abc in /root/.ssh/id_rsa `, `COPY .npmrc /app/`, `ADD server.pfx /etc/`},
		miss: []string{`COPY id_rsa.pub /root/`, `COPY . /app`, `COPY truststore.jks /etc/`, `COPY ssh.go /src/`, `COPY --from=build /app/bin /bin/app`},
	},
	"BW-BUILD-006": {
		hit:  []string{`COPY .env /app/ # buildkit`, `COPY .git /src/.git`, `COPY config/.env.production /app/`},
		miss: []string{`COPY .env.example /app/`, `COPY .gitignore /app/`, `COPY environment /x`},
	},
	"BW-BUILD-007": {
		hit:  []string{`/bin/sh -c echo "$SSH_KEY" > /root/.ssh/id_rsa`, `RUN /bin/sh -c printf 'machine x' >> ~/.netrc # buildkit`},
		miss: []string{`/bin/sh -c echo x > /root/.ssh/known_hosts`, `/bin/sh -c cat /root/.ssh/id_rsa.pub`},
	},
	"BW-BUILD-010": {
		hit: []string{`/bin/sh -c curl -fsSL https://x | sh`, `/bin/sh -c curl -sL https://setup.example/setup_18.x | sudo -E bash -`, `/bin/sh -c wget -qO- https://x | bash -s -- -y`, `/bin/bash -c bash <(curl -s https://x)`,
			`/bin/sh -c sh -c "$(curl -fsSL https://x)"`, `/bin/sh -c sudo bash -c "$(wget -O- https://x)"`, "/bin/sh -c eval `curl https://x`", `/bin/sh -c . <(curl https://x)`, `/bin/sh -c $(curl -s https://x)`, `/bin/sh -c (curl https://x || wget -O- https://x) | python3 -`,
			`RUN /bin/sh -c curl https://x | tee /tmp/i.sh | sh # buildkit`, `RUN <<EOF
set -e
curl https://x | sh
EOF`, `powershell -Command iex ((New-Object System.Net.WebClient).DownloadString('https://x/install.ps1'))`, `powershell -Command iwr https://x/i.ps1 -useb | iex`},
		miss: []string{`/bin/sh -c curl -fsSL https://x -o /x && sh -c true`, `/bin/sh -c curl https://x | jq .tag`, `/bin/sh -c echo "curl https://x | sh"`, `/bin/sh -c V="$(curl -s https://x/latest)"; echo "$V"`, `/bin/sh -c curl https://x | gpg --dearmor -o /k.gpg`},
	},
	"BW-BUILD-011": {
		hit: []string{`/bin/sh -c curl -sL https://x/a.tar.gz | tar xz -C /opt`, `/bin/sh -c curl -Lo /usr/local/bin/k https://x/k && chmod +x /usr/local/bin/k`, `/bin/sh -c wget https://x/a.deb && dpkg -i a.deb`,
			`/bin/sh -c wget -q https://x/a.zip && unzip a.zip`, `/bin/sh -c rpm -ivh https://x/a.rpm`, `/bin/sh -c wget https://x/install.sh && bash install.sh`},
		miss: []string{`/bin/sh -c curl -Lo a.tgz https://x/a.tgz && echo "abc  a.tgz" | sha256sum -c - && tar xzf a.tgz`, `/bin/sh -c curl -fsSL https://x/key.asc | tee /etc/apt/trusted.gpg.d/x.asc`,
			`/bin/sh -c curl https://x/data.json -o /d.json && chmod 644 /d.json`, `/bin/sh -c wget https://x/a && gpg --verify a.asc a && tar xf a`, `/bin/sh -c dnf install -y https://dl.fedoraproject.org/pub/epel/epel-release-latest-9.noarch.rpm && dnf clean all`},
	},
	"BW-BUILD-012": {
		hit:  []string{`ADD https://x/a.tgz /opt/ # buildkit`, `/bin/sh -c #(nop) ADD https://x/a.tgz /opt/`, `ADD --chmod=755 http://x/a /a`},
		miss: []string{`ADD --checksum=sha256:abc https://x/a /a`, `ADD a.tgz /opt`, `/bin/sh -c #(nop) ADD file:abc in / `},
	},
	"BW-BUILD-013": {
		hit:  []string{`ADD https://github.com/x/y.git#main /src # buildkit`, `ADD git@github.com:x/y.git /src`},
		miss: []string{`ADD https://github.com/x/y.git#0123456789012345678901234567890123456789 /src`},
	},
	"BW-BUILD-014": {
		hit:  []string{`ADD app.py /app/ # buildkit`, `/bin/sh -c #(nop) ADD dir:0a1b in /app `},
		miss: []string{`ADD rootfs.tar.xz / # buildkit`, `/bin/sh -c #(nop) ADD file:0a1b in /app `, `COPY app.py /app/`},
	},
	"BW-BUILD-015": {
		hit:  []string{`ADD app.tar.gz /app # buildkit`},
		miss: []string{`COPY app.tar.gz /app # buildkit`, `ADD --checksum=sha256:ab https://x/a.tgz /`},
	},
	"BW-BUILD-020": {
		hit: []string{`/bin/sh -c curl http://x.org/a -o /a`, `/bin/sh -c wget ftp://x.org/a`, `ADD http://x.org/a / # buildkit`, `powershell -Command Invoke-WebRequest http://x/y.exe -OutFile y.exe`, `/bin/sh -c git clone http://x.org/a.git`, `/bin/sh -c URL=http://x.org/a; curl "$URL"`, `/bin/sh -c pip install --index-url http://pypi.x.org/simple a==1`},
		miss: []string{`/bin/sh -c curl https://x.org/a`, `/bin/sh -c curl http://localhost:80/`, `/bin/sh -c echo "deb http://mirror.example/debian bookworm main" > /etc/apt/sources.list`, `/bin/sh -c curl -x http://proxy:3128 https://x`,
			`/bin/sh -c curl http://x.org/a -o a && echo "00 a" | sha256sum -c`},
	},
	"BW-BUILD-021": {
		hit:  []string{`/bin/sh -c curl -fsSLk https://x`, `/bin/sh -c curl --insecure https://x`, `/bin/sh -c wget --no-check-certificate https://x`, `/bin/sh -c pip3 install --trusted-host x a==1`, `/bin/sh -c python3 -m pip install --trusted-host=x a==1`, `/bin/sh -c apt-get -o Acquire::https::Verify-Peer=false update`},
		miss: []string{`/bin/sh -c curl -fsSL https://x`, `/bin/sh -c curl --keepalive-time 2 https://x`, `/bin/sh -c wget https://x`},
	},
	"BW-BUILD-022": {
		hit: []string{`ENV NODE_TLS_REJECT_UNAUTHORIZED=0`, `ENV PYTHONHTTPSVERIFY 0`, `/bin/sh -c npm config set strict-ssl false`, `/bin/sh -c git config --global http.sslVerify false`, `/bin/sh -c git -c http.sslVerify=false clone https://x`, `/bin/sh -c NODE_TLS_REJECT_UNAUTHORIZED=0 npm ci`,
			`/bin/sh -c echo "sslverify=0" >> /etc/yum.conf`, `ENV GIT_SSL_NO_VERIFY=1`, `/bin/sh -c echo insecure >> ~/.curlrc`},
		miss: []string{`ENV NODE_TLS_REJECT_UNAUTHORIZED=1`, `/bin/sh -c npm config set strict-ssl true`, `/bin/sh -c git config --global user.name x`, `ENV GIT_SSL_NO_VERIFY=false`},
	},
	"BW-BUILD-023": {
		hit:  []string{`/bin/sh -c ssh -o StrictHostKeyChecking=no git@x`, `/bin/sh -c echo "StrictHostKeyChecking no" >> /root/.ssh/config`},
		miss: []string{`/bin/sh -c ssh -o StrictHostKeyChecking=yes git@x`},
	},
	"BW-BUILD-030": {
		hit:  []string{`/bin/sh -c apt-get install -y --allow-unauthenticated a=1`, `/bin/sh -c apt-get --force-yes install a=1`, `/bin/sh -c apk add --no-cache --allow-untrusted /a.apk`, `/bin/sh -c rpm -i --nosignature a.rpm`, `/bin/sh -c yum install -y --nogpgcheck a-1 && yum clean all`, `/bin/sh -c dnf --setopt=gpgcheck=0 install -y a-1`},
		miss: []string{`/bin/sh -c apt-get install -y a=1`, `/bin/sh -c dnf --setopt=install_weak_deps=0 install -y a-1`},
	},
	"BW-BUILD-031": {
		hit:  []string{`/bin/sh -c echo "deb [trusted=yes] https://x stable main" > /etc/apt/sources.list.d/x.list`, "/bin/sh -c printf '[x]\\nbaseurl=https://x\\ngpgcheck=0\\n' > /etc/yum.repos.d/x.repo"},
		miss: []string{`/bin/sh -c echo "deb [signed-by=/k.gpg] https://x stable main" > /etc/apt/sources.list.d/x.list`, "/bin/sh -c printf 'gpgcheck=1' > /etc/yum.repos.d/x.repo"},
	},
	"BW-BUILD-032": {
		hit:  []string{`/bin/sh -c apt-key adv --keyserver x --recv-keys y`, `/bin/sh -c curl https://x/k.asc | apt-key add -`},
		miss: []string{`/bin/sh -c apt-key list`},
	},
	"BW-BUILD-040": {
		hit: []string{`/bin/sh -c apt-get install -y curl`, `/bin/sh -c apk add --no-cache curl`, `/bin/sh -c yum -y install curl && yum clean all`, `/bin/sh -c PKGS="curl jq"; apt-get install -y $PKGS`, `/bin/sh -c sudo apt-get install -y -t stable curl`, `RUN for p in a; do apt-get -y install vim; done`},
		miss: []string{`/bin/sh -c apt-get install -y curl=7.88.1-10`, `/bin/sh -c apk add --no-cache curl=8.5.0-r0`, `/bin/sh -c apk add --no-cache -t .build gcc`, `/bin/sh -c apt-get install -y ./a.deb`, `/bin/sh -c yum -y install curl-7.76.1`,
			`/bin/sh -c apt-get install -y gcc && apt-get purge -y gcc`, `/bin/sh -c apt-get install -y $PKGS`, `/bin/sh -c echo apt-get install curl`},
	},
	"BW-BUILD-041": {
		hit:  []string{`/bin/sh -c pip install --no-cache-dir flask`, `/bin/sh -c python -m pip install -U pip`, `/bin/sh -c pip3.11 install flask==1 requests`},
		miss: []string{`/bin/sh -c pip install --no-cache-dir flask==3.0.0`, `/bin/sh -c pip install -r requirements.txt`, `/bin/sh -c pip install .`, `/bin/sh -c pip install 'wheel<0.46'`, `/bin/sh -c pip install /tmp/a.whl`},
	},
	"BW-BUILD-042": {
		hit:  []string{`/bin/sh -c npm install -g typescript`, `/bin/sh -c npm i -g @angular/cli`, `/bin/sh -c npm install -g npm@latest`, `/bin/sh -c yarn global add serve`},
		miss: []string{`/bin/sh -c npm install -g typescript@5.4.2`, `/bin/sh -c npm ci`, `/bin/sh -c npm install`, `/bin/sh -c npm i -g @angular/cli@17`},
	},
	"BW-BUILD-043": {
		hit:  []string{`/bin/sh -c gem install bundler`},
		miss: []string{`/bin/sh -c gem install bundler -v 2.5.6`, `/bin/sh -c gem install bundler:2.5.6`, `/bin/sh -c gem update --system`},
	},
	"BW-BUILD-044": {
		hit:  []string{`/bin/sh -c go install golang.org/x/tools/gopls@latest`, `/bin/sh -c go get -u example.org/x`, `/bin/sh -c cargo install ripgrep`, `/bin/sh -c pip install git+https://github.com/x/y`},
		miss: []string{`/bin/sh -c go install golang.org/x/tools/gopls@v0.15.0`, `/bin/sh -c go build ./...`, `/bin/sh -c cargo install ripgrep --version 14`, `/bin/sh -c pip install git+https://github.com/x/y@v1`},
	},
	"BW-BUILD-045": {
		hit:  []string{`FROM docker.io/library/alpine:latest`, `FROM alpine`, `/bin/sh -c #(nop) FROM localhost:5000/a/b`},
		miss: []string{`FROM docker.io/library/alpine:3.20`, `FROM scratch`, `FROM alpine@sha256:abc`, `FROM 0123456789ab`},
	},
	"BW-BUILD-046": {
		hit:  []string{`/bin/sh -c apt-get update && apt-get -y upgrade && rm -rf /var/lib/apt/lists/*`, `/bin/sh -c apk --no-cache upgrade`, `/bin/sh -c yum update -y && yum clean all`},
		miss: []string{`/bin/sh -c apt-get update && apt-get install -y a=1 && rm -rf /var/lib/apt/lists/*`, `/bin/sh -c pip install --upgrade pip==24`},
	},
	"BW-BUILD-050": {
		hit:  []string{`/bin/sh -c apt-get update && apt-get install -y a=1`, `/bin/sh -c apt-get update && apt-get install -y a=1 && apt-get clean`},
		miss: []string{`/bin/sh -c apt-get update && apt-get install -y a=1 && rm -rf /var/lib/apt/lists/*`, `/bin/sh -c apt-get update && apt-get install -y a=1 && rm -rf /tmp/* /var/lib/apt/lists`, `RUN --mount=type=cache,target=/var/lib/apt apt-get update && apt-get install -y a=1`},
	},
	"BW-BUILD-051": {
		hit:  []string{`/bin/sh -c apk add curl=8`, `/bin/sh -c apk update && apk add curl=8`},
		miss: []string{`/bin/sh -c apk add --no-cache curl=8`, `/bin/sh -c apk --no-cache add curl=8`, `/bin/sh -c apk add curl=8 && rm -rf /var/cache/apk/*`},
	},
	"BW-BUILD-052": {
		hit:  []string{`/bin/sh -c yum install -y a-1`, `/bin/sh -c microdnf install a-1`, `/bin/sh -c zypper -n install a-1`},
		miss: []string{`/bin/sh -c yum install -y a-1 && yum clean all`, `/bin/sh -c dnf -y install a-1 && dnf clean all && rm -rf /var/cache/yum`, `/bin/sh -c zypper in -y a-1 && zypper clean -a`},
	},
	"BW-BUILD-053": {
		hit:  []string{`/bin/sh -c pip install flask==3`},
		miss: []string{`/bin/sh -c pip install --no-cache-dir flask==3`, `/bin/sh -c PIP_NO_CACHE_DIR=1 pip install flask==3`, `/bin/sh -c pip install flask==3 && rm -rf /root/.cache`},
	},
	"BW-BUILD-054": {
		hit:  []string{`/bin/sh -c npm ci`, `/bin/sh -c yarn install --frozen-lockfile`},
		miss: []string{`/bin/sh -c npm ci && npm cache clean --force`, `/bin/sh -c npm run build`, `/bin/sh -c npm install && rm -rf /root/.npm`},
	},
	"BW-BUILD-055": {
		hit:  []string{`/bin/sh -c apt-get update`, `/bin/sh -c apk update`},
		miss: []string{`/bin/sh -c apt-get update && apt-get install -y a=1`, `/bin/sh -c apt-get update && rm -rf /var/lib/apt/lists/*`},
	},
	"BW-BUILD-056": {
		hit:  []string{`/bin/sh -c apt install -y a=1`},
		miss: []string{`/bin/sh -c apt-get install -y a=1`, `/bin/sh -c apt-mark hold a`},
	},
	"BW-BUILD-057": {
		hit:  []string{`/bin/sh -c apt-get install a=1`, `/bin/sh -c apt-get install --no-install-recommends a=1`},
		miss: []string{`/bin/sh -c apt-get install -y a=1`, `/bin/sh -c apt-get -qqy install a=1`, `/bin/sh -c apt-get install --yes a=1`, `/bin/sh -c apt-get install -qq a=1`, `/bin/sh -c yes | apt-get install a=1`},
	},
	"BW-BUILD-061": {
		hit:  []string{`/bin/sh -c sudo make install`, `/bin/sh -c cd x && sudo -E make`},
		miss: []string{`/bin/sh -c sudo -u app make`, `/bin/sh -c apt-get install -y sudo=1`, `/bin/sh -c echo sudo`},
	},
	"BW-BUILD-062": {
		hit:  []string{`/bin/sh -c echo "app ALL=(ALL) NOPASSWD: ALL" >> /etc/sudoers`, `/bin/sh -c usermod -aG sudo app`, `/bin/sh -c useradd -G wheel,docker app`},
		miss: []string{`/bin/sh -c usermod -aG www-data app`, `/bin/sh -c adduser -S app`},
	},
	"BW-BUILD-063": {
		hit:  []string{`/bin/sh -c chmod 777 /app`, `/bin/sh -c chmod -R 0777 /app`, `/bin/sh -c chmod a+rwx /app`, `/bin/sh -c chmod -R o+w /app`, `/bin/sh -c chmod 666 /dev/x`, `COPY --chmod=777 a /a`, `/bin/sh -c find /app -type d -exec chmod 777 {} +`, `/bin/sh -c find / | xargs chmod 777`, `/bin/sh -c chmod ugo+rwx /a`},
		miss: []string{`/bin/sh -c chmod 1777 /tmp`, `/bin/sh -c chmod 755 /app`, `/bin/sh -c chmod a+x /app`, `/bin/sh -c chmod +x /app`, `/bin/sh -c chmod g+w /app`, `/bin/sh -c chmod o-w /app`, `/bin/sh -c chmod 644 777.txt`, `/bin/sh -c chmod o-rwx /x`},
	},
	"BW-BUILD-064": {
		hit:  []string{`/bin/sh -c chmod u+s /bin/ping`, `/bin/sh -c chmod 4755 /bin/x`, `/bin/sh -c chmod +s /bin/x`},
		miss: []string{`/bin/sh -c chmod 755 /bin/x`, `/bin/sh -c chmod a-s /bin/x`, `/bin/sh -c find / -perm /6000 -exec chmod a-s {} +`, `/bin/sh -c chmod g+s /srv`, `/bin/sh -c chmod 2775 /srv`},
	},
	"BW-BUILD-065": {
		hit:  []string{`/bin/sh -c chown -R app /`, `/bin/sh -c chown -R app:app /usr/local/bin`, `/bin/sh -c chown --recursive app /etc`},
		miss: []string{`/bin/sh -c chown -R app /app`, `/bin/sh -c chown app /`, `/bin/sh -c chown -R app /var/lib/app`},
	},
	"BW-BUILD-066": {
		hit:  []string{`/bin/sh -c su - app -c "make"`},
		miss: []string{`/bin/sh -c su-exec app make`},
	},
	"BW-BUILD-067": {
		hit:  []string{`/bin/sh -c setenforce 0`, `/bin/sh -c sed -i s/SELINUX=enforcing/SELINUX=disabled/ /etc/selinux/config`, `/bin/sh -c echo 0 > /proc/sys/kernel/randomize_va_space || sysctl -w kernel.randomize_va_space=0`},
		miss: []string{`/bin/sh -c sysctl -w kernel.randomize_va_space=2`, `/bin/sh -c getenforce`},
	},
	"BW-BUILD-068": {
		hit:  []string{`RUN --security=insecure make`, `RUN --mount=type=cache,target=/x --network=host make`},
		miss: []string{`RUN --network=none make`},
	},
	"BW-BUILD-071": {
		hit:  []string{`/bin/sh -c apt-get install -y openssh-server=1`, `/bin/sh -c apk add --no-cache openssh`, `/bin/sh -c service ssh start`, `/bin/sh -c ssh-keygen -A`, `CMD ["/usr/sbin/sshd" "-D"]`},
		miss: []string{`/bin/sh -c apt-get install -y openssh-client=1`, `/bin/sh -c ssh-keyscan github.com`},
	},
	"BW-BUILD-072": {
		hit:  []string{`/bin/sh -c sed -i 's/#PermitRootLogin.*/PermitRootLogin yes/' /etc/ssh/sshd_config`},
		miss: []string{`/bin/sh -c sed -i 's/PermitRootLogin.*/PermitRootLogin no/' /etc/ssh/sshd_config`},
	},
	"BW-BUILD-073": {
		hit:  []string{`VOLUME [/etc]`, `VOLUME /var/run/docker.sock`, `VOLUME ["/"]`},
		miss: []string{`VOLUME [/var/lib/mysql]`, `VOLUME /data`, `VOLUME /etc/letsencrypt`},
	},
	"BW-BUILD-080": {
		hit:  []string{`/bin/sh -c #(nop) MAINTAINER Some Body "s@x.org"`, `MAINTAINER x`},
		miss: []string{`LABEL maintainer=x`},
	},
	"BW-BUILD-081": {
		hit:  []string{`WORKDIR app`},
		miss: []string{`WORKDIR /app`, `WORKDIR $HOME`, `WORKDIR C:\app`},
	},
	"BW-BUILD-082": {
		hit:  []string{`/bin/sh -c cd /app`},
		miss: []string{`/bin/sh -c cd /app && make`, `WORKDIR /app`},
	},
	"BW-BUILD-085": {
		hit:  []string{`/bin/sh -c git clone https://github.com/x/y`},
		miss: []string{`/bin/sh -c git clone -b v1 https://github.com/x/y`, `/bin/sh -c git clone https://x/y && cd y && git checkout 012`},
	},
}

// TestRules holds each rule against its cases. A first step makes a layer, so
// that rules which leave the base's own root file system alone are tried.
func TestRules(t *testing.T) {
	r := mustRules(t, "")
	for id, c := range ruleCases {
		if r.Rule(id).ID == "" {
			t.Errorf("%s is no rule", id)
		}
		for _, text := range append(slices.Clone(c.hit), c.miss...) {
			want := slices.Contains(c.hit, text)
			got := found(r, id, text)
			if (got != nil) != want {
				t.Errorf("%s of %q: found %v, want %v", id, text, got != nil, want)
			}
			if got != nil && (got.Suggest == "" || len(got.Current) > maxCurrent || got.Line != 2 || strings.ContainsAny(got.Suggest, "{}") && !strings.ContainsAny(text, "{}")) {
				t.Errorf("%s of %q: suggests %q, current %q, line %d", id, text, got.Suggest, got.Current, got.Line)
			}
		}
	}
}

func found(r *Rules, id, text string) *breakwater.Finding {
	inv := breakwater.Inventory{History: []breakwater.History{step(`ADD rootfs.tar / # buildkit`), step(text)}}
	for _, f := range Check(inv, r) {
		if f.Rule == id {
			return &f
		}
	}
	return nil
}

// TestEveryRuleIsTried fails for a rule that no case stands for.
func TestEveryRuleIsTried(t *testing.T) {
	image := []string{"BW-BUILD-060", "BW-BUILD-070", "BW-BUILD-074", "BW-BUILD-083", "BW-BUILD-084"} // TestImageRules
	all := mustRules(t, "").All()
	if len(all) < 50 {
		t.Errorf("%d rules", len(all))
	}
	for _, one := range all {
		if _, ok := ruleCases[one.ID]; !ok && !slices.Contains(image, one.ID) {
			t.Errorf("%s has no case", one.ID)
		}
		if one.Description == "" || one.Remediation == "" {
			t.Errorf("%s says too little", one.ID)
		}
	}
}
