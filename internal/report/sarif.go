package report

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"breakwater"
)

// Limits of what GitHub's code scanning takes of one run (its documentation,
// "SARIF support for code scanning", "Validating your SARIF file").
const (
	maxResults   = 25_000
	maxLocations = 100 // of one result; 1,000 are taken and 100 kept
)

// rootID stands for the root of the image's file system in every location.
const rootID = "IMAGEROOT"

// configFile stands for the image's configuration in a location: the findings of
// the environment, labels and history lie in it and in no file.
const configFile = "image-config.json"

// sarifRun collects the one run of a SARIF log.
type sarifRun struct {
	view  *view
	run   *sarif.Run
	rules map[string]int // id → index in the driver's rules
	seen  map[string]int // how many results have a fingerprint
	limit int            // of results
	cut   int            // results that were too many
}

// writeSARIF writes SARIF 2.1.0 (OASIS standard, errata 01).
func writeSARIF(w io.Writer, v *view) error {
	log := sarif.NewReport()
	log.Schema = "https://json.schemastore.org/sarif-2.1.0.json"
	log.AddRun(v.sarif(maxResults))
	var b bytes.Buffer
	if err := log.Write(&b); err != nil {
		return err
	}
	_, err := w.Write(append(lean(b.Bytes()), '\n'))
	return err
}

// sarif is the one run of the log, with at most limit results.
func (v *view) sarif(limit int) *sarif.Run {
	s := &sarifRun{view: v, run: sarif.NewRun(), rules: map[string]int{}, seen: map[string]int{}, limit: limit}
	driver := sarif.NewToolComponent().WithName(v.Tool)
	if v.Version != "" {
		driver.WithVersion(v.Version)
	}
	s.run.Tool = sarif.NewTool().WithDriver(driver)
	s.run.WithColumnKind("unicodeCodePoints")
	s.run.WithOriginalUriBaseIds(map[string]sarif.ArtifactLocation{rootID: *sarif.NewArtifactLocation().WithURI("file:///").
		WithDescription(sarif.NewTextMessage("The root of the image's file system."))})
	s.run.WithAutomationDetails(sarif.NewRunAutomationDetails().WithID("breakwater/" + cmp.Or(v.Name, "image") + "/"))
	for _, vul := range v.Vulnerabilities {
		s.vulnerability(vul)
	}
	for _, f := range v.Findings {
		s.finding(f)
	}
	s.invocation()
	s.run.WithProperties(sarif.NewPropertyBag().
		Add("imageName", v.Name).Add("imageDigest", string(v.Digest)).Add("operatingSystem", v.osName()).
		Add("exempted", v.Exempted).Add("unfixedLeftOut", v.Unfixed).Add("complete", complete(v.checks)))
	return s.run
}

// full reports whether there is no room for one more result, and counts it then.
// The lists are sorted, so what does not fit of a kind is the least bad.
func (s *sarifRun) full() bool {
	if len(s.run.Results) < s.limit {
		return false
	}
	s.cut++
	return true
}

// result adds a result of a rule that is known already. What print stands for
// outlives new versions and moved lines, so several results may have it: they are
// told apart by their number, as code scanning does with equal lines.
func (s *sarifRun) result(rule string, severity breakwater.Severity, text, print string) *sarif.Result {
	r := sarif.NewRuleResult(rule).WithRuleIndex(s.rules[rule]).WithLevel(sarifLevel(severity)).
		WithMessage(sarif.NewTextMessage(sarifText(text)))
	s.seen[print]++
	n := ":" + strconv.Itoa(s.seen[print])
	whole := print
	if s.seen[print] > 1 {
		whole += n
	}
	r.WithPartialFingerprints(map[string]string{"primaryLocationLineHash": print[:16] + n, "breakwater/v1": whole})
	s.run.AddResult(r)
	return r
}

func (s *sarifRun) vulnerability(vul breakwater.Vulnerability) {
	if s.full() {
		return
	}
	v := s.view
	s.vulnerabilityRule(vul)
	text := fmt.Sprintf("%s %s is affected by %s", packageTitle(vul), vul.Package.Version, shownID(vul))
	if vul.Summary != "" {
		text += ": " + strings.TrimSuffix(vul.Summary, ".")
	}
	text += ". "
	if vul.Fixed != "" {
		text += "Upgrade to " + vul.Fixed + "."
	} else {
		text += "No version is known that repairs it."
	}
	if vul.Exploited {
		text += " Attackers are known to use it."
	}
	r := s.result(shownID(vul), severityOf(vul), text, hashOf("vulnerability", shownID(vul), vul.Package.Ecosystem, vul.Package.Name))
	for i, p := range vul.Found {
		if i == maxLocations {
			break
		}
		r.AddLocation(v.sarifLocation(p.Path, 0, p.Layer, logical("package", p.Name+"@"+p.Version)))
	}
	if len(vul.Found) == 0 {
		r.AddLocation(v.sarifLocation("", 0, "", logical("package", vul.Package.Name+"@"+vul.Package.Version)))
	}
	bag := sarif.NewPropertyBag().Add("package", vul.Package.Name).Add("installed", vul.Package.Version).
		Add("fixed", vul.Fixed).Add("exploited", vul.Exploited).Add("inherited", v.inheritedVulnerability(vul))
	if vul.EPSS >= 0 {
		bag.Add("epss", vul.EPSS)
	}
	r.WithProperties(bag)
}

