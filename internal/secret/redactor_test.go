package secret

import (
	"fmt"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"breakwater"
)

// Values that no list of words has, in parts so that this source holds no credential.
const (
	strong  = "Zu5ammenHalt"
	another = "Hof7TorWache"
	pat     = "ghp_" + "0123456789abcdefghijABCDEFGHIJ012345"
)

func lines(found []breakwater.Secret) (out []string) {
	for _, s := range found {
		out = append(out, fmt.Sprintf("%s %s %d:%d %s", s.Path, s.Rule, s.Line, s.Column, s.Masked))
	}
	return out
}

// TestCommand: an option and its value are words of one command, and nothing is
// told twice.
func TestCommand(t *testing.T) {
	tests := []struct {
		name   string
		lists  []Words
		masked [][]string
		found  []string
	}{
		{"nothing", []Words{{"cmd", []string{"nginx", "-g", "daemon off;"}}}, [][]string{{"nginx", "-g", "daemon off;"}}, nil},
		{"no words", []Words{{"entrypoint", nil}, {"cmd", []string{}}}, [][]string{nil, nil}, nil},
		{"an option and its value", []Words{{"cmd", []string{"redis-server", "--requirepass", strong}}},
			[][]string{{"redis-server", "--requirepass", "Zu******lt"}}, []string{"cmd command-password 1:14 Zu******lt"}},
		{"a header", []Words{{"cmd", []string{"curl", "-H", "Authorization: Bearer " + strong + strong, "https://x"}}},
			[][]string{{"curl", "-H", "Authorization: Bearer Zu******lt", "https://x"}}, []string{"cmd curl-auth-header 1:1 Zu******lt"}},
		{"a header with a quote in it", []Words{{"cmd", []string{"curl", "-A", `a "b" c`, "-H", "Authorization: Bearer " + strong + strong}}},
			[][]string{{"curl", "-A", `a "b" c`, "-H", "Authorization: Bearer Zu******lt"}}, []string{"cmd curl-auth-header 1:1 Zu******lt"}},
		{"a user and a password", []Words{{"cmd", []string{"curl", "-u", "admin:" + strong, "https://x"}}},
			[][]string{{"curl", "-u", "ad******lt", "https://x"}}, []string{"cmd curl-auth-user 1:1 ad******lt"}},
		{"one word that says it all, once", []Words{{"cmd", []string{"app", "--url=postgres://app:" + strong + "@db/shop", pat}}},
			[][]string{{"app", "--url=postgres://app:Zu******lt@db/shop", "gh******45"}},
			[]string{"cmd url-password 1:11 Zu******lt", "cmd github-pat 1:47 gh******45"}},
		{"a script", []Words{{"cmd", []string{"sh", "-c", "redis-server --requirepass " + strong}}},
			[][]string{{"sh", "-c", "redis-server --requirepass Zu******lt"}}, []string{"cmd command-password 1:21 Zu******lt"}},
		{"a script of lines", []Words{{"cmd", []string{"sh", "-c", "set -e\nredis-server --requirepass " + strong + "\n"}}},
			[][]string{{"sh", "-c", "set -e\nredis-server --requirepass Zu******lt\n"}}, []string{"cmd command-password 2:14 Zu******lt"}},
		{"the end of a word is an end", []Words{{"cmd", []string{"env", "DB_PASSWORD=" + strong, "app"}}},
			[][]string{{"env", "DB_PASSWORD=Zu******lt", "app"}}, []string{"cmd config-password 1:5 Zu******lt"}},
		{"the option in one list and the value in the other", []Words{{"entrypoint", []string{"redis-server", "--requirepass"}}, {"cmd", []string{strong}}},
			[][]string{{"redis-server", "--requirepass"}, {"Zu******lt"}}, []string{"cmd command-password 1:1 Zu******lt"}},
		{"both lists", []Words{{"entrypoint", []string{"a", "--password", strong}}, {"cmd", []string{"--token", another}}},
			[][]string{{"a", "--password", "Zu******lt"}, {"--token", "Ho******he"}},
			[]string{"entrypoint command-password 1:3 Zu******lt", "cmd command-password 1:1 Ho******he"}},
		{"the value again", []Words{{"cmd", []string{"redis-server", "--requirepass", strong, "--masterauth", strong, "--note=" + strong}}},
			[][]string{{"redis-server", "--requirepass", "Zu******lt", "--masterauth", "Zu******lt", "--note=Zu******lt"}}, []string{"cmd command-password 1:14 Zu******lt"}},
		{"the program's own name", []Words{{"cmd", []string{"harbour", "--password", "harbour"}}},
			[][]string{{"harbour", "--password", "******"}}, []string{"cmd command-password 1:9 ******"}},
		{"three letters that are in the option, too", []Words{{"cmd", []string{"app", "--password", "pas"}}},
			[][]string{{"app", "--password", "******"}}, []string{"cmd command-password 1:5 ******"}},
		{"placeholders", []Words{{"cmd", []string{"redis-server", "--requirepass", "$REDIS_PASSWORD", "--token", "changeme"}}},
			[][]string{{"redis-server", "--requirepass", "$REDIS_PASSWORD", "--token", "changeme"}}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			masked, found := finder().Redactor().Command(breakwater.WhereConfig, tt.lists...)
			if diff := gocmp.Diff(tt.masked, masked); diff != "" {
				t.Errorf("masked (-want +got):\n%s", diff)
			}
			if diff := gocmp.Diff(tt.found, lines(found)); diff != "" {
				t.Errorf("found (-want +got):\n%s", diff)
			}
			for _, s := range found {
				if s.Where != breakwater.WhereConfig || s.Title == "" || s.Severity == "" {
					t.Errorf("%+v", s)
				}
			}
		})
	}
}

