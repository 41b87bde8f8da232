package report

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"breakwater"
)

func TestJSONIsAsItsSchemaSays(t *testing.T) {
	const id = "urn:breakwater:report:1"
	s := validator(t, id, map[string][]byte{id: Schema()})
	for name, r := range fixtures() {
		validate(t, s, name, write(t, FormatJSON, r, Options{}))
	}
}

// TestSchemaIsCopied makes sure that a caller cannot change the schema.
func TestSchemaIsCopied(t *testing.T) {
	Schema()[0] = 'x'
	if Schema()[0] != '{' {
		t.Error("the embedded schema was changed")
	}
}

func TestJSONSaysEverything(t *testing.T) {
	r := debian()
	d := decode[document](t, write(t, FormatJSON, r, Options{}))
	if d.SchemaVersion != 1 || d.Image.Digest != r.Digest || d.Image.Size != 60<<20 {
		t.Errorf("head: version %d, digest %s, size %d", d.SchemaVersion, d.Image.Digest, d.Image.Size)
	}
	if len(d.Vulnerabilities) != 5 || len(d.Findings) != 7 || len(d.Packages) != 10 || len(d.Feeds) != 3 || len(d.Coverage) != 8 {
		t.Errorf("%d vulnerabilities, %d findings, %d packages, %d feeds, %d checks",
			len(d.Vulnerabilities), len(d.Findings), len(d.Packages), len(d.Feeds), len(d.Coverage))
	}
	// Log4Shell is the worst: high with a score of 10 is critical.
	worst := d.Vulnerabilities[0]
	if worst.ID != "GHSA-jfh8-c2jp-5v3q" || worst.Severity != breakwater.SeverityCritical || !worst.Exploited || worst.Inherited {
		t.Errorf("worst: %+v", worst)
	}
	if want := (Counts{Critical: 2, High: 6, Medium: 3, Low: 1}); d.Summary.Counts != want {
		t.Errorf("counts %+v, want %+v", d.Summary.Counts, want)
	}
	if d.Summary.Complete || d.Summary.Exempted != 2 || d.Summary.Unfixed != 1 {
		t.Errorf("summary %+v", d.Summary)
	}
	// Three vulnerabilities and the sniffer are in the base's layer.
	if d.Base.Inherited != 4 || d.Base.Added != 8 || d.Base.Removes == nil || *d.Base.Removes != 2 {
		t.Errorf("base %+v", d.Base)
	}
	var got []string
	for _, p := range d.Packages {
		got = append(got, p.Name+": "+p.Licence)
	}
	want := []string{"bsdutils: ", "libssl3: ", "openssl: Apache-2.0", "python3-yaml: MIT", "github.com/foo/bar: ",
		"org.apache.logging.log4j:log4j-core: Apache-2.0", "pyyaml: MIT", "@scope/left-pad: (MIT OR Apache-2.0)", "lodash: MIT", "lodash: MIT"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("licences (-want +got):\n%s", diff)
	}
}

func TestUnknownNumbersAreNull(t *testing.T) {
	d := decode[document](t, write(t, FormatJSON, debian(), Options{}))
	for _, v := range d.Vulnerabilities {
		if v.ID == "DEBIAN-CVE-2024-0002" && (v.Score != nil || v.EPSS != nil || v.Percentile != nil || v.Published != nil) {
			t.Errorf("%+v", v)
		}
	}
	if d := decode[document](t, write(t, FormatJSON, Report{}, Options{})); d.ScannedAt != nil || d.Base != nil {
		t.Errorf("a report of nothing: %+v", d)
	}
}
