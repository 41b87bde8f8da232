// Command starter makes the advisory set that ships in the binary, from a
// directory of feeds. It is a tool of the developers:
//
//	go run ./cmd/starter -from DIR -out internal/osv/starter
//
// What it writes are facts only: ids, aliases, packages, versions, severities
// and dates; no prose and no addresses. Sources that may not be passed on under
// the terms of this project are left out (feedsToShip); NOTICE names the others.
package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"breakwater"
	"breakwater/internal/match"
	"breakwater/internal/osv"
)

// feedsToShip lists the ecosystems whose sources allow it. Ubuntu's tracker is
// CC-BY-SA and would have to be separate data under the same licence.
var feedsToShip = []string{
	"AlmaLinux", "Alpine", "Azure Linux", "Bitnami", "Debian", "Go", "Maven", "NuGet", "Packagist", "PyPI", "Rocky Linux", "RubyGems", "crates.io", "npm",
}

// maxBytes is what the whole set may weigh.
const maxBytes = 8 << 20

func main() {
	from := flag.String("from", "", "directory of feeds")
	out := flag.String("out", "internal/osv/starter", "directory to write to")
	flag.Parse()
	if err := run(context.Background(), *from, *out); err != nil {
		fmt.Fprintln(os.Stderr, "starter:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, from, out string) error {
	source := osv.NewDir(from, osv.Options{})
	cves := map[string]bool{}
	total := 0
	for _, name := range feedsToShip {
		n, err := ecosystem(ctx, source, name, out, cves)
		if err != nil {
			return err
		}
		total += n
	}
	for _, small := range []func(context.Context, osv.Source, string, map[string]bool) (int, error){exploited, likelihoods} {
		n, err := small(ctx, source, out, cves)
		if err != nil {
			return err
		}
		total += n
	}
	fmt.Printf("%d bytes in all, limit %d\n", total, maxBytes)
	if total > maxBytes {
		return fmt.Errorf("the set is larger than %d bytes", maxBytes)
	}
	return nil
}

// ecosystem writes one feed and notes the CVEs it speaks of.
func ecosystem(ctx context.Context, source osv.Source, name, out string, cves map[string]bool) (int, error) {
	dump, err := source.Open(ctx, name, breakwater.Feed{})
	if err != nil {
		return 0, err
	}
	defer func() { _ = dump.Close() }()
	var report osv.Report
	var list []breakwater.Advisory
	for a, err := range dump.Advisories(ctx, &report) {
		if err != nil {
			return 0, err
		}
		if !match.Vulnerability(a) {
			continue
		}
		list = append(list, facts(a))
		for _, cve := range a.CVEs() {
			cves[cve] = true
		}
	}
	// Records of the same packages side by side pack best.
	slices.SortFunc(list, func(a, b breakwater.Advisory) int {
		return cmp.Or(cmp.Compare(a.Affected[0].Name, b.Affected[0].Name), cmp.Compare(a.ID, b.ID))
	})
	var lines bytes.Buffer
	enc := json.NewEncoder(&lines)
	enc.SetEscapeHTML(false)
	for _, a := range list {
		if err := enc.Encode(a); err != nil {
			return 0, err
		}
	}
	return write(out, osv.StarterHeader{Feed: name, Dated: report.Newest, Records: len(list)}, &lines)
}

// facts strips a record of prose and addresses, and of the versions listed one
// by one that its ranges say already.
func facts(a breakwater.Advisory) breakwater.Advisory {
	a.Summary, a.URL = "", ""
	a.Modified = a.Modified.Truncate(time.Second)
	a.Published = a.Published.Truncate(time.Second)
	for i, entry := range a.Affected {
		ranges := entry
		ranges.Versions = nil
		a.Affected[i].Versions = slices.DeleteFunc(entry.Versions, func(v string) bool {
			covered, _, err := match.Affects(ranges, v)
			return err == nil && covered
		})
		for j, r := range entry.Ranges {
			a.Affected[i].Ranges[j].Events = slices.Compact(r.Events)
		}
	}
	return a
}

func exploited(ctx context.Context, source osv.Source, out string, _ map[string]bool) (int, error) {
	dump, err := source.Open(ctx, breakwater.FeedKEV, breakwater.Feed{})
	if err != nil {
		return 0, err
	}
	defer func() { _ = dump.Close() }()
	var report osv.Report
	list, err := dump.Exploited(ctx, &report)
	if err != nil {
		return 0, err
	}
	type line struct {
		CVE        string `json:"cveID"`
		Added      string `json:"dateAdded"`
		Due        string `json:"dueDate"`
		Ransomware string `json:"knownRansomwareCampaignUse,omitempty"`
	}
	catalogue := struct {
		Released time.Time `json:"dateReleased"`
		Count    int       `json:"count"`
		List     []line    `json:"vulnerabilities"`
	}{report.Newest, len(list), nil}
	for _, e := range list {
		l := line{CVE: e.CVE, Added: e.Added.Format(time.DateOnly), Due: e.Due.Format(time.DateOnly)}
		if e.Ransomware {
			l.Ransomware = "Known"
		}
		catalogue.List = append(catalogue.List, l)
	}
	body, err := json.Marshal(catalogue)
	if err != nil {
		return 0, err
	}
	return write(out, osv.StarterHeader{Feed: breakwater.FeedKEV, Dated: report.Newest, Records: len(list)}, bytes.NewBuffer(body))
}

// likelihoods keeps the scores of CVEs that the set speaks of, rounded.
func likelihoods(ctx context.Context, source osv.Source, out string, cves map[string]bool) (int, error) {
	dump, err := source.Open(ctx, breakwater.FeedEPSS, breakwater.Feed{})
	if err != nil {
		return 0, err
	}
	defer func() { _ = dump.Close() }()
	var report osv.Report
	var lines bytes.Buffer
	n := 0
	for l, err := range dump.Likelihoods(ctx, &report) {
		if err != nil {
			return 0, err
		}
		if cves[l.CVE] {
			n++
			fmt.Fprintf(&lines, "%s,%v,%v\n", l.CVE, round(l.Score), round(l.Percentile))
		}
	}
	head := fmt.Sprintf("#score_date:%s\ncve,epss,percentile\n", report.Newest.Format(time.RFC3339))
	return write(out, osv.StarterHeader{Feed: breakwater.FeedEPSS, Dated: report.Newest, Records: n}, bytes.NewBufferString(head+lines.String()))
}

func round(x float64) float64 { return math.Round(x*1000) / 1000 }

// write packs one file of the set and answers its size.
func write(out string, header osv.StarterHeader, lines *bytes.Buffer) (int, error) {
	plain := lines.Len()
	var packed bytes.Buffer
	if err := osv.WriteStarter(&packed, header, lines); err != nil {
		return 0, err
	}
	fmt.Printf("%-12s %7d records  %9d bytes, packed %8d\n", header.Feed, header.Records, plain, packed.Len())
	return packed.Len(), os.WriteFile(filepath.Join(out, header.Feed+".zst"), packed.Bytes(), 0o644)
}