// TestStep: what a build step says by lists of words and by build arguments.
func TestStep(t *testing.T) {
	arg := func(name, value string) []Variable { return []Variable{{"RUN", name, value}} }
	tests := []struct {
		name, text string
		vars       []Variable
		masked     string
		found      []string
	}{
		{"classic list", `/bin/sh -c #(nop)  CMD ["redis-server" "--requirepass" "` + strong + `"]`, nil,
			`/bin/sh -c #(nop)  CMD ["redis-server" "--requirepass" "Zu******lt"]`, []string{"command-password Zu******lt"}},
		{"JSON list", `ENTRYPOINT ["redis-server", "--requirepass", "` + strong + `"]`, nil,
			`ENTRYPOINT ["redis-server", "--requirepass", "Zu******lt"]`, []string{"command-password Zu******lt"}},
		{"health check", `HEALTHCHECK &{["CMD" "curl" "-H" "Authorization: Bearer ` + strong + strong + `"] "30s" "5s" "0s" '\x03'}`, nil,
			`HEALTHCHECK &{["CMD" "curl" "-H" "Authorization: Bearer Zu******lt"] "30s" "5s" "0s" '\x03'}`, []string{"curl-auth-header Zu******lt"}},
		{"a value that is written with an escape", `CMD ["redis-server" "--requirepass" "Zu5ammen\\Halt"]`, nil,
			`CMD ["redis-server" "--requirepass" "Zu******lt"]`, []string{"command-password Zu******lt"}},
		{"a token in a list, once", `CMD ["app" "--token" "` + pat + `"]`, nil, `CMD ["app" "--token" "gh******45"]`, []string{"github-pat gh******45"}},
		{"a broken list", `CMD ["redis-server" "--requirepass" "` + strong + ` ]`, nil, `CMD ["redis-server" "--requirepass" "` + strong + ` ]`, nil},
		{"build argument by its name", "|1 NPM_TOKEN=" + strong + " /bin/sh -c npm ci", arg("NPM_TOKEN", strong),
			"|1 NPM_TOKEN=Zu******lt /bin/sh -c npm ci", []string{"build-argument-secret Zu******lt"}},
		{"and where it is used", "RUN |1 NPM_TOKEN=hunter2 /bin/sh -c npm ci --x=hunter2 # buildkit", arg("NPM_TOKEN", "hunter2"),
			"RUN |1 NPM_TOKEN=****** /bin/sh -c npm ci --x=****** # buildkit", []string{"build-argument-secret ******"}},
		{"build argument that a rule knows, in the middle", "RUN |2 DB_PASSWORD=" + strong + " A=b /bin/sh -c make # buildkit", []Variable{{"RUN", "DB_PASSWORD", strong}, {"RUN", "A", "b"}},
			"RUN |2 DB_PASSWORD=Zu******lt A=b /bin/sh -c make # buildkit", []string{"config-password Zu******lt"}},
		{"build argument by its look", "RUN |1 X=" + pat + " /bin/sh -c make # buildkit", arg("X", pat),
			"RUN |1 X=gh******45 /bin/sh -c make # buildkit", []string{"github-pat gh******45"}},
		{"with blanks", "|1 PASSPHRASE=four small words here /bin/sh -c make", arg("PASSPHRASE", "four small words here"),
			"|1 PASSPHRASE=fo******re /bin/sh -c make", []string{"build-argument-secret fo******re"}},
		{"a short value does not tear up the step", "RUN |1 TOKEN=ab1 /bin/sh -c ab12 # buildkit", arg("TOKEN", "ab1"),
			"RUN |1 TOKEN=****** /bin/sh -c ab12 # buildkit", []string{"build-argument-secret ******"}},
		{"ARG in quotes", `ARG API_TOKEN="` + strong + `"`, []Variable{{"ARG", "API_TOKEN", strong}},
			`ARG API_TOKEN="Zu******lt"`, []string{"build-argument-secret Zu******lt"}},
		{"no secrets", "RUN |4 TOKEN=$T GPG_KEY=E3FF2839C048B25C084D DEBUG_TOKEN=true PASSWORD=changeme /bin/sh -c make",
			[]Variable{{"RUN", "TOKEN", "$T"}, {"RUN", "GPG_KEY", "E3FF2839C048B25C084D"}, {"RUN", "DEBUG_TOKEN", "true"}, {"RUN", "PASSWORD", "changeme"}},
			"RUN |4 TOKEN=$T GPG_KEY=E3FF2839C048B25C084D DEBUG_TOKEN=true PASSWORD=changeme /bin/sh -c make", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			masked, found := finder().Redactor().Step("step 3", tt.text, tt.vars)
			if masked != tt.masked {
				t.Errorf("masked as\n%s, want\n%s", masked, tt.masked)
			}
			var got []string
			for _, s := range found {
				got = append(got, s.Rule+" "+s.Masked)
				if s.Where != breakwater.WhereHistory || s.Path != "step 3" || s.Title == "" || s.Severity == "" || s.Line < 1 || s.Column < 1 || s.Column > len(tt.text) {
					t.Errorf("%+v", s)
				}
			}
			if diff := gocmp.Diff(tt.found, got); diff != "" {
				t.Errorf("found (-want +got):\n%s", diff)
			}
		})
	}
}

