package audit_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"breakwater"
	"breakwater/internal/audit"
)

// today is long after the end of Debian 8 and long before that of Debian 13.
func today() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

func newAuditor(t testing.TB, o audit.Options) *audit.Auditor {
	t.Helper()
	if o.Now == nil {
		o.Now = today
	}
	a, err := audit.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// inventory is an image that every check has something to say of.
func inventory() breakwater.Inventory {
	layer := breakwater.DigestOf([]byte("layer"))
	inv := breakwater.Inventory{
		Digest: breakwater.DigestOf([]byte("image")), OS: breakwater.OS{ID: "debian", VersionID: "8", Name: "Debian GNU/Linux 8 (jessie)"},
		Layers:  []breakwater.LayerRef{{Digest: layer}},
		History: []breakwater.History{{CreatedBy: "RUN chmod -R 777 /srv && curl http://example.com/x | sh"}},
		Configs: []breakwater.ConfigFile{
			{Kind: "sshd", Path: "etc/ssh/sshd_config", Layer: layer, Mode: 0o644, Entries: []breakwater.ConfigEntry{{Key: "PermitRootLogin", Value: "yes", Line: 3}}},
			{Kind: "shadow", Path: "etc/shadow", Layer: layer, Mode: 0o640, Weak: []breakwater.WeakPassword{
				{Service: "system", User: "ops", Path: "etc/shadow", Line: 2, Layer: layer, Scheme: "md5crypt", Reason: "built_in_list", Masked: "1***6", Micros: 5200}}},
		},
		Secrets: []breakwater.Secret{{Rule: "github-pat", Title: "GitHub token", Severity: breakwater.SeverityHigh, Path: "srv/x.py", Line: 4, Masked: "gh***8s", Layer: layer, Deleted: layer}},
		Malware: []breakwater.Malware{{Rule: "BW-MAL-001", Title: "Test file", Severity: breakwater.SeverityLow, Engine: "signature", Path: "opt/a.zip", Inside: "in/a.com", SHA256: strings.Repeat("a", 64), Size: 68, Layer: layer}},
	}
	for _, c := range breakwater.Checks() {
		inv.Coverage = append(inv.Coverage, breakwater.Coverage{Check: c, State: breakwater.StateDone})
	}
	return inv
}

func byCheck(list []breakwater.Finding) map[breakwater.Check][]breakwater.Finding {
	out := map[breakwater.Check][]breakwater.Finding{}
	for _, f := range list {
		out[f.Check] = append(out[f.Check], f)
	}
	return out
}

var judged = []breakwater.Check{breakwater.CheckFile, breakwater.CheckSecret, breakwater.CheckBaseline, breakwater.CheckCompliance, breakwater.CheckBuildCommand}

// TestJudge: each check finds what is planted for it, in the order of the checks,
// the same every time, and changes no fact.
func TestJudge(t *testing.T) {
	a := newAuditor(t, audit.Options{})
	inv := inventory()
	found := a.Judge(&inv)
	per := byCheck(found)
	for _, check := range judged {
		if len(per[check]) == 0 {
			t.Errorf("nothing of %s", check)
		}
	}
	for i := 1; i < len(found); i++ {
		if slices.Index(judged, found[i].Check) < slices.Index(judged, found[i-1].Check) {
			t.Errorf("%s behind %s", found[i].Check, found[i-1].Check)
		}
	}
	layer := inv.Layers[0].Digest
	if f := per[breakwater.CheckFile][0]; f.Path != "opt/a.zip" || f.Subject != "in/a.com" || f.Engine != "signature" || f.Size != 68 || f.Layer != layer || f.Deleted != "" {
		t.Errorf("a malicious file: %+v", f)
	}
	if f := per[breakwater.CheckSecret][0]; f.Current != "gh***8s" || f.Line != 4 || f.Deleted != layer || !strings.Contains(f.Remediation, "later layer") {
		t.Errorf("a secret: %+v", f)
	}
	weak := slices.IndexFunc(found, func(f breakwater.Finding) bool { return f.Rule == audit.RuleWeakPassword })
	if weak < 0 || found[weak].Subject != "ops" || found[weak].Current != "1***6" || found[weak].Millis != 5 || found[weak].Layer != layer || !strings.Contains(found[weak].Description, "most common") {
		t.Errorf("a weak password: %d %+v", weak, per[breakwater.CheckBaseline])
	}
	for _, f := range found {
		if f.Rule == "" || f.Title == "" || f.Severity == "" {
			t.Errorf("incomplete: %+v", f)
		}
	}
	fresh := inventory()
	again := a.Judge(&fresh)
	if diff := cmp.Diff(found, again); diff != "" {
		t.Errorf("judged again (-first +again):\n%s", diff)
	}
	fresh.Coverage, inv.Coverage = nil, nil
	untouched := inventory()
	untouched.Coverage = nil
	if diff := cmp.Diff(untouched, inv); diff != "" {
		t.Errorf("facts were changed:\n%s", diff)
	}
}

// TestNotAsked: facts of a check that was not asked for are not judged.
func TestNotAsked(t *testing.T) {
	inv := inventory()
	for i := range inv.Coverage {
		if inv.Coverage[i].Check == breakwater.CheckBaseline {
			inv.Coverage[i].State = breakwater.StateNotAsked
		}
	}
	if got := byCheck(newAuditor(t, audit.Options{}).Judge(&inv))[breakwater.CheckBaseline]; len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

// TestCrashingRules fail their own check and no other.
func TestCrashingRules(t *testing.T) {
	whole := inventory()
	want := byCheck(newAuditor(t, audit.Options{}).Judge(&whole))
	for _, broken := range []breakwater.Check{breakwater.CheckBaseline, breakwater.CheckCompliance, breakwater.CheckBuildCommand} {
		t.Run(string(broken), func(t *testing.T) {
			a := newAuditor(t, audit.Options{})
			a.Break(broken)
			inv := inventory()
			got := byCheck(a.Judge(&inv))
			for _, check := range judged {
				expect := want[check]
				if check == broken {
					expect = nil
				}
				if diff := cmp.Diff(expect, got[check]); diff != "" {
					t.Errorf("%s (-want +got):\n%s", check, diff)
				}
			}
			for _, c := range inv.Coverage {
				if c.Check == broken {
					if c.State != breakwater.StateFailed || c.Code != broken.Code() || c.Reason == "" {
						t.Errorf("coverage of what crashed: %+v", c)
					}
				} else if c.State != breakwater.StateDone || c.Code != "" {
					t.Errorf("coverage beside: %+v", c)
				}
			}
			if code, _ := inv.Failed(); code != broken.Code() {
				t.Errorf("the image's code is %q", code)
			}
		})
	}
}

// TestVersionOfRules: any change of any pack is another version, and the same
// rules are the same version.
func TestVersionOfRules(t *testing.T) {
	baseline := []byte("version: 1\ngroup: SSH\nrules:\n- id: OWN-SSH-1\n  title: A banner is shown\n  severity: low\n  description: x\n  audit: x\n  remediation: x\n  reference: ours\n  check: {directive: {kind: sshd, key: Banner, want: {present: true}}}\n")
	off := []byte("version: 1\ngroup: SSH\noff: [BW-ACC-001]\n")
	history := []byte("version: \"1\"\nrules:\n- id: OWN-BUILD-1\n  title: Editors\n  severity: low\n  description: x\n  remediation: x\n  match:\n  - instruction: [ENV]\n    env: 'EDITOR'\n")
	names := map[string]string{}
	for name, o := range map[string]audit.Options{"none": {}, "a baseline rule": {Baseline: baseline}, "a rule off": {Baseline: off}, "a build rule": {History: history}} {
		v := newAuditor(t, o).Version()
		if v != newAuditor(t, o).Version() {
			t.Errorf("%s: the version is another one every time", name)
		}
		if had := names[v]; had != "" {
			t.Errorf("%s and %s have one version", name, had)
		}
		names[v] = name
	}
	for name, o := range map[string]audit.Options{"baseline": {Baseline: []byte("rules: 7")}, "build command": {History: []byte("rules: 7")}, "software": {Compliance: []byte("rules: 7")}} {
		if _, err := audit.New(o); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("broken %s rules: %v", name, err)
		}
	}
}

// TestVersionOfDays: findings change on no day on which the version does not, and
// it changes on few days.
func TestVersionOfDays(t *testing.T) {
	var now time.Time
	a := newAuditor(t, audit.Options{Now: func() time.Time { return now }})
	var images []breakwater.Inventory
	for _, os := range []breakwater.OS{
		{ID: "debian", VersionID: "11", Name: "Debian GNU/Linux 11"}, {ID: "ubuntu", VersionID: "25.10", Name: "Ubuntu 25.10"}, {ID: "ubuntu", VersionID: "22.04", Name: "Ubuntu 22.04"},
		{ID: "alpine", VersionID: "3.20.1", Name: "Alpine Linux v3.20"}, {ID: "alpine", VersionID: "3.22.0", Name: "Alpine Linux v3.22"},
	} {
		inv := inventory()
		inv.OS = os
		images = append(images, inv)
	}
	findings := func() string {
		var out strings.Builder
		for _, inv := range images {
			inv.Coverage = slices.Clone(inv.Coverage)
			b, err := json.Marshal(a.Judge(&inv))
			if err != nil {
				t.Fatal(err)
			}
			out.Write(b)
		}
		return out.String()
	}
	end := time.Date(2027, 6, 1, 0, 0, 0, 0, time.UTC)
	lastVersion, lastFindings, versions, changes, days := "", "", 0, 0, 0
	for now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC); now.Before(end); now = now.Add(24 * time.Hour) {
		version, found := a.Version(), findings()
		if days > 0 && found != lastFindings {
			changes++
			if version == lastVersion {
				t.Errorf("%s: other findings by the same version", now.Format(time.DateTime))
			}
		}
		if version != lastVersion {
			versions++
		}
		lastVersion, lastFindings = version, found
		days++
	}
	if changes < 5 || versions > days/2 {
		t.Errorf("%d changes of findings, %d of versions in %d days", changes, versions, days)
	}
}

// TestGroups: every group of rules is told in words.
func TestGroups(t *testing.T) {
	groups := newAuditor(t, audit.Options{}).Groups()
	if len(groups) < 10 {
		t.Fatalf("groups: %q", groups)
	}
	for _, g := range groups {
		if text := audit.GroupDescription(g); text == g || text == "" {
			t.Errorf("group %s has no description", g)
		}
	}
	if text := audit.GroupDescription("Ours"); text != "Ours" {
		t.Errorf("an operator's group: %q", text)
	}
	if _, err := newAuditor(t, audit.Options{}).BaselineRule("NONE-1"); !breakwater.IsNotFound(err) {
		t.Errorf("a rule that is not there: %v", err)
	}
}
