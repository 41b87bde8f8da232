package report

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"

	"breakwater"
)

// cdxVulnerabilities has an entry for each advisory, with all that it affects.
func (v *view) cdxVulnerabilities() []cdx.Vulnerability {
	find := byIdentity(v.software)
	at := map[string]int{}
	out := []cdx.Vulnerability{}
	ratings := map[string]map[string]bool{}
	for _, vul := range v.Vulnerabilities {
		id := shownID(vul)
		i, ok := at[id]
		if !ok {
			i = len(out)
			at[id] = i
			out = append(out, cdxVulnerability(vul))
			ratings[id] = map[string]bool{}
		}
		entry := &out[i]
		for _, rating := range cdxRatings(vul) {
			key := string(rating.Severity) + rating.Vector
			if rating.Vector == "" {
				key += scoreText(vul.Score)
			}
			if !ratings[id][key] {
				ratings[id][key] = true
				*entry.Ratings = append(*entry.Ratings, rating)
			}
		}
		for _, p := range vul.Found {
			affect(entry, find[identityOf(p)])
		}
		if vul.Fixed != "" {
			advise(entry, "Upgrade "+vul.Package.Name+" "+vul.Package.Version+" to "+vul.Fixed+".")
		}
	}
	return out
}

func cdxVulnerability(vul breakwater.Vulnerability) cdx.Vulnerability {
	out := cdx.Vulnerability{
		BOMRef: "vulnerability:" + shownID(vul), ID: shownID(vul),
		Source:  &cdx.Source{Name: sourceName(vul.AdvisoryID, vul.Feed), URL: webURL(vul.URL)},
		Ratings: &[]cdx.VulnerabilityRating{}, Affects: &[]cdx.Affects{}, Description: vul.Summary,
	}
	var references []cdx.VulnerabilityReference
	for _, id := range otherIDs(vul) {
		references = append(references, cdx.VulnerabilityReference{ID: id, Source: &cdx.Source{Name: sourceName(id, vul.Feed)}})
	}
	if len(references) > 0 {
		out.References = &references
	}
	if u := webURL(vul.URL); u != "" {
		out.Advisories = &[]cdx.Advisory{{URL: u}}
	}
	if !vul.Published.IsZero() {
		out.Published = vul.Published.UTC().Format(time.RFC3339)
	}
	props := []cdx.Property{{Name: property + "kev", Value: strconv.FormatBool(vul.Exploited)}}
	if vul.EPSS >= 0 {
		props = append(props,
			cdx.Property{Name: property + "epss:score", Value: strconv.FormatFloat(vul.EPSS, 'f', -1, 64)},
			cdx.Property{Name: property + "epss:percentile", Value: strconv.FormatFloat(vul.Percentile, 'f', -1, 64)})
	}
	out.Properties = &props
	return out
}

// cdxRatings is a rating for each CVSS vector. Where none of them says the
// severity and the score that the report goes by (a distribution's own word, a
// score without a vector), that stands first, of the method "other".
func cdxRatings(vul breakwater.Vulnerability) []cdx.VulnerabilityRating {
	own := cdx.VulnerabilityRating{Severity: cdxSeverity(severityOf(vul)), Score: rated(vul.Score), Method: cdx.ScoringMethodOther}
	if vul.Feed != "" {
		own.Source = &cdx.Source{Name: vul.Feed}
	}
	out := []cdx.VulnerabilityRating{own}
	for _, c := range readVectors(vul) {
		if c.Severity == severityOf(vul) && c.Score == vul.Score && out[0].Vector == "" {
			out = out[1:]
		}
		out = append(out, cdx.VulnerabilityRating{
			Source: &cdx.Source{Name: sourceName(c.AdvisoryID, vul.Feed)}, Score: &c.Score,
			Severity: cdxBand(c.Severity), Method: cdxMethod(c.Version), Vector: c.Text,
		})
	}
	return out
}

func cdxMethod(version string) cdx.ScoringMethod {
	switch version {
	case "2.0":
		return cdx.ScoringMethodCVSSv2
	case "3.0":
		return cdx.ScoringMethodCVSSv3
	case "3.1":
		return cdx.ScoringMethodCVSSv31
	}
	return cdx.ScoringMethodCVSSv4
}

// cdxBand is the severity of a score; a score of 0 has the word "none".
func cdxBand(s breakwater.Severity) cdx.Severity {
	if s == "" {
		return cdx.SeverityNone
	}
	return cdxSeverity(s)
}

