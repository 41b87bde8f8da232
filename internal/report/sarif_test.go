package report

import (
	"bytes"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"breakwater"
)

// sarifSchema is the schema of the OASIS standard, as the SARIF module carries
// it in its source.
func sarifSchema(t *testing.T) []byte {
	t.Helper()
	source := module(t, "github.com/owenrumney/go-sarif/v3", "pkg", "report", "v210", "sarif", "schema.go")
	_, rest, _ := bytes.Cut(source, []byte("const schema = `"))
	text, _, ok := bytes.Cut(rest, []byte("`"))
	if !ok {
		t.Fatal("the SARIF module has no schema where it was")
	}
	return text
}

func TestSARIFIsAsTheStandardSays(t *testing.T) {
	const id = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
	s := validator(t, id, map[string][]byte{id: sarifSchema(t)})
	for name, r := range fixtures() {
		validate(t, s, name, write(t, FormatSARIF, r, Options{}))
	}
}

// TestSARIFForCodeScanning checks what the schema does not: what GitHub's code
// scanning wants of a run.
func TestSARIFForCodeScanning(t *testing.T) {
	number := regexp.MustCompile(`^(10|[0-9])\.[0-9]$`)
	for name, r := range fixtures() {
		log := decode[sarif.Report](t, write(t, FormatSARIF, r, Options{}))
		if len(log.Runs) != 1 || log.Version != "2.1.0" {
			t.Fatalf("%s: %d runs of version %s", name, len(log.Runs), log.Version)
		}
		run := log.Runs[0]
		seen := map[string]bool{}
		for _, rule := range run.Tool.Driver.Rules {
			if seen[*rule.ID] {
				t.Errorf("%s: rule %s stands twice", name, *rule.ID)
			}
			seen[*rule.ID] = true
			if s, _ := rule.Properties.Properties["security-severity"].(string); !number.MatchString(s) {
				t.Errorf("%s: rule %s: security-severity %q", name, *rule.ID, s)
			}
			if *rule.ShortDescription.Text == "" || *rule.FullDescription.Text == "" || *rule.Help.Text == "" || *rule.Help.Markdown == "" {
				t.Errorf("%s: rule %s says nothing", name, *rule.ID)
			}
		}
		if want := len(r.Vulnerabilities) + len(r.Findings); len(run.Results) != want {
			t.Errorf("%s: %d results, want %d", name, len(run.Results), want)
		}
		for _, x := range run.Results {
			checkResult(t, name, run, x)
		}
	}
}

func checkResult(t *testing.T, name string, run *sarif.Run, r *sarif.Result) {
	t.Helper()
	if id := *run.Tool.Driver.Rules[r.RuleIndex].ID; id != *r.RuleID {
		t.Errorf("%s: result of %s points to rule %s", name, *r.RuleID, id)
	}
	if len(r.Locations) == 0 || len(r.PartialFingerprints) != 2 || *r.Message.Text == "" {
		t.Errorf("%s: result of %s: %d locations, %d fingerprints", name, *r.RuleID, len(r.Locations), len(r.PartialFingerprints))
	}
	for _, l := range r.Locations {
		u, err := url.Parse(*l.PhysicalLocation.ArtifactLocation.URI)
		if err != nil || u.IsAbs() || u.Host != "" || strings.HasPrefix(u.Path, "/") {
			t.Errorf("%s: uri %q is not relative (%v)", name, *l.PhysicalLocation.ArtifactLocation.URI, err)
		}
		if *l.PhysicalLocation.Region.StartLine < 1 {
			t.Errorf("%s: no line", name)
		}
	}
}

