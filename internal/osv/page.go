package osv

import (
	"encoding/json"
	"net/url"
	"strings"
)

// pageOf is where people read the advisory: the page its database names, else
// the reference that bears its id, else its entry at osv.dev, which has a page
// for every record it serves. A reference about something else (a commit, an
// article) is not the advisory.
func pageOf(r record) string {
	var own struct {
		URL string `json:"url"`
	}
	if json.Unmarshal(r.DatabaseSpecific, &own) == nil && validPage(own.URL) {
		return own.URL
	}
	// ALSA-2024:2193 is written ALSA-2024-2193 in its own address, and
	// DEBIAN-CVE-… is shown by its tracker under the bare CVE.
	marks := []string{r.ID, strings.ReplaceAll(r.ID, ":", "-")}
	if i := strings.Index(r.ID, "-CVE-"); i > 0 {
		marks = append(marks, r.ID[i+1:])
	}
	for _, kind := range []string{"ADVISORY", "WEB", "REPORT"} {
		for _, ref := range r.References {
			if ref.Type != kind || !validPage(ref.URL) {
				continue
			}
			for _, m := range marks {
				if strings.Contains(strings.ToLower(ref.URL), strings.ToLower(m)) {
					return ref.URL
				}
			}
		}
	}
	// Ids of databases that OSV does not register have no entry there.
	if strings.HasPrefix(r.ID, "x_") {
		for _, ref := range r.References {
			if (ref.Type == "ADVISORY" || ref.Type == "WEB") && validPage(ref.URL) {
				return ref.URL
			}
		}
	}
	return "https://osv.dev/vulnerability/" + url.PathEscape(r.ID)
}

// validPage admits absolute http(s) addresses that hold no credentials.
func validPage(s string) bool {
	if !printable(s, maxURL) || strings.ContainsAny(s, " \"'<>`\\") {
		return false
	}
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil
}