func cdxSeverity(s breakwater.Severity) cdx.Severity {
	switch s {
	case breakwater.SeverityCritical:
		return cdx.SeverityCritical
	case breakwater.SeverityHigh:
		return cdx.SeverityHigh
	case breakwater.SeverityMedium:
		return cdx.SeverityMedium
	case breakwater.SeverityLow:
		return cdx.SeverityLow
	}
	return cdx.SeverityUnknown
}

// affect adds a component to what a vulnerability affects, once.
func affect(entry *cdx.Vulnerability, c *component) {
	if c == nil || slices.ContainsFunc(*entry.Affects, func(a cdx.Affects) bool { return a.Ref == c.Ref }) {
		return
	}
	a := cdx.Affects{Ref: c.Ref}
	if c.Version != "" {
		a.Range = &[]cdx.AffectedVersions{{Version: c.Version, Status: cdx.VulnerabilityStatusAffected}}
	}
	*entry.Affects = append(*entry.Affects, a)
}

// advise adds a sentence to a recommendation, once.
func advise(entry *cdx.Vulnerability, text string) {
	switch {
	case entry.Recommendation == "":
		entry.Recommendation = text
	case !strings.Contains(entry.Recommendation, text):
		entry.Recommendation += " " + text
	}
}

// sourceName is who publishes ids that begin like this one.
func sourceName(id, feed string) string {
	for _, s := range []struct{ prefix, name string }{
		{"CVE-", "CVE"}, {"GHSA-", "GitHub Advisory Database"}, {"GO-", "Go Vulnerability Database"},
		{"PYSEC-", "PyPA Advisory Database"}, {"RUSTSEC-", "RustSec Advisory Database"}, {"DEBIAN-", "Debian"}, {"DSA-", "Debian"},
		{"DLA-", "Debian"}, {"UBUNTU-", "Ubuntu"}, {"USN-", "Ubuntu"}, {"ALPINE-", "Alpine"}, {"RHSA-", "Red Hat"},
		{"ALSA-", "AlmaLinux"}, {"RLSA-", "Rocky Linux"}, {"SUSE-", "SUSE"}, {"openSUSE-", "openSUSE"}, {"MAL-", "OpenSSF Malicious Packages"},
	} {
		if strings.HasPrefix(id, s.prefix) {
			return s.name
		}
	}
	if feed != "" {
		return feed
	}
	return "OSV"
}

// webURL is a link to a page; anything else is left out.
func webURL(s string) string {
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" {
		return ""
	}
	return u.String()
}

// cdxCompositions says how complete the lists are.
func (v *view) cdxCompositions(root string, list []cdx.Vulnerability) *[]cdx.Composition {
	aggregate := func(checks ...breakwater.Check) cdx.CompositionAggregate {
		if v.gapIn(checks...) {
			return cdx.CompositionAggregateIncomplete
		}
		return cdx.CompositionAggregateUnknown
	}
	out := []cdx.Composition{{
		BOMRef: "composition:software", Aggregate: aggregate(breakwater.CheckSoftware),
		Assemblies: &[]cdx.BOMReference{cdx.BOMReference(root)}, Dependencies: &[]cdx.BOMReference{cdx.BOMReference(root)},
	}}
	refs := make([]cdx.BOMReference, 0, len(list))
	for _, e := range list {
		refs = append(refs, cdx.BOMReference(e.BOMRef))
	}
	out = append(out, cdx.Composition{
		BOMRef: "composition:vulnerabilities", Vulnerabilities: &refs,
		Aggregate: aggregate(breakwater.CheckSoftware, breakwater.CheckVulnerability),
	})
	return &out
}

// cdxAnnotations has one for each thing that was not looked at.
func (v *view) cdxAnnotations(root string) *[]cdx.Annotation {
	if len(v.gaps) == 0 {
		return nil
	}
	out := make([]cdx.Annotation, 0, len(v.gaps))
	for i, g := range v.gaps {
		tool := v.cdxTool()
		out = append(out, cdx.Annotation{
			BOMRef: "gap:" + strconv.Itoa(i+1), Subjects: &[]cdx.BOMReference{cdx.BOMReference(root)},
			Annotator: &cdx.Annotator{Component: &tool}, Timestamp: v.timestamp(), Text: g.Text,
		})
	}
	return &out
}