// TestStepsOfOneImage: every RUN repeats the build arguments, and they are told once.
func TestStepsOfOneImage(t *testing.T) {
	r := finder().Redactor()
	var found []breakwater.Secret
	for i, text := range []string{"ARG TOKEN=" + pat, "RUN |1 TOKEN=" + pat + " /bin/sh -c make", "RUN |1 TOKEN=" + pat + " /bin/sh -c curl " + pat, "RUN |1 NPM_TOKEN=" + strong + " /bin/sh -c a", "RUN |1 NPM_TOKEN=" + strong + " /bin/sh -c b"} {
		by, name, value := "RUN", "TOKEN", pat
		if i == 0 {
			by = "ARG"
		}
		if i > 2 {
			name, value = "NPM_TOKEN", strong
		}
		masked, more := r.Step(fmt.Sprint("step ", i+1), text, []Variable{{by, name, value}})
		if strings.Contains(masked, value) {
			t.Errorf("not masked: %s", masked)
		}
		found = append(found, more...)
	}
	var got []string
	for _, s := range found {
		got = append(got, s.Path+" "+s.Rule)
	}
	if diff := gocmp.Diff([]string{"step 1 github-pat", "step 3 github-pat", "step 4 build-argument-secret"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestMaskElsewhere: what was found in one place is masked in all, unless it is a
// word like any other.
func TestMaskElsewhere(t *testing.T) {
	r := finder().Redactor()
	r.Text(breakwater.WhereEnv, "APP_PASSWORD", strong)
	r.Text(breakwater.WhereEnv, "DB_PASSWORD", "harbourmaster")
	r.Text(breakwater.WhereEnv, "PIN_PASSWORD", "Ab1Cd2")
	r.Command(breakwater.WhereConfig, Words{"cmd", []string{"a", "--token", another}})
	for text, want := range map[string]string{
		"x " + strong + " y":         "x Zu******lt y",
		strong + strong:              strong + strong, // another word
		"a" + strong:                 "a" + strong,
		`["` + another + `"]`:        `["Ho******he"]`,
		"user harbourmaster Ab1Cd2":  "user harbourmaster Ab1Cd2",
		another + "/" + strong + "/": "Ho******he/Zu******lt/",
		"":                           "",
	} {
		if got := r.Mask(text); got != want {
			t.Errorf("%s is masked as %s, want %s", text, got, want)
		}
	}
}

// TestRedactorIsBounded: thousands of words, values and steps cost little more
// than their length.
func TestRedactorIsBounded(t *testing.T) {
	r := finder().Redactor()
	var words []string
	for i := range 1000 {
		words = append(words, "--password", fmt.Sprintf("Zu5ammen%04dHalt", i), strings.Repeat("x ", 400))
	}
	masked, found := r.Command(breakwater.WhereConfig, Words{"cmd", words})
	if n := len(found); n != MaxPerFile {
		t.Errorf("%d are told", n)
	}
	if text := strings.Join(masked[0], " "); strings.Contains(text, "Zu5ammen0") {
		t.Error("not all are masked")
	}
	if n := len(r.values); n > maxRemembered {
		t.Errorf("%d are remembered", n)
	}
}

// TestCommandFullOfSecrets: a command of megabytes, with a password in every few
// bytes of them, is masked whole in about the time that the rules take.
func TestCommandFullOfSecrets(t *testing.T) {
	if underRace {
		t.Skip("it is the time that counts")
	}
	var words []string
	for i := range 250 {
		words = append(words, strings.Repeat(fmt.Sprintf("--password=Zu5ammen%04dHalt ", i), 360))
	}
	from := time.Now()
	masked, found := finder().Redactor().Command(breakwater.WhereConfig, Words{"cmd", words})
	if took := time.Since(from); took > 30*time.Second {
		t.Errorf("it took %v", took)
	}
	if n := len(found); n != MaxPerFile {
		t.Errorf("%d are told", n)
	}
	for i, w := range masked[0] {
		if strings.Contains(w, "Zu5ammen") {
			t.Fatalf("word %d is not masked: %.200q", i, w)
		}
	}
}

// TestColumns: of each secret in a text of several lines, its line and its place there.
func TestColumns(t *testing.T) {
	_, found := finder().Redactor().Text(breakwater.WhereConfig, "onbuild 1", "ENV A="+pat+"\n\nENV BB="+pat[:39]+"6 "+"C="+pat[:39]+"7\n")
	var got []string
	for _, s := range found {
		got = append(got, fmt.Sprintf("%d:%d", s.Line, s.Column))
	}
	if diff := gocmp.Diff([]string{"1:7", "3:8", "3:51"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s\n%v", diff, lines(found))
	}
}

func FuzzStep(f *testing.F) {
	f.Add(`CMD ["a" "--password" "Zu5ammenHalt"]`, "TOKEN", "abcdef")
	f.Add(`RUN |1 TOKEN="x" ["\u0041","\xff" , "--token","q\\w"]`, "TOKEN", `x`)
	f.Fuzz(func(t *testing.T, text, name, value string) {
		if len(text)+len(name)+len(value) > 1<<13 {
			return
		}
		masked, found := finder().Redactor().Step("step 1", text, []Variable{{"RUN", name, value}})
		if len(found) == 0 && masked != text {
			t.Fatalf("%q became %q and nothing was found", text, masked)
		}
		words, found := finder().Redactor().Command(breakwater.WhereConfig, Words{"cmd", []string{text, name, value}})
		if got := []string{text, name, value}; len(found) == 0 && !gocmp.Equal(words[0], got) {
			t.Fatalf("%q became %q and nothing was found", got, words[0])
		}
	})
}