func TestSARIFResults(t *testing.T) {
	log := decode[sarif.Report](t, write(t, FormatSARIF, debian(), Options{}))
	run := log.Runs[0]
	tests := []struct {
		rule, level, severity, uri string
		line                       int
		text                       []string
	}{
		{"GHSA-jfh8-c2jp-5v3q", "error", "10.0", "app/lib/log4j.jar", 1, []string{"log4j-core 2.14.0", "Upgrade to 2.15.0.", "known to use it"}},
		{"CVE-2024-0003", "warning", "5.5", "var/lib/dpkg/status", 1, []string{"util-linux (bsdutils) 2.38.1-5", "No version is known"}},
		{"CVE-2024-0002", "note", "2.0", "var/lib/dpkg/status", 1, nil},
		{"secret/aws-access-token", "error", "9.5", "app/.env", 3, []string{"AKIA****"}},
		{"secret/generic-password", "error", "8.0", configFile, 1, []string{"h***"}},
		{"file/Eicar-Test-Signature", "error", "8.0", "opt/eicar.com", 1, []string{"later layer deletes"}},
		{"build_command/curl-pipe-sh", "error", "8.0", configFile, 1, []string{"curl http://get.example | sh"}},
	}
	for _, test := range tests {
		found := false
		for _, r := range run.Results {
			if *r.RuleID != test.rule {
				continue
			}
			found = true
			l := r.Locations[0].PhysicalLocation
			severity := run.Tool.Driver.Rules[r.RuleIndex].Properties.Properties["security-severity"]
			if r.Level != test.level || severity != test.severity || *l.ArtifactLocation.URI != test.uri || *l.Region.StartLine != test.line {
				t.Errorf("%s: level %s, severity %v, %s:%d", test.rule, r.Level, severity, *l.ArtifactLocation.URI, *l.Region.StartLine)
			}
			for _, want := range test.text {
				if !strings.Contains(*r.Message.Text, want) {
					t.Errorf("%s: %q does not say %q", test.rule, *r.Message.Text, want)
				}
			}
		}
		if !found {
			t.Errorf("no result of %s", test.rule)
		}
	}
	i := run.Invocations[0]
	if *i.ExecutionSuccessful || len(i.ToolExecutionNotifications) != 7 {
		t.Errorf("successful %v, %d notifications; want a failed check and 7 gaps", *i.ExecutionSuccessful, len(i.ToolExecutionNotifications))
	}
}

// TestFingerprintsSurviveUpgradesAndEdits moves a problem to another version,
// line and layer.
func TestFingerprintsSurviveUpgradesAndEdits(t *testing.T) {
	prints := func(r Report) string {
		var b strings.Builder
		for _, x := range decode[sarif.Report](t, write(t, FormatSARIF, r, Options{})).Runs[0].Results {
			fmt.Fprintln(&b, *x.RuleID, x.PartialFingerprints["breakwater/v1"])
		}
		return b.String()
	}
	one := build("a").layers(2).pkg(app("npm", "npm", "a", "1", "x", 1))
	one.vul(breakwater.Vulnerability{AdvisoryID: "X"}, 0).finding(breakwater.Finding{Check: breakwater.CheckSecret, Rule: "r", Path: "p", Line: 1})
	two := build("b").layers(2).pkg(app("npm", "npm", "a", "2", "x", 2))
	two.vul(breakwater.Vulnerability{AdvisoryID: "X"}, 0).finding(breakwater.Finding{Check: breakwater.CheckSecret, Rule: "r", Path: "p", Line: 9})
	if a, b := prints(one.r), prints(two.r); a != b {
		t.Errorf("%s\n%s", a, b)
	}
	two.r.Findings[0].Path = "q"
	if a, b := prints(one.r), prints(two.r); a == b {
		t.Error("another file has the same fingerprint")
	}
}