func (s *sarifRun) finding(f breakwater.Finding) {
	if s.full() {
		return
	}
	v := s.view
	rule := s.findingRule(f)
	text := cmp.Or(f.Title, f.Rule)
	if subject := strings.TrimSpace(f.Subject + " " + f.Version); subject != "" {
		text += " (" + subject + ")"
	}
	if f.Current != "" {
		text += ": " + f.Current
	}
	text = strings.TrimSuffix(text, ".") + "."
	if f.Suggest != "" {
		text += " Should be: " + f.Suggest
	}
	if f.Deleted != "" {
		text += " A later layer deletes the file, but the image still carries it."
	}
	print := hashOf(string(f.Check), f.Rule, string(f.Where), f.Path, f.Subject)
	r := s.result(rule, f.Severity, text, print)
	path, at := f.Path, logical("", "")
	if f.Where != breakwater.WhereFile {
		path, at = configFile, logical(string(f.Where), f.Path)
	} else if f.Subject != "" {
		at = logical("subject", f.Subject)
	}
	r.AddLocation(v.sarifLocation(path, f.Line, f.Layer, at))
	r.WithProperties(sarif.NewPropertyBag().Add("check", string(f.Check)).Add("inherited", v.inherited(f.Layer)).
		Add("deletedInLaterLayer", f.Deleted != ""))
}

// logical names something that is no file; nil when there is no name.
func logical(kind, name string) *sarif.LogicalLocation {
	if name == "" {
		return nil
	}
	name = plain(name)
	l := sarif.NewLogicalLocation().WithName(name).WithFullyQualifiedName(kind + ":" + name)
	if kind != "" {
		l.WithKind(kind)
	}
	return l
}

// sarifLocation is a file of the image, or its configuration when there is none.
// Code scanning wants a line of every location; where none is known it is the first.
func (v *view) sarifLocation(path string, line int, layer breakwater.Digest, what *sarif.LogicalLocation) *sarif.Location {
	if path == "" {
		path = configFile
	}
	l := sarif.NewLocation().WithPhysicalLocation(sarif.NewPhysicalLocation().
		WithArtifactLocation(sarif.NewArtifactLocation().WithURI(relativeURI(path)).WithURIBaseID(rootID)).
		WithRegion(sarif.NewRegion().WithStartLine(max(line, 1))))
	if what != nil {
		l.AddLogicalLocation(what)
	}
	if layer != "" {
		l.AddLogicalLocation(logical("layer", string(layer)))
	}
	return l
}

// relativeURI is a path as a relative URI (RFC 3986): its first segment has no colon.
func relativeURI(path string) string {
	segments := strings.Split(strings.TrimLeft(path, "/"), "/")
	for i, s := range segments {
		segments[i] = url.PathEscape(s)
	}
	segments[0] = strings.ReplaceAll(segments[0], ":", "%3A")
	return strings.Join(segments, "/")
}

func sarifLevel(s breakwater.Severity) string {
	switch s {
	case breakwater.SeverityCritical, breakwater.SeverityHigh:
		return sarif.LevelError
	case breakwater.SeverityLow:
		return sarif.LevelNote
	}
	return sarif.LevelWarning
}

// sarifText makes foreign text fit for a message: one line, without links
// (SARIF 3.11.6 gives "[text](target)" a meaning in every message).
func sarifText(s string) string {
	return strings.ReplaceAll(plain(s), "](", "] (")
}

// invocation says how the scan went, and what it did not look at.
func (s *sarifRun) invocation() {
	v := s.view
	failed := false
	i := sarif.NewInvocation()
	for _, g := range v.gaps {
		n := sarif.NewNotification().WithMessage(sarif.NewTextMessage(sarifText(g.Text)))
		id := "check-incomplete"
		switch {
		case g.Skip != nil:
			id = "file-skipped"
			n.WithLevel(sarif.LevelWarning).AddLocation(v.sarifLocation(g.Skip.Path, 0, g.Skip.Layer, nil))
		case g.State == breakwater.StateNotAsked:
			id = "check-not-asked"
			n.WithLevel(sarif.LevelNote)
		case g.State == breakwater.StateNotBuilt:
			id = "check-not-available"
			n.WithLevel(sarif.LevelWarning)
		case g.State != breakwater.StateDone:
			id, failed = "check-failed", true
			n.WithLevel(sarif.LevelError)
		}
		i.AddToolExecutionNotification(n.WithDescriptor(s.notice(id)))
	}
	if s.cut > 0 {
		i.AddToolExecutionNotification(sarif.NewNotification().WithLevel(sarif.LevelWarning).WithDescriptor(s.notice("results-cut")).
			WithMessage(sarif.NewTextMessage(fmt.Sprintf("%d results were left out, because a run may have %d.", s.cut, s.limit))))
	}
	i.WithExecutionSuccessful(!failed)
	if !v.Time.IsZero() {
		i.WithEndTimeUtc(v.timestamp())
	}
	s.run.AddInvocation(i)
}
