package baseline

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"breakwater"
)

// failed are the ids of the rules that an image fails, of the groups named.
func failed(t testing.TB, inv breakwater.Inventory, groups ...string) []string {
	t.Helper()
	r := rules(t)
	var out []string
	for _, res := range Evaluate(inv, r) {
		rule, err := r.Rule(res.Rule)
		if err != nil {
			t.Fatal(err)
		}
		if !res.Passed && (len(groups) == 0 || slices.Contains(groups, rule.Group)) {
			out = append(out, res.Rule)
		}
	}
	return out
}

func TestPlantedServices(t *testing.T) {
	for name, tc := range map[string]struct {
		text, group string
		want        []string
	}{
		"sshd bad": {sshd + `PermitRootLogin yes\nPermitEmptyPasswords yes\nPasswordAuthentication yes\nX11Forwarding yes\nUsePAM yes\nMaxAuthTries 4\nLoginGraceTime 60\nClientAliveInterval 300\nAllowTcpForwarding no`, "SSH",
			[]string{"BW-SSH-001", "BW-SSH-003", "BW-SSH-004", "BW-SSH-005"}},
		"sshd good": {sshd + `PermitRootLogin no\nPasswordAuthentication no\nUsePAM yes\nMaxAuthTries 4\nLoginGraceTime 60\nClientAliveInterval 300\nAllowTcpForwarding no`, "SSH", nil},
		"sshd.d wins where it is included first": {sshd + `Include /etc/ssh/sshd_config.d/*.conf\nPermitRootLogin no` + "\n" + `etc/ssh/sshd_config.d/1.conf: PermitRootLogin yes\nPasswordAuthentication no\nUsePAM yes\nMaxAuthTries 4\nLoginGraceTime 60\nClientAliveInterval 300\nAllowTcpForwarding no`,
			"SSH", []string{"BW-SSH-001"}},
		"sshd.d counts not where it is not included": {sshd + `PasswordAuthentication no\nUsePAM yes\nMaxAuthTries 4\nLoginGraceTime 60\nClientAliveInterval 300\nAllowTcpForwarding no` + "\n" + `etc/ssh/sshd_config.d/1.conf: PermitRootLogin yes`, "SSH", nil},
		"nginx": {ngx + `user root;\nhttp { server_tokens off; add_header X-Content-Type-Options nosniff; include /etc/nginx/sites-enabled/*; }` + "\n" + `etc/nginx/sites-available/default: server { autoindex on; ssl_protocols SSLv3 TLSv1.2; }`, "Nginx",
			[]string{"BW-NGX-002", "BW-NGX-003", "BW-NGX-005"}},
		"apache":     {apa + `ServerTokens Prod\nTraceEnable Off\nIncludeOptional mods-enabled/*.conf\n<Directory />\nRequire all granted\n</Directory>`, "Apache", []string{"BW-APA-008"}},
		"mysql":      {sql + `[mysqld]\nuser=root\nlocal_infile=1\nskip-grant-tables\nsecure-file-priv=`, "MySQL", []string{"BW-SQL-001", "BW-SQL-003", "BW-SQL-004", "BW-SQL-005"}},
		"postgresql": {hba + `local all all trust\nhost all all 0.0.0.0/0 trust` + "\n" + pgs + `password_encryption = md5\nssl = on\nlog_connections = on`, "PostgreSQL", []string{"BW-PG-001", "BW-PG-002", "BW-PG-004", "BW-PG-011"}},
		"redis":      {red + `bind 0.0.0.0\nprotected-mode no`, "Redis", []string{"BW-RED-001", "BW-RED-002", "BW-RED-003"}},
		"mongodb":    {mgo + `net:\n  bindIp: 0.0.0.0\n  tls:\n    mode: requireTLS\nsecurity:\n  javascriptEnabled: false`, "MongoDB", []string{"BW-MGO-001", "BW-MGO-002"}},
		"php": {phpFile + `expose_php = On\ndisplay_errors = On\nallow_url_include = On\nsession.cookie_httponly=1\nsession.cookie_secure=1\nsession.use_strict_mode=1\ndisable_functions=exec\nenable_dl=Off`, "PHP",
			[]string{"BW-PHP-001", "BW-PHP-002", "BW-PHP-003"}},
		"tomcat": {tom + `<Server port="8005" shutdown="SHUTDOWN"><Service><Connector port="8009" protocol="AJP/1.3"/><Engine><Host autoDeploy="false"/></Engine></Service></Server>` + "\n" +
			tomUsers + `<tomcat-users><user username="tomcat" password="s3cret" roles="manager-gui"/></tomcat-users>`, "Tomcat", []string{"BW-TOM-001", "BW-TOM-003", "BW-TOM-012"}},
		"accounts": {passwdFile + `root:x:0:0::/root:/bin/bash\ntoor:x:0:0::/root:/bin/bash\nbob:x:1000:1000::/home/bob:/bin/sh` + "\n" + shadowFile + `root:` + guessed + `:1:0:90:7:::\ntoor::1:0:90:7:::\nbob:!:1:0:90:7:::` + "\n" + groupFile + `root:x:0:\nbob:x:1000:`,
			"Accounts", []string{"BW-ACC-001", "BW-ACC-002", "BW-ACC-006", "BW-ACC-012", "BW-ACC-013", "BW-ACC-014", "BW-ACC-019"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, failed(t, fixture(t, tc.text), tc.group)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Images that are made well must not be blamed for what they do not have.
func TestMinimalImages(t *testing.T) {
	scratch := breakwater.Inventory{Setup: breakwater.Setup{User: "65532", Health: true, Env: []string{"PATH=/usr/bin:/bin"}}}
	if got := failed(t, scratch); got != nil {
		t.Errorf("an empty image fails %v", got)
	}
	distroless := fixture(t, "!setup user=nonroot\n!setup health=1\n!notable dir 1777 tmp\n"+
		`etc/passwd 644 0 0: root:x:0:0:root:/root:/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin`+"\n"+
		`etc/group 644 0 0: root:x:0:\nnobody:x:65534:\ntty:x:5:\nstaff:x:50:\nnonroot:x:65532:`)
	if got := failed(t, distroless); got != nil {
		t.Errorf("a distroless image fails %v", got)
	}
}

func TestIncludesThatNeverEnd(t *testing.T) {
	inv := fixture(t, ngx+`include conf.d/*.conf;`+"\n"+`etc/nginx/conf.d/a.conf: include conf.d/*.conf; autoindex on;`+"\n"+`etc/nginx/conf.d/b.conf: include /etc/nginx/conf.d/*.conf; include /etc/nginx/nginx.conf;`)
	if got := failed(t, inv, "Nginx"); !slices.Contains(got, "BW-NGX-002") {
		t.Error(got)
	}
}

func TestDeterministicAndSorted(t *testing.T) {
	var text []string
	for _, tc := range ruleCases {
		if !strings.Contains(tc.fail, "$") {
			text = append(text, tc.fail)
		}
	}
	inv := fixture(t, strings.Join(text, "\n"))
	r := rules(t)
	first, err := json.Marshal(Evaluate(inv, r))
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(inv.Configs)
	inv.Configs = slices.Clone(inv.Configs)
	slices.SortStableFunc(inv.Configs, func(a, b breakwater.ConfigFile) int { return strings.Compare(a.Path, b.Path) })
	second, _ := json.Marshal(Evaluate(inv, r))
	third, _ := json.Marshal(Evaluate(inv, r))
	if string(second) != string(third) || len(first) < 1000 {
		t.Error("two evaluations differ")
	}
	results := Evaluate(inv, r)
	if !slices.IsSortedFunc(results, func(a, b breakwater.BaselineResult) int { return strings.Compare(a.Rule, b.Rule) }) {
		t.Error("not sorted")
	}
}

func TestPolicy(t *testing.T) {
	all := breakwater.PasswordPolicy{Present: true, MinLength: true, Upper: true, Lower: true, Digit: true, Special: true}
	for name, tc := range map[string]struct {
		text string
		want breakwater.PasswordPolicy
	}{
		"nothing":       {`etc/passwd: root:x:0:0::/:/bin/sh`, breakwater.PasswordPolicy{}},
		"all":           {"etc/pam.d/common-password: password requisite pam_pwquality.so retry=3\n" + pwq + `minlen = 12\ndcredit = -1\nucredit=-1\nlcredit=-1\nocredit=-1`, all},
		"on the line":   {`etc/pam.d/system-auth: password requisite /usr/lib/security/pam_pwquality.so minlen=12 minclass=4`, all},
		"debian":        {`etc/pam.d/common-password: password [success=1 default=ignore] pam_unix.so obscure yescrypt`, breakwater.PasswordPolicy{Present: true}},
		"unix minlen":   {`etc/pam.d/common-password: password [success=1 default=ignore] pam_unix.so obscure minlen=10`, breakwater.PasswordPolicy{Present: true, MinLength: true}},
		"no module":     {pwq + `minlen=12\nminclass=4` + "\n" + `etc/pam.d/common-password: password required pam_unix.so`, breakwater.PasswordPolicy{Present: true}},
		"file order":    {"etc/pam.d/common-password: password requisite pam_pwquality.so\n" + pwq + `ucredit=-1` + "\n" + `etc/security/pwquality.conf.d/a.conf: ucredit=0\nlcredit=-1`, breakwater.PasswordPolicy{Present: true, MinLength: true, Upper: true, Lower: true}},
		"login.defs":    {defs + `PASS_MIN_LEN 8`, breakwater.PasswordPolicy{Present: true, MinLength: true}},
		"pam over defs": {defs + `PASS_MIN_LEN 8` + "\n" + `etc/pam.d/passwd: password required pam_unix.so`, breakwater.PasswordPolicy{Present: true}},
	} {
		got := Policy(fixture(t, tc.text))
		if met := got.MinLength && got.Upper && got.Lower && got.Digit && got.Special; met == strings.Contains(got.Suggest, "pam_pwquality") && got.Present {
			t.Errorf("%s: suggest %q", name, got.Suggest)
		}
		got.Suggest = ""
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestWeakAndFindings(t *testing.T) {
	inv := fixture(t, shadowFile+`bob:`+guessed+`:1::::::`+"\n"+red+`requirepass foobared`+"\n"+sql+`[client]\nuser = app\npassword = app123`+"\n"+`etc/nginx/.htpasswd: al:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=`)
	layer := breakwater.Digest("sha256:" + strings.Repeat("a", 64))
	for i := range inv.Configs {
		inv.Configs[i].Layer = layer
	}
	var got []string
	for _, w := range Weak(inv) {
		got = append(got, strings.Join([]string{w.Service, w.User, w.Path, w.Reason, w.Masked}, " "))
		if w.Layer != layer {
			t.Errorf("%+v", w)
		}
	}
	want := []string{"http al etc/nginx/.htpasswd built_in_list p***d", "mysql app etc/mysql/my.cnf account_name a***3", "redis  etc/redis/redis.conf built_in_list f***d", "system bob etc/shadow built_in_list q***3"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	r := rules(t)
	results := Evaluate(inv, r)
	findings := Findings(results, r)
	for _, f := range findings {
		if f.Check != breakwater.CheckBaseline || f.Title == "" || f.Severity == "" || f.Suggest == "" || f.Current == "" || strings.Contains(f.Current, "foobared") {
			t.Errorf("%+v", f)
		}
		if f.Path != "" && f.Layer != layer {
			t.Errorf("%s has the layer %q", f.Rule, f.Layer)
		}
	}
	n := 0
	for _, res := range results {
		if !res.Passed {
			n++
		}
	}
	if n != len(findings) || n == 0 {
		t.Errorf("%d findings of %d failed rules", len(findings), n)
	}
}

const ownRule = `
version: 1
group: Ours
off: [BW-SSH-002]
rules:
- id: OWN-1
  title: our banner
  severity: low
  standard: [cn_standard]
  description: d
  audit: a
  remediation: r
  check: {directive: {kind: sshd, key: Banner, want: {equals: /etc/issue.net}}}
- id: BW-SSH-001
  title: another one
  severity: critical
  description: d
  audit: a
  remediation: r
  check: {exists: {kinds: [sshd], want: false}}
`

func TestOwnRules(t *testing.T) {
	builtIn := rules(t)
	own, err := LoadRules([]byte(ownRule))
	if err != nil {
		t.Fatal(err)
	}
	if own.Version() == builtIn.Version() || len(own.All()) != len(builtIn.All()) {
		t.Errorf("version %s, %d rules", own.Version(), len(own.All()))
	}
	replaced, err := own.Rule("BW-SSH-001")
	if err != nil || replaced.Title != "another one" || replaced.Group != "Ours" || replaced.Standards[0] != StandardHW {
		t.Errorf("%+v %v", replaced, err)
	}
	if _, err := own.Rule("BW-SSH-002"); !errors.Is(err, &breakwater.Error{Kind: breakwater.KindNotFound}) {
		t.Error(err)
	}
	if !slices.Contains(own.Groups(), "Ours") || !slices.Contains(own.Groups(), "SSH") {
		t.Error(own.Groups())
	}
	for _, bad := range []string{
		"version: 2\nrules: []", "nonsense: 1", "version: 1\nrules: [{id: x}]", "\tx", "[]",
		strings.Replace(ownRule, "severity: low", "severity: awful", 1), strings.Replace(ownRule, "cn_standard", "iso", 1),
		strings.Replace(ownRule, "key: Banner, ", "", 1), strings.Replace(ownRule, "equals: /etc/issue.net", "match: '('", 1),
		strings.Replace(ownRule, "{exists: {kinds: [sshd], want: false}}", "{}", 1),
		strings.Replace(ownRule, "{exists: {kinds: [sshd], want: false}}", "{account: {test: nothing}}", 1),
		strings.Replace(ownRule, "{exists: {kinds: [sshd], want: false}}", "{exists: {kinds: [sshd]}, account: {test: uid0}}", 1),
		strings.Replace(ownRule, "want: {equals: /etc/issue.net}", "take: middle, want: {present: true}", 1),
		strings.Replace(ownRule, "want: {equals: /etc/issue.net}", "want: {unknown: true}", 1),
	} {
		_, err := LoadRules([]byte(bad))
		if !errors.Is(err, &breakwater.Error{Kind: breakwater.KindInvalid}) && breakwater.KindOf(err) != breakwater.KindInvalid {
			t.Errorf("%.60q: %v", bad, err)
		}
	}
	if _, err := LoadRules(make([]byte, MaxRuleFile+1)); breakwater.KindOf(err) != breakwater.KindTooLarge {
		t.Error(err)
	}
}

func FuzzRules(f *testing.F) {
	f.Add([]byte(ownRule))
	f.Fuzz(func(t *testing.T, own []byte) {
		r := &Rules{byID: map[string]int{}}
		if r.read(own, true) != nil {
			return
		}
		inv := breakwater.Inventory{Setup: breakwater.Setup{Env: []string{"PATH=."}}, Configs: []breakwater.ConfigFile{{Kind: kindSSHD, Path: "etc/ssh/sshd_config", Entries: []breakwater.ConfigEntry{{Key: "Port", Value: "22"}}}}}
		for _, res := range Evaluate(inv, r) {
			if res.Rule == "" || !res.Passed && len(res.Cases) == 0 {
				t.Fatalf("%+v", res)
			}
		}
	})
}

func BenchmarkEvaluate(b *testing.B) {
	var text []string
	for _, tc := range ruleCases {
		if !strings.Contains(tc.fail, "$") {
			text = append(text, tc.fail)
		}
	}
	inv, r := fixture(b, strings.Join(text, "\n")), rules(b)
	b.ReportAllocs()
	for b.Loop() {
		Evaluate(inv, r)
	}
}

func BenchmarkWants(b *testing.B) {
	paths := []string{"usr/lib/x86_64-linux-gnu/libc.so.6", "usr/share/doc/bash/README.gz", "usr/local/lib/python3.12/site-packages/pip/__init__.py", "opt/app/node_modules/a/b/c/index.js", "etc/ssl/certs/abc.pem", "var/lib/dpkg/info/bash.list"}
	for i := 0; b.Loop(); i++ {
		Wants(paths[i%len(paths)])
	}
}
