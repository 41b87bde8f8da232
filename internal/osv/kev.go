package osv

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"breakwater"
)

// Exploited reads CISA's catalogue whole (a few thousand lines). The whole
// catalogue is needed: an entry that is missing would lower a severity. So more
// than one broken line in a hundred, none at all, or fewer lines than the
// catalogue itself counts, is refused.
func (d *Dump) Exploited(ctx context.Context, report *Report) ([]breakwater.Exploited, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	in, err := d.reader()
	if err != nil {
		return nil, d.wrap(err)
	}
	defer func() { _ = in.Close() }()
	out, err := parseKEV(io.LimitReader(in, d.limits.Entry+1), d.limits.Entry, report)
	if err != nil {
		return nil, d.wrap(err)
	}
	return out, nil
}

func parseKEV(r io.Reader, limit int64, report *Report) ([]breakwater.Exploited, error) {
	body, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	if int64(len(body)) > limit {
		return nil, errors.New("the catalogue is larger than the limit")
	}
	var catalogue struct {
		Released string `json:"dateReleased"`
		Count    int    `json:"count"`
		List     []struct {
			CVE        string `json:"cveID"`
			Added      string `json:"dateAdded"`
			Due        string `json:"dueDate"`
			Ransomware string `json:"knownRansomwareCampaignUse"`
		} `json:"vulnerabilities"`
	}
	if err := json.Unmarshal(body, &catalogue); err != nil {
		return nil, fmt.Errorf("not a KEV catalogue: %w", shortJSONError(err))
	}
	seen := map[string]bool{}
	out := make([]breakwater.Exploited, 0, len(catalogue.List))
	for i, v := range catalogue.List {
		added, err := time.Parse(time.DateOnly, v.Added)
		if err != nil || !breakwater.IsCVE(v.CVE) || seen[v.CVE] {
			report.broken(fmt.Sprintf("line %d", i+1), errors.New("no CVE, a repeated one, or no date"))
			continue
		}
		seen[v.CVE] = true
		due, _ := time.Parse(time.DateOnly, v.Due) // decoration: zero when malformed
		out = append(out, breakwater.Exploited{CVE: v.CVE, Added: added, Due: due, Ransomware: strings.EqualFold(v.Ransomware, "Known")})
		if added.After(report.Newest) {
			report.Newest = added
		}
	}
	report.Records = len(out)
	if catalogue.Count > len(catalogue.List) {
		return nil, errors.New("the catalogue holds fewer lines than it says")
	}
	if released, err := parseTime(catalogue.Released); err == nil && released.After(report.Newest) {
		report.Newest = released
	}
	return out, report.verdict()
}

// reader is the dump's bytes from the beginning.
func (d *Dump) reader() (io.ReadCloser, error) {
	if d.starts != nil {
		return d.starts()
	}
	return io.NopCloser(io.NewSectionReader(d.file, 0, d.size)), nil
}