func TestSARIFCutsAtTheLimit(t *testing.T) {
	run := newView(huge(250), Options{}).sarif(200)
	if len(run.Results) != 200 || len(run.Tool.Driver.Rules) != 200 {
		t.Errorf("%d results of %d rules", len(run.Results), len(run.Tool.Driver.Rules))
	}
	levels := map[string]int{}
	for _, r := range run.Results {
		levels[r.Level]++
	}
	if levels[sarif.LevelNote] != 33 { // 84 high, 83 medium and what is left of 83 low
		t.Errorf("the worst results must stay, got %v", levels)
	}
	n := run.Invocations[0].ToolExecutionNotifications
	if len(n) != 1 || !strings.Contains(*n[0].Message.Text, "50 results were left out") {
		t.Errorf("the cut is not said: %v", n)
	}
}

func TestRelativeURI(t *testing.T) {
	for path, want := range map[string]string{
		"a/b c":    "a/b%20c",
		"a:b/c:d":  "a%3Ab/c:d",
		"/etc/x#y": "etc/x%23y",
		"é\xff":    "%C3%A9%FF",
		"//h/p":    "h/p",
	} {
		if got := relativeURI(path); got != want {
			t.Errorf("relativeURI(%q) = %q, want %q", path, got, want)
		}
	}
}

func TestLean(t *testing.T) {
	for in, want := range map[string]string{
		`{"index":-1}`:                            `{}`,
		`:-1,`:                                    `:-1,`,
		`{"index":-1,"a":1}`:                      `{"a":1}`,
		`{"a":1,"index":-1}`:                      `{"a":1}`,
		`{"a":1,"index":-1,"fixes":[]}`:           `{"a":1}`,
		`{"index":-1,"fixes":[],"taxa":[]}`:       `{}`,
		`{"index":1,"results":[],"fixes":[1]}`:    `{"index":1,"results":[],"fixes":[1]}`,
		`{"text":"\"index\":-1, \"fixes\":[],"}`:  `{"text":"\"index\":-1, \"fixes\":[],"}`,
		`{"x":[{"id":-1},{"id":-1,"rank":-1}]}`:   `{"x":[{},{}]}`,
		`{"text":"index","rank":-1,"b":"rank"}`:   `{"text":"index","b":"rank"}`,
		`{"fullyQualifiedName":"a:index","y":-1}`: `{"fullyQualifiedName":"a:index","y":-1}`,
	} {
		if got := string(lean([]byte(in))); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

// TestSARIFFingerprints: each result has its own, whatever the version of the
// package and the line of the file.
func TestSARIFFingerprints(t *testing.T) {
	of := func(r Report) (out []string) {
		log := decode[struct {
			Runs []struct {
				Results []struct {
					PartialFingerprints map[string]string `json:"partialFingerprints"`
				} `json:"results"`
			} `json:"runs"`
		}](t, write(t, FormatSARIF, r, Options{}))
		for _, r := range log.Runs[0].Results {
			out = append(out, r.PartialFingerprints["primaryLocationLineHash"], r.PartialFingerprints["breakwater/v1"])
		}
		return out
	}
	for name, r := range fixtures() {
		seen := map[string]bool{}
		for _, p := range of(r) {
			if seen[p] || p == "" {
				t.Errorf("%s: the fingerprint %q stands twice or is empty", name, p)
			}
			seen[p] = true
		}
	}
	two := func(version string, line int) Report {
		b := build("a").layers(1)
		for _, v := range []string{"1.0.0", version} {
			b.pkg(app("npm", "npm", "lodash", v, "app/node_modules/lodash/package.json", 1))
			b.vul(breakwater.Vulnerability{AdvisoryID: "GHSA-aaaa-bbbb-cccc", Severity: breakwater.SeverityHigh, Score: -1, EPSS: -1}, len(b.r.Inventory.Packages)-1)
		}
		for _, l := range []int{1, line} {
			b.finding(breakwater.Finding{Check: breakwater.CheckSecret, Rule: "r", Path: "etc/x", Line: l})
		}
		return b.r
	}
	if got := of(two("2.0.0", 7)); len(got) != 8 || !slices.Equal(got, of(two("3.0.0", 9))) {
		t.Errorf("the fingerprints change with version and line: %v", got)
	}
}
