package storebench

import (
	"archive/zip"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"breakwater"
)

// Advisories is the feeds of a rematch benchmark at one of their states.
type Advisories struct {
	software *Software
	list     []record
	state    int
	changed  map[int]record // what the last Step replaced; a zero record for a new one
}

// record is an advisory about one name: every version below fixed is affected.
type record struct {
	name
	id        string
	fixed     int // 0 for a record that is not there
	severity  breakwater.Severity
	withdrawn bool
	gone      bool // no longer in the dump
	state     int  // that wrote it
}

// affects tells whether a finding follows for a version.
func (r record) affects(version int) bool {
	return r.fixed > 0 && !r.withdrawn && !r.gone && version < r.fixed
}

// NewAdvisories writes so many records in their first state.
func NewAdvisories(s *Software, records int) *Advisories {
	a := &Advisories{software: s}
	rnd := rand.New(rand.NewPCG(5, 0))
	for range records {
		a.publish(rnd, a.somewhere(rnd))
	}
	return a
}

// somewhere is a name that a record may speak of: 4 in 10 are Debian's.
func (a *Advisories) somewhere(rnd *rand.Rand) name {
	s := a.software
	if rnd.IntN(10) < 4 {
		return s.names[rnd.IntN(s.debian)]
	}
	return s.names[s.debian+rnd.IntN(len(s.names)-s.debian)]
}

func (a *Advisories) publish(rnd *rand.Rand, about name) {
	n := len(a.list)
	id := fmt.Sprintf("GHSA-%04x-bench", n)
	if about.ecosystem != "npm" {
		id = fmt.Sprintf("DEBIAN-CVE-%d-%06d", 2000+n%26, n)
	}
	r := record{name: about, id: id, state: a.state}
	r.fixed, r.severity = a.fix(rnd, about), severity(rnd)
	a.list = append(a.list, r)
}

// fix is the number of the version that repairs: most problems are old.
func (a *Advisories) fix(rnd *rand.Rand, about name) int {
	return 1 + skewed(rnd, len(a.software.byName[about]))
}

func severity(rnd *rand.Rand) breakwater.Severity {
	return pick(rnd, breakwater.SeverityHigh, breakwater.SeverityMedium, breakwater.SeverityMedium, breakwater.SeverityLow)
}

// Step is the next state of the feeds, in which about n records are different:
// 3 in 10 are new, the others have another fix, another severity, are withdrawn
// or no longer there. Debian's come in heaps about one package, as they do.
func (a *Advisories) Step(n int) {
	a.state++
	a.changed = map[int]record{}
	rnd := rand.New(rand.NewPCG(9, uint64(a.state)))
	byName := map[name][]int{}
	for i, r := range a.list {
		byName[r.name] = append(byName[r.name], i)
	}
	var heap name
	for k := range n {
		about := a.somewhere(rnd)
		if about.ecosystem != "npm" {
			if heap.name == "" || k%25 == 0 {
				heap = about
			}
			about = heap
		}
		old := byName[about]
		if rnd.IntN(10) < 3 || len(old) == 0 {
			a.changed[len(a.list)] = record{}
			a.publish(rnd, about)
			continue
		}
		i := old[rnd.IntN(len(old))]
		if _, done := a.changed[i]; done || a.list[i].gone {
			a.changed[len(a.list)] = record{}
			a.publish(rnd, about)
			continue
		}
		a.changed[i] = a.list[i]
		a.alter(rnd, &a.list[i])
	}
}

func (a *Advisories) alter(rnd *rand.Rand, r *record) {
	r.state = a.state
	switch n := rnd.IntN(7); {
	case n < 4:
		r.fixed = a.fix(rnd, r.name)
	case n < 5:
		r.severity = severity(rnd)
	case n < 6:
		r.withdrawn = true
	default:
		r.gone = true
	}
}

// Write writes the feeds as a directory of OSV dumps.
func (a *Advisories) Write(dir string) error {
	for _, feed := range []string{"Debian", "npm"} {
		if err := a.writeFeed(filepath.Join(dir, feed+".zip"), feed); err != nil {
			return err
		}
	}
	return nil
}

func (a *Advisories) writeFeed(path, feed string) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() {
		if e := f.Close(); err == nil {
			err = e
		}
	}()
	z := zip.NewWriter(f)
	for _, r := range a.list {
		if breakwater.BaseEcosystem(r.ecosystem) != feed || r.gone {
			continue
		}
		w, err := z.Create(r.id + ".json")
		if err != nil {
			return err
		}
		if err := r.write(w); err != nil {
			return err
		}
	}
	return z.Close()
}

var vectors = map[breakwater.Severity]string{
	breakwater.SeverityHigh:   "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
	breakwater.SeverityMedium: "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:N/A:N",
	breakwater.SeverityLow:    "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N",
}

// write makes a record of about the size of a real one.
func (r record) write(w io.Writer) error {
	at := time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(r.state) * time.Hour).Format(time.RFC3339)
	withdrawn := ""
	if r.withdrawn {
		withdrawn = fmt.Sprintf(`"withdrawn":%q,`, at)
	}
	_, err := fmt.Fprintf(w, `{"schema_version":"1.7.0","id":%q,"modified":%q,"published":"2025-06-01T00:00:00Z",%s"aliases":["CVE-ALIAS-%s"],
"summary":"A problem of %s that somebody found","details":%q,"severity":[{"type":"CVSS_V3","score":%q}],
"affected":[{"package":{"ecosystem":%q,"name":%q,"purl":"pkg:generic/%s"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":%q}]}]}],
"references":[{"type":"ADVISORY","url":"https://advisories.example/%s"},{"type":"WEB","url":"https://code.example/%s/commit/0123456789abcdef0123456789abcdef01234567"}],
"database_specific":{"source":"storebench"}}`, r.id, at, withdrawn, r.id, r.name.name, details, vectors[r.severity],
		r.ecosystem, r.name.name, r.name.name, versionText(r.ecosystem, r.fixed), r.id, r.name.name)
	return err
}

var details = strings.Repeat("What it is about, how it is reached and what may be done to avoid it.\n", 6)

// counts is the findings of one package version by severity.
type counts [3]int32

func (c *counts) add(s breakwater.Severity, n int32) {
	switch s {
	case breakwater.SeverityHigh:
		c[0] += n
	case breakwater.SeverityMedium:
		c[1] += n
	default:
		c[2] += n
	}
}

// Counts evaluates every record against every package version: what the
// database must say, found without it.
func (a *Advisories) Counts() []counts {
	out := make([]counts, len(a.software.Packages))
	for _, r := range a.list {
		for _, p := range a.software.byName[r.name] {
			if r.affects(a.software.Packages[p].version) {
				out[p].add(r.severity, 1)
			}
		}
	}
	return out
}

// Differences counts the findings that the last Step brought, took away or
// changed, over all package versions that images hold.
func (a *Advisories) Differences(held map[int32]bool) (n int) {
	for i, old := range a.changed {
		for _, p := range a.software.byName[a.list[i].name] {
			v := a.software.Packages[p].version
			was, is := old.affects(v), a.list[i].affects(v)
			if !held[p] {
				continue
			}
			if was != is || was && (old.severity != a.list[i].severity || old.fixed != a.list[i].fixed) {
				n++
			}
		}
	}
	return n
}
