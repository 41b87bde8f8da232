//go:build crash

package crash

import (
	"archive/zip"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// writeFeed writes the dump of an ecosystem to dir: an advisory for each of the
// packages p0, p1, …, all repaired by the same version. edition makes it newer.
func writeFeed(t *testing.T, dir, ecosystem string, packages, edition int) {
	t.Helper()
	must(t, os.MkdirAll(dir, 0o700))
	f, err := os.Create(filepath.Join(dir, ecosystem+".zip"))
	must(t, err)
	z := zip.NewWriter(f)
	modified := time.Date(2026, 1, 1, 0, 0, edition, 0, time.UTC).Format(time.RFC3339)
	for n := range packages {
		id := fmt.Sprintf("GHSA-%s-%05d", ecosystem, n)
		w, err := z.Create(id + ".json")
		must(t, err)
		_, err = fmt.Fprintf(w, `{"id":%q,"modified":%q,"aliases":["CVE-2026-%05d"],
			"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:N/A:N"}],
			"affected":[{"package":{"ecosystem":%q,"name":"p%d"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":%q}]}]}]}`,
			id, modified, n, ecosystem, n, repairedBy(edition))
		must(t, err)
	}
	must(t, z.Close())
	must(t, f.Close())
}

// repairedBy is the version that an edition of a feed says repairs everything.
func repairedBy(edition int) string { return fmt.Sprintf("7.%d.0", edition) }
