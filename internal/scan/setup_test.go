package scan_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"breakwater"
	"breakwater/internal/malware"
)

// Passwords that only the option or the name beside them gives away.
const (
	runPassword   = "Zu5ammen" + "Halt"
	buildPassword = "Hof7Tor" + "Wache"
	onlyNamed     = "vier" + "kleine" + "worte"
)

// TestSecretsOfTheConfiguration: of each value, once for each place where it can be
// read, and whole in none of the inventory's bytes.
func TestSecretsOfTheConfiguration(t *testing.T) {
	const bearer = runPassword + runPassword
	for name, tt := range map[string]struct {
		config, history string // JSON
		want            []string
	}{
		"an option of the command": {`"Cmd":["redis-server","--requirepass","` + runPassword + `"]`, `{"created_by":"CMD [\"redis-server\" \"--requirepass\" \"` + runPassword + `\"]","empty_layer":true}`,
			[]string{"config cmd:1 command-password none", "history step 2:2 command-password none"}},
		"an option of the entrypoint": {`"Entrypoint":["redis-server","--requirepass"],"Cmd":["` + runPassword + `"]`, "",
			[]string{"config cmd:1 command-password none"}},
		"a header":                    {`"Cmd":["curl","-H","Authorization: Bearer ` + bearer + `"]`, "", []string{"config cmd:1 curl-auth-header none"}},
		"a health check":              {`"Healthcheck":{"Test":["CMD","curl","-H","Authorization: Bearer ` + bearer + `","http://localhost"]}`, "", []string{"config healthcheck:1 curl-auth-header none"}},
		"a health check of the shell": {`"Healthcheck":{"Test":["CMD-SHELL","redis-cli ping\nredis-cli --password ` + runPassword + ` ping"]}`, "", []string{"config healthcheck:2 command-password none"}},
		"a shell":                     {`"Shell":["sshpass","-p","` + runPassword + `","ssh","build","sh","-c"]`, "", []string{"config shell:1 command-password none"}},
		"what others build on it":     {`"OnBuild":["COPY . /","RUN redis-cli --password ` + runPassword + ` ping","CMD [\"a\",\"--password\",\"` + runPassword + `\"]"]`, "", []string{"config onbuild 2:1 command-password none", "config onbuild 3:1 command-password none"}},
		"a variable and its step": {`"Env":["ADMIN_TOKEN=` + runPassword + `"]`, `{"created_by":"ENV ADMIN_TOKEN=` + runPassword + `","empty_layer":true}`,
			[]string{"env ADMIN_TOKEN:1 env-secret none"}},
		"a variable that a later step overwrites": {`"Env":["ADMIN_TOKEN="]`, `{"created_by":"ENV ADMIN_TOKEN=` + runPassword + `","empty_layer":true},{"created_by":"ENV ADMIN_TOKEN=","empty_layer":true}`,
			[]string{"history step 2:2 env-secret none"}},
		"a value in many places": {`"Env":["APP_PASSWORD=` + runPassword + `"],"Labels":{"note":"log in with ` + runPassword + `"},"Cmd":["serve","` + runPassword + `"],"User":"` + runPassword + `"`,
			`{"created_by":"LABEL note=log in with ` + runPassword + `","empty_layer":true}`, []string{"env APP_PASSWORD:1 config-password none"}},
		"a build argument, classic": {``, `{"created_by":"|1 TOKEN=` + buildPassword + ` /bin/sh -c make"}`, []string{"history step 2:2 build-argument-secret 1"}},
		"a build argument, BuildKit": {``, `{"created_by":"ARG TOKEN","empty_layer":true},{"created_by":"RUN |2 A=b TOKEN=` + buildPassword + ` /bin/sh -c make # buildkit"}`,
			[]string{"history step 3:3 build-argument-secret 1"}},
		"a build argument of three steps": {``, `{"created_by":"ARG TOKEN=` + buildPassword + `","empty_layer":true},{"created_by":"RUN |1 TOKEN=` + buildPassword + ` /bin/sh -c a # buildkit"},{"created_by":"RUN |1 TOKEN=` + buildPassword + ` /bin/sh -c b # buildkit","empty_layer":true}`,
			[]string{"history step 2:2 build-argument-secret none"}},
		"a build argument of small letters": {``, `{"created_by":"RUN |1 DB_PASSWORD=` + onlyNamed + ` /bin/sh -c echo ` + onlyNamed + ` # buildkit"}`, []string{"history step 2:2 config-password 1"}},
	} {
		t.Run(name, func(t *testing.T) {
			history := `{"created_by":"ADD rootfs.tar /"}`
			if tt.history != "" {
				history += "," + tt.history
			}
			r := newRepository()
			digest := r.imageOf(t, `{"architecture":"amd64","os":"linux","config":{`+tt.config+`},"history":[`+history+`]}`, gz(t, entry{name: "a", body: "x"}), gz(t, entry{name: "b", body: "x"}))
			inv := mustScan(t, newScanner(t, nil, allChecks(t, malware.Options{})), r, digest, breakwater.ScopeAll)
			if diff := cmp.Diff(tt.want, secretLines(inv)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			raw, err := json.Marshal(inv)
			if err != nil {
				t.Fatal(err)
			}
			for _, secret := range []string{runPassword, buildPassword, onlyNamed} {
				if bytes.Contains(raw, []byte(secret)) {
					t.Errorf("%s is in the inventory: %s", secret, raw)
				}
			}
		})
	}
}

// TestLargeConfiguration: what is beyond the limits is said not to have been looked at.
func TestLargeConfiguration(t *testing.T) {
	list := func(n int, one string) string {
		var out []string
		for i := range n {
			out = append(out, fmt.Sprintf(one, i))
		}
		return strings.Join(out, ",")
	}
	for name, tt := range map[string]struct{ config, want string }{
		"small":     {`"Env":[` + list(1000, `"A%d=b"`) + `],"Cmd":[` + list(1000, `"w%d"`) + `]`, ""},
		"variables": {`"Env":[` + list(1001, `"A%d=b"`) + `]`, "variables"},
		"labels":    {`"Labels":{` + list(1001, `"a%d":"b"`) + `}`, "labels"},
		"words":     {`"Cmd":[` + list(1001, `"w%d"`) + `]`, "words of a command"},
		"one word":  {`"Cmd":["` + strings.Repeat("x ", 40<<10) + `"]`, "longer"},
		"secrets":   {`"Env":[` + list(1000, `"APP_%d_TOKEN=Zu5ammenHalt%[1]d"`) + `],"Labels":{"a":"` + labelToken + `"}`, "more secrets than are listed"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRepository()
			digest := r.imageOf(t, `{"architecture":"amd64","os":"linux","config":{`+tt.config+`}}`, gz(t, entry{name: "a", body: "x"}))
			inv := mustScan(t, newScanner(t, nil, allChecks(t, malware.Options{})), r, digest, breakwater.ScopeAll)
			c := coverageOf(inv, breakwater.CheckSecret)
			if tt.want == "" && len(c.Skipped) != 0 || tt.want != "" && (len(c.Skipped) != 1 || !strings.Contains(c.Skipped[0].Reason, tt.want)) {
				t.Errorf("%+v, want %q", c.Skipped, tt.want)
			}
			if len(inv.Secrets) > 1000 {
				t.Errorf("%d secrets", len(inv.Secrets))
			}
			if raw, err := json.Marshal(inv); err != nil || bytes.Contains(raw, []byte("Zu5ammenHalt")) || bytes.Contains(raw, []byte(labelToken)) {
				t.Errorf("a secret is in the inventory (%v)", err)
			}
		})
	}
}
