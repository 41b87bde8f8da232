package history

import (
	"fmt"
	"strings"
	"testing"

	"breakwater"

	"github.com/google/go-cmp/cmp"
)

// TestImageRules holds the rules about an image as a whole.
func TestImageRules(t *testing.T) {
	r := mustRules(t, "")
	user := []breakwater.History{step("RUN make"), empty("USER app")}
	for name, c := range map[string]struct {
		inv  breakwater.Inventory
		want []string
	}{
		"no user":          {breakwater.Inventory{}, []string{"060 no USER: the container runs as root"}},
		"user root":        {breakwater.Inventory{Setup: breakwater.Setup{User: "root:root"}}, []string{"060 USER root:root"}},
		"user 0":           {breakwater.Inventory{Setup: breakwater.Setup{User: "0:0"}}, []string{"060 USER 0:0"}},
		"user app":         {breakwater.Inventory{Setup: breakwater.Setup{User: "app"}, History: user}, nil},
		"user 1000":        {breakwater.Inventory{Setup: breakwater.Setup{User: "1000:0"}}, nil},
		"windows":          {breakwater.Inventory{Platform: breakwater.Platform{OS: "windows"}}, nil},
		"ssh port":         {breakwater.Inventory{Setup: breakwater.Setup{User: "a", Ports: []string{"22/tcp", "8080/tcp"}, Health: true}}, []string{"070 EXPOSE 22/tcp"}},
		"no health":        {breakwater.Inventory{Setup: breakwater.Setup{User: "a", Ports: []string{"80/tcp"}}}, []string{"074 no HEALTHCHECK; ports 80/tcp"}},
		"health in steps":  {breakwater.Inventory{Setup: breakwater.Setup{User: "a", Ports: []string{"80/tcp"}}, History: []breakwater.History{empty("HEALTHCHECK CMD curl x")}}, nil},
		"base label":       {breakwater.Inventory{Setup: breakwater.Setup{User: "a", Labels: map[string]string{baseNameLabel: "docker.io/library/debian:latest"}}}, []string{"045 FROM docker.io/library/debian:latest"}},
		"base label fixed": {breakwater.Inventory{Setup: breakwater.Setup{User: "a", Labels: map[string]string{baseNameLabel: "docker.io/library/debian:12"}}}, nil},
		"shell entrypoint": {breakwater.Inventory{Setup: breakwater.Setup{User: "a", Entrypoint: []string{"/bin/sh", "-c", "nginx -g x"}}}, []string{`083 ENTRYPOINT ["/bin/sh", "-c", "nginx -g x"]`}},
		"exec entrypoint":  {breakwater.Inventory{Setup: breakwater.Setup{User: "a", Entrypoint: []string{"/bin/sh", "-c", "exec nginx"}}}, nil},
		"unquoted":         {breakwater.Inventory{Setup: breakwater.Setup{User: "a", Entrypoint: []string{"/bin/sh", "-c", "exec app $@"}}}, []string{`084 ["/bin/sh", "-c", "exec app $@"]`}},
		"quoted":           {breakwater.Inventory{Setup: breakwater.Setup{User: "a", Entrypoint: []string{"/bin/sh", "-c", `exec app "$@"`}}}, nil},
	} {
		var got []string
		for _, f := range Check(c.inv, r) {
			if f.Where != breakwater.WhereConfig || f.Suggest == "" {
				t.Errorf("%s: where %q, suggest %q", name, f.Where, f.Suggest)
			}
			got = append(got, strings.TrimPrefix(f.Rule, "BW-BUILD-")+" "+f.Current)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestFindingIsWhole looks at one finding field by field.
func TestFindingIsWhole(t *testing.T) {
	inv := breakwater.Inventory{
		Setup:   breakwater.Setup{User: "app"},
		Layers:  []breakwater.LayerRef{{Digest: "sha256:a"}, {Digest: "sha256:b"}},
		History: []breakwater.History{step("ADD x.tar /"), empty("ENV A=b"), step("RUN /bin/sh -c set -e; curl -fsSLk https://x/a.tgz -o /a.tgz # buildkit")},
	}
	got := Check(inv, mustRules(t, ""))
	want := []breakwater.Finding{{
		Check: breakwater.CheckBuildCommand, Rule: "BW-BUILD-021", Title: "Certificate check switched off for a download", Severity: breakwater.SeverityHigh,
		Where: breakwater.WhereHistory, Path: "step 3", Line: 3, Layer: "sha256:b", Subject: "RUN",
		Current: "RUN set -e; curl -fsSLk https://x/a.tgz -o /a.tgz", Suggest: "curl -fsSL https://x/a.tgz -o /a.tgz",
		Remediation: mustRules(t, "").Rule("BW-BUILD-021").Remediation,
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestMaskedValuesStayMasked: what the caller masked is all that is told.
func TestMaskedValuesStayMasked(t *testing.T) {
	for _, f := range Check(breakwater.Inventory{Setup: breakwater.Setup{User: "a"}, History: []breakwater.History{empty("ENV DB_PASSWORD=***")}}, mustRules(t, "")) {
		if f.Current != "ENV DB_PASSWORD=***" || f.Subject != "DB_PASSWORD" {
			t.Errorf("%+v", f)
		}
	}
}

// TestCredentialsAreNotQuoted: what a rule recognises as a credential is in no
// finding of any rule, and Mask takes it out of the history.
func TestCredentialsAreNotQuoted(t *testing.T) {
	r := mustRules(t, "disable: [BW-BUILD-004]")
	for text, want := range map[string]string{
		`/bin/sh -c echo 'root:hunter2' | chpasswd; sudo make`:             `/bin/sh -c echo 'root:***' | chpasswd; sudo make`,
		`ENV DB_PASSWORD=hunter2`:                                          `ENV DB_PASSWORD=***`,
		`|2 V=1 NPM_TOKEN=hunter2 /bin/sh -c npm ci`:                       `|2 V=1 NPM_TOKEN=*** /bin/sh -c npm ci`,
		`RUN curl -ku bob:hunter2 http://x.org/a`:                          `RUN curl -ku bob:*** http://x.org/a`,
		`RUN git clone http://bob:hunter2@x.org/a.git`:                     `RUN git clone http://bob:***@x.org/a.git`,
		`RUN mysql -uroot -phunter2 && sudo make`:                          `RUN mysql -uroot -p*** && sudo make`,
		`RUN curl -k -H "Authorization: Bearer hunter2" https://x`:         `RUN curl -k -H "Authorization: Bearer ***" https://x`,
		`RUN echo hunter2 | passwd --stdin root && sudo make`:              `RUN echo *** | passwd --stdin root && sudo make`,
		`RUN aws configure set aws_secret_access_key hunter2 && sudo make`: `RUN aws configure set aws_secret_access_key *** && sudo make`,
		`RUN useradd -p hunter2 bob && sudo make`:                          `RUN useradd -p *** bob && sudo make`,
		`cmd /S /C net user bob hunter2 /add`:                              `cmd /S /C net user bob *** /add`,
		`RUN apt-get update && apt-get install -y curl`:                    `RUN apt-get update && apt-get install -y curl`,
	} {
		h := []breakwater.History{step(text)}
		if got := r.Mask(h)[0].CreatedBy; got != want {
			t.Errorf("%q is masked as %q", text, got)
		}
		for _, f := range Check(breakwater.Inventory{History: h}, r) {
			if strings.Contains(fmt.Sprint(f), "hunter2") {
				t.Errorf("%q: %+v", text, f)
			}
		}
	}
}

// TestFindingsOfOneRuleAreBounded: the last one says how many more there are.
func TestFindingsOfOneRuleAreBounded(t *testing.T) {
	var h []breakwater.History
	for range MaxSteps + 5 {
		h = append(h, step("RUN sudo make"))
	}
	inv := breakwater.Inventory{History: h, Setup: breakwater.Setup{User: "a"}}
	got := Check(inv, mustRules(t, ""))
	if len(got) != maxPerRule || got[maxPerRule-1].Description != fmt.Sprintf("%d more steps have the same fault.", MaxSteps-maxPerRule) {
		t.Errorf("%d findings, the last says %q", len(got), got[len(got)-1].Description)
	}
	if s := Skipped(inv); len(s) != 1 || s[0].Reason != "5 steps after the first 1000 were not looked at" {
		t.Errorf("%+v", s)
	}
}

// TestOwnRules: an operator adds, disables and changes rules.
func TestOwnRules(t *testing.T) {
	r := mustRules(t, `
disable: [BW-BUILD-060]
severity: {BW-BUILD-061: critical}
rules:
- id: OUR-1
  title: No Perl
  severity: high
  match: [{command: [perl]}]
`)
	var got []string
	for _, f := range Check(breakwater.Inventory{History: []breakwater.History{step("RUN sudo perl x")}}, r) {
		got = append(got, f.Rule+" "+string(f.Severity))
	}
	if diff := cmp.Diff([]string{"BW-BUILD-061 critical", "OUR-1 high"}, got); diff != "" {
		t.Error(diff)
	}
	if ours := mustRules(t, "").Version(); ours == r.Version() || !strings.HasPrefix(r.Version(), ours+"+") {
		t.Errorf("version %q over %q", r.Version(), ours)
	}
}

// TestRuleFileIsRefused: an error is of kind Invalid and says where.
func TestRuleFileIsRefused(t *testing.T) {
	one := func(s string) string { return "rules:\n- {id: X, title: t, severity: low, " + s + "}" }
	for own, want := range map[string]string{
		"{":                                           "no YAML",
		"nonsense: 1":                                 "another form",
		"a: &a [1]\nb: *a":                            "aliases",
		"disable: [X]":                                "no such rule",
		"severity: {X: low}":                          "no such rule",
		"severity: {BW-BUILD-001: bad}":               "a severity is",
		one("match: []"):                              "something to match",
		one("match: [{}]"):                            "nothing is matched",
		one("match: [{instruction: [NOPE]}]"):         "none of Dockerfile's",
		one("match: [{command: ['[']}]"):              "no glob",
		one("match: [{sub: [x], text: y}]"):           "need a command",
		one("match: [{command: [x], arg: '('}]"):      "another form",
		one("match: [{command: [x], operand: nope}]"): "no such operand",
		one("match: [{image: nope}]"):                 "no such image check",
		strings.Repeat("#", MaxRuleBytes+1):           "larger than",
		"rules:\n- {id: BW-BUILD-999, title: t, severity: low, match: [{text: x}]}": "are ours",
		"rules:\n- {id: X, title: t, severity: bad, match: [{text: x}]}":            "a severity is",
	} {
		_, err := LoadRules([]byte(own))
		if breakwater.KindOf(err) != breakwater.KindInvalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %v, want %q", own, err, want)
		}
	}
}
