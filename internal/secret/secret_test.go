package secret

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"breakwater"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/zricethezav/gitleaks/v8/config"
)

var finder = sync.OnceValue(func() *Finder {
	f, err := New(Options{})
	if err != nil {
		panic(err)
	}
	return f
})

// rulesPrint is the fingerprint of the rules that Version names.
const rulesPrint = "2e899a4ed629c854"

// TestVersion fails when the effective rules change and Version does not.
func TestVersion(t *testing.T) {
	h := sha256.New()
	for _, text := range [][]byte{[]byte(config.DefaultConfig), passwordRules, cloudRules, severityTable} {
		fmt.Fprintf(h, "%d\n%s", len(text), text)
	}
	if got := hex.EncodeToString(h.Sum(nil)[:8]); got != rulesPrint {
		t.Errorf("the rules are %s, Version %s was made for %s: raise Version, then set rulesPrint", got, Version, rulesPrint)
	}
}

// pem is a key's armour around nothing.
func pem(kind string) string {
	return "-----BEGIN " + kind + "-----\n" + strings.Repeat("QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=\n", 4) + "-----END " + kind + "-----\n"
}

func TestFind(t *testing.T) {
	const hex40 = "9f2c1e7a3b5d4f6081a2c3e4f5061728394a5b6c"
	aws40 := "wJalrXUtnFEMI/K7MDENG/bPxRfiCYz9Q2+abcde"
	azure := strings.Repeat("k8Jd0+aZ", 10) + "k8Jd0/==" // 88 characters
	tests := []struct {
		name, path, text string
		want             []string // rule severity line:column masked
	}{
		{"spring", "app/application.properties", "a=1\nspring.datasource.password=Tr0ub4dor&3xy\n", []string{"config-password medium 2:1 Tr******xy"}},
		{"spring reference", "app/application.properties", "spring.datasource.password=${DB_PASSWORD}\n", nil},
		{"env file", "srv/.env", "DB_PASSWORD='hunter2hunter2'\n", []string{"config-password medium 1:1 hu******r2"}},
		{"env file short", "srv/.env", "DB_PASSWORD=hunter2\n", []string{"config-password medium 1:1 ******"}},
		{"changeme", "srv/.env", "DB_PASSWORD=changeme\nX_PASSWORD=<password>\nY_PASSWORD=xxxxxxxx\nZ_PASSWORD=\n", nil},
		{"yaml", "srv/config.yml", "db:\n  password: \"s3cr3t-Hof-Tor\"\n", []string{"config-password medium 2:2 s3******or"}},
		{"yaml schema", "srv/schema.yml", "password:\n  type: string\nusePassword: true\n", nil},
		{"code is no configuration", "srv/a.py", "password = read_line()\n", nil},
		{"nsswitch", "etc/nsswitch.conf", "passwd:         files systemd\n", nil},
		{"redis", "etc/redis/redis.conf", "# requirepass foobared\nrequirepass Zk81nmQQ0p\n", []string{"redis-password high 2:1 ******"}},
		{"maven", "root/.m2/settings.xml", "<server><password>Qm7vv0Lpwz91</password></server>", []string{"xml-password medium 1:9 Qm******91"}},
		{"tomcat", "opt/tomcat/conf/tomcat-users.xml", "<user username=\"a\" password=\"Qm7vv0Lpwz91\"/>\n<user password=\"<must-be-changed>\"/>\n", []string{"xml-password medium 1:19 Qm******91"}},
		{"pgpass", "root/.pgpass", "db.local:5432:shop:app:Zu5ammen!Halt\n", []string{"pgpass high 1:1 Zu******lt"}},
		{"netrc", "root/.netrc", "machine git.local login me password Zu5ammen!Halt\n", []string{"netrc high 1:28 Zu******lt"}},
		{"docker config", "root/.docker/config.json", `{"auths":{"r.local":{"auth":"dXNlcjpadTVhbW1lbg=="}}}`, []string{"docker-config-auth high 1:22 dX******=="}},
		{"npmrc", "root/.npmrc", "//r.local/:_authToken=0a1b2c3d-e4f5-6789-aaaa-bbccddeeff00\n", []string{"npmrc-auth high 1:12 0a******00"}},
		{"git credentials", "root/.git-credentials", "https://deploy:Zu5ammen-Halt@git.local\n", []string{"url-password high 1:1 Zu******lt"}},
		{"url placeholder", "srv/readme", "https://user:password@host/ http://user:pass@example.com ftp://a:${PW}@b\n", nil},
		{"url with port", "srv/a", "http://localhost:8080/@me https://a.b:443/x@y\n", nil},
		{"kubeconfig", "root/.kube/config", "    client-key-data: LS0tLS1CRUdJTi" + strings.Repeat("BQUJD", 20) + "\n", []string{"kubeconfig-client-key critical 1:5 LS******JD"}},
		{"aws credentials", "root/.aws/credentials", "[default]\naws_secret_access_key = " + aws40 + "\n", []string{"aws-secret-access-key critical 2:1 wJ******de"}},
		{"huawei", "srv/app.conf", "HUAWEICLOUD_SDK_SK=Ab9" + hex40[3:] + "\n", []string{"huawei-cloud-secret-key critical 1:1 Ab******6c"}},
		{"azure storage", "srv/a.cfg", "AccountName=x;AccountKey=" + azure + ";\n", []string{"azure-storage-account-key critical 1:15 k8******=="}},
		{"private key", "root/.ssh/id", pem("RSA PRIVATE KEY"), []string{"private-key critical 1:1 -----BEGIN RSA PRIVATE KEY----- ***"}},
		{"encrypted key", "root/k.pem", pem("ENCRYPTED PRIVATE KEY"), []string{"private-key medium 1:1 -----BEGIN ENCRYPTED PRIVATE KEY----- ***"}},
		{"pgp key", "root/k.asc", pem("PGP PRIVATE KEY BLOCK"), []string{"private-key critical 1:1 -----BEGIN PGP PRIVATE KEY BLOCK----- ***"}},
		{"putty", "root/k.ppk", "Private-Lines: 2\r\n" + strings.Repeat("QUJDREVG", 8) + "\r\n" + strings.Repeat("QUJDREVG", 8) + "\r\n", []string{"putty-private-key critical 1:1 ******"}},
		{"certificate", "etc/ssl/ca.pem", pem("CERTIFICATE"), nil},
		{"github", "srv/x.go", "t := \"ghp_" + hex40[:36] + "\"\n", []string{"github-pat high 1:7 gh******4a"}},
		{"generic", "srv/x.js", `const apiKey = "` + hex40 + `";`, []string{"generic-api-key medium 1:7 9f******6c"}},
		{"generic in a test", "srv/testdata/x.js", `const apiKey = "` + hex40 + `";`, []string{"generic-api-key low 1:7 9f******6c"}},
		{"connection string", "srv/a.json", `"Server=db;Database=x;User Id=app;Password=Zu5ammen!Halt"`, []string{"connection-string-password high 1:2 Zu******lt"}},
		{"php", "var/www/wp-config.php", "define( 'DB_PASSWORD', 'Zu5ammen!Halt' );", []string{"php-define-password medium 1:1 Zu******lt"}},
		{"pkcs12", "etc/a.p12", "", []string{"pkcs12-file critical 1:1 "}},
		{"allowed inline", "srv/.env", "DB_PASSWORD=hunter2x # gitleaks:allow\n", nil},
		{"picture", "srv/a.png", pem("RSA PRIVATE KEY"), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, s := range finder().Find(tt.path, []byte(tt.text)) {
				got = append(got, fmt.Sprintf("%s %s %d:%d %s", s.Rule, s.Severity, s.Line, s.Column, s.Masked))
				if s.Path != tt.path || s.Title == "" {
					t.Errorf("path %q, title %q", s.Path, s.Title)
				}
			}
			if diff := gocmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestServiceAccountAndOpenSSH(t *testing.T) {
	account := `{"type": "service_account", "private_key": "` + strings.ReplaceAll(pem("PRIVATE KEY"), "\n", `\n`) + `"}`
	plain := "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW\n" + strings.Repeat("A", 70) + "\n-----END OPENSSH PRIVATE KEY-----"
	locked := strings.Replace(plain, "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ", "b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeX", 1)
	for text, want := range map[string]string{
		account: "Google Cloud service account key",
		plain:   "OpenSSH private key",
		locked:  "OpenSSH private key, encrypted",
	} {
		got := finder().Find("srv/key", []byte(text))
		if len(got) != 1 || got[0].Title != want {
			t.Errorf("%q: %+v", want, got)
		}
	}
}

func TestFull(t *testing.T) {
	var text strings.Builder
	for i := range MaxPerFile + 50 {
		fmt.Fprintf(&text, "t%d=ghp_%.36x\n", i, sha256.Sum256([]byte{byte(i), byte(i >> 8)}))
	}
	got := finder().Find("srv/a", []byte(text.String()))
	if len(got) != MaxPerFile || !Full(got) || got[0].Line != 1 || got[MaxPerFile-1].Line != MaxPerFile {
		t.Errorf("%d findings, the last on line %d", len(got), got[len(got)-1].Line)
	}
}

func TestOptions(t *testing.T) {
	own := "[[rules]]\nid = \"acme-key\"\nregex = '''acme_([a-z]{10})'''\nkeywords = [\"acme_\"]\nseverity = \"critical\"\n[[rules]]\nid = \"github-pat\"\nregex = '''never_[a-z]{10}'''\nkeywords = [\"never_\"]\n"
	f, err := New(Options{Rules: []byte(own), AllowPaths: []string{`^opt/vendor/`}, Disable: []string{"generic-api-key"}})
	if err != nil {
		t.Fatal(err)
	}
	text := []byte("acme_abcdefghij\nx ghp_0123456789abcdefghijABCDEFGHIJ012345\napi_key=9f2c1e7a3b5d4f6081a2c3e4f5061728394a5b6c\n")
	got := f.Find("srv/a", text)
	if len(got) != 1 || got[0].Rule != "acme-key" || got[0].Severity != breakwater.SeverityCritical || got[0].Title != "Acme key" {
		t.Errorf("%+v", got)
	}
	if f.Wants("opt/vendor/a") || f.Find("opt/vendor/a", text) != nil || !f.Wants("opt/a") {
		t.Error("the allowed path is not left out")
	}
	if f.Fingerprint() == finder().Fingerprint() || f.Fingerprint() == "" {
		t.Error("options do not change the fingerprint")
	}
	for name, opts := range map[string]Options{
		"no TOML": {Rules: []byte("[[")}, "bad regex": {Rules: []byte("[[rules]]\nid='a'\nregex='('")},
		"no id": {Rules: []byte("[[rules]]\nregex='a'")}, "no rule": {Rules: []byte("[[rules]]\nid='a'")},
		"group": {Rules: []byte("[[rules]]\nid='a'\nregex='a'\nsecretGroup=3")}, "severity": {Rules: []byte("[[rules]]\nid='a'\nregex='a'\nseverity='x'")},
		"unknown id": {Disable: []string{"nobody"}}, "bad path": {AllowPaths: []string{"("}},
		"extend": {Rules: []byte("[extend]\npath='/etc/passwd'")}, "too large": {Rules: bytes.Repeat([]byte("#\n"), maxRuleBytes)},
		"required": {Rules: []byte("[[rules]]\nid='a'\nregex='a'\n[[rules.required]]\nid='b'")},
	} {
		if _, err := New(opts); breakwater.KindOf(err) != breakwater.KindInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRequired: a rule that needs another one nearby, and that one is silent alone.
func TestRequired(t *testing.T) {
	rules := "[[rules]]\nid='pair'\nregex='''left_[a-z]{6}'''\nkeywords=['left_']\n[[rules.required]]\nid='half'\nwithinLines=2\n" +
		"[[rules]]\nid='half'\nregex='''right_[a-z]{6}'''\nkeywords=['right_']\nskipReport=true\n"
	f, err := New(Options{Rules: []byte(rules)})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]int{
		"left_abcdef\nright_abcdef": 1, "left_abcdef\n\n\n\nright_abcdef": 0, "left_abcdef": 0, "right_abcdef": 0,
	} {
		if got := f.Find("a", []byte(text)); len(got) != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// TestReader holds Reader equal to Find for every position of a chunk's edge.
func TestReader(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 9))
	f := finder()
	rounds := 40
	if underRace {
		rounds = 4
	}
	for range rounds {
		var sb strings.Builder
		for range 60 {
			sb.WriteString(strings.Repeat("some text\n", r.IntN(12)))
			rule := f.engine.rules[r.IntN(len(f.engine.rules))]
			if p := plants(r, rule, 1); len(p) > 0 && rule.sure && len(p[0]) < 300 {
				sb.WriteString(p[0] + "\n")
			}
		}
		text := sb.String()
		want := f.Find("srv/a.conf", []byte(text))
		got, err := f.read("srv/a.conf", iotest.HalfReader(strings.NewReader(text)), 2000+r.IntN(1000), 900)
		if err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Fatalf("(-Find +Reader):\n%s", diff)
		}
	}
}

func TestReaderErrors(t *testing.T) {
	f, err := New(Options{MaxFile: 100})
	if err != nil {
		t.Fatal(err)
	}
	text := "DB_PASSWORD=hunter2x\n" + strings.Repeat("a", 200)
	got, err := f.Reader("a.env", strings.NewReader(text))
	if breakwater.KindOf(err) != breakwater.KindTooLarge || len(got) != 1 {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := f.Reader("a.env", strings.NewReader(text[:100])); err != nil || len(got) != 1 {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := f.Reader("a.env", iotest.ErrReader(errors.New("broken"))); breakwater.KindOf(err) != breakwater.KindUnavailable {
		t.Errorf("%v", err)
	}
}

func TestRedact(t *testing.T) {
	const token = "ghp_0123456789abcdefghijABCDEFGHIJ012345"
	tests := []struct {
		where               breakwater.Where
		name, value, masked string
		rules               []string
	}{
		{breakwater.WhereEnv, "PATH", "/usr/bin:/bin", "/usr/bin:/bin", nil},
		{breakwater.WhereEnv, "PWD", "/app", "/app", nil},
		{breakwater.WhereEnv, "DB_PASSWORD", "hunter2", "******", []string{"config-password"}},
		{breakwater.WhereEnv, "MYSQL_ROOT_PASSWORD", "${FROM_VAULT}", "${FROM_VAULT}", nil},
		{breakwater.WhereEnv, "ADMIN_TOKEN", "Zu5ammenHalt", "Zu******lt", []string{"env-secret"}},
		{breakwater.WhereEnv, "POSTGRES_PASSWORD_FILE", "/run/secrets/pw", "/run/secrets/pw", nil},
		{breakwater.WhereEnv, "GPG_KEY", "E3FF2839C048B25C084DEBE9B26995E310250568", "E3FF2839C048B25C084DEBE9B26995E310250568", nil},
		{breakwater.WhereEnv, "DATABASE_URL", "postgres://app:Zu5ammenHalt@db/shop", "postgres://app:Zu******lt@db/shop", []string{"url-password"}},
		{breakwater.WhereEnv, "GH", "a " + token + " b " + token, "a gh******45 b gh******45", []string{"github-pat", "github-pat"}},
		{breakwater.WhereLabel, "org.x.key", token, "gh******45", []string{"github-pat"}},
		{breakwater.WhereHistory, "", "RUN curl -H \"Authorization: Bearer " + token + "\" https://x", "RUN curl -H \"Authorization: Bearer gh******45\" https://x", []string{"curl-auth-header", "github-pat"}},
		{breakwater.WhereHistory, "", "RUN echo 'root:Zu5ammenHalt' | chpasswd", "RUN echo 'root:Zu******lt' | chpasswd", []string{"chpasswd"}},
		{breakwater.WhereHistory, "", "ENV DB_PASSWORD=Zu5ammenHalt", "ENV DB_PASSWORD=Zu******lt", []string{"config-password"}},
		{breakwater.WhereHistory, "", "RUN mysql -uroot -pZu5ammenHalt -e x", "RUN mysql -uroot -pZu******lt -e x", []string{"command-password"}},
		{breakwater.WhereHistory, "", "RUN apt-get install -y passwd", "RUN apt-get install -y passwd", nil},
	}
	for _, tt := range tests {
		masked, found := finder().Redactor().Text(tt.where, tt.name, tt.value)
		var rules []string
		for _, s := range found {
			rules = append(rules, s.Rule)
			if s.Where != tt.where || s.Path != tt.name || s.Line < 1 {
				t.Errorf("%s: %+v", tt.value, s)
			}
		}
		if masked != tt.masked {
			t.Errorf("%s=%s is masked as %s, want %s", tt.name, tt.value, masked, tt.masked)
		}
		if diff := gocmp.Diff(tt.rules, rules); diff != "" {
			t.Errorf("%s=%s (-want +got):\n%s", tt.name, tt.value, diff)
		}
	}
}

func TestMask(t *testing.T) {
	for secret, want := range map[string]string{
		"": "", "a": stars, "elevenchars": stars, "twelve chars": "tw******rs", `"twelve chars"`: "tw******rs",
		"two\nlines of it all": stars, "\xff\xfe0123456789ab": stars, "äöüäöüäöüäöü": "äö******öü",
		"-----BEGIN RSA PRIVATE KEY-----\nMII": "-----BEGIN RSA PRIVATE KEY----- ***",
		"-----BEGIN secret stuff-----":         stars,
	} {
		if got := mask(secret); got != want {
			t.Errorf("mask(%q) is %q, want %q", secret, got, want)
		}
	}
}

func TestConcurrent(t *testing.T) {
	text := []byte("DB_PASSWORD=hunter2x\nx ghp_0123456789abcdefghijABCDEFGHIJ012345\n")
	want := finder().Find("a.env", text)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if diff := gocmp.Diff(want, finder().Find("a.env", text)); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
	wg.Wait()
}
