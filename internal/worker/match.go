package worker

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"breakwater"
	"breakwater/internal/match"
	"breakwater/internal/store"
)

// matchVersion names the rules of package match. A release that changes them
// raises it, and every package version is matched again.
const matchVersion = "3"

// MatchPackages judges package versions by the advisories that are shown now
// and writes their verdicts. It belongs into the transaction that made them
// known, before RefreshCounters.
func MatchPackages(ctx context.Context, tx *store.DB, packageIDs []int64) error {
	_, err := matchPackages(ctx, tx, packageIDs, nil)
	return err
}

// matchPackages answers the packages whose verdicts are different now. rules is
// as store.PutVerdicts takes it.
func matchPackages(ctx context.Context, tx *store.DB, packageIDs []int64, rules map[string]int64) (changed []int64, err error) {
	if len(packageIDs) == 0 {
		return nil, nil
	}
	packages, err := tx.PackagesToMatch(ctx, packageIDs)
	if err != nil {
		return nil, fmt.Errorf("worker.MatchPackages: %w", err)
	}
	var names []store.PackageName
	var releases []string
	for _, p := range packages {
		for _, ecosystem := range breakwater.LookupEcosystems(p.Ecosystem) {
			names = append(names, store.PackageName{Ecosystem: ecosystem, Name: breakwater.NormalName(ecosystem, p.Name)})
			releases = append(releases, ecosystem)
		}
	}
	slices.SortFunc(names, func(a, b store.PackageName) int {
		return cmp.Or(cmp.Compare(a.Ecosystem, b.Ecosystem), cmp.Compare(a.Name, b.Name))
	})
	candidates, err := tx.Candidates(ctx, slices.Compact(names))
	if err != nil {
		return nil, fmt.Errorf("worker.MatchPackages: %w", err)
	}
	spoken, err := tx.Spoken(ctx, releases)
	if err != nil {
		return nil, fmt.Errorf("worker.MatchPackages: %w", err)
	}
	changed, err = tx.PutVerdicts(ctx, judge(packages, candidates, spoken), rules)
	if err != nil {
		return nil, fmt.Errorf("worker.MatchPackages: %w", err)
	}
	return changed, nil
}

// judge runs the matching and ties each verdict to the row it rests on. A
// package of a release that no record speaks of is not known.
func judge(packages []breakwater.PackageVersion, candidates map[store.PackageName][]store.Candidate, spoken map[string]bool) []store.Judged {
	out := make([]store.Judged, 0, len(packages))
	for _, p := range packages {
		rows := map[string]store.Candidate{} // the newest of each id, as match takes it
		outcome := match.Match([]breakwater.PackageVersion{p}, func(ecosystem, name string) []breakwater.Advisory {
			var list []breakwater.Advisory
			for _, c := range candidates[store.PackageName{Ecosystem: ecosystem, Name: name}] {
				list = append(list, c.Advisory)
				if have, ok := rows[c.Advisory.ID]; !ok || c.Advisory.Modified.After(have.Advisory.Modified) {
					rows[c.Advisory.ID] = c
				}
			}
			return list
		})
		j := store.Judged{PackageID: p.ID, Known: len(outcome.Gaps) == 0 && releaseSpoken(p.Ecosystem, spoken)}
		for _, v := range outcome.Verdicts {
			j.Verdicts = append(j.Verdicts, store.PackageVerdict{Verdict: v, Row: rows[v.AdvisoryID].Row})
		}
		out = append(out, j)
	}
	return out
}

// releaseSpoken reports whether records speak of a package's release, or of its
// distribution whole. An ecosystem without releases has nothing to be missed:
// whether its feed is there at all is asked when the counters are made.
func releaseSpoken(ecosystem string, spoken map[string]bool) bool {
	names := breakwater.LookupEcosystems(ecosystem)
	return len(names) == 1 || slices.ContainsFunc(names, func(e string) bool { return spoken[e] })
}

// rematchPackages is how many package versions one transaction judges again: a
// larger number updates an artifact that holds many of them fewer times, a
// smaller one keeps other writers waiting less.
const rematchPackages = 10000

// Rematch judges again the package versions that changed advisories name, and
// carries what is different to the images that hold them, without reading any
// registry. Names are forgotten when their packages are done, so a run that is
// cut short is taken up by the next one. It answers how many packages it judged
// and how many of them are judged differently now.
func Rematch(ctx context.Context, db *store.DB, progress func(done int)) (judged, changed int, err error) {
	for {
		pending, err := db.PendingNames(ctx, 5000)
		if err != nil {
			return judged, changed, fmt.Errorf("worker.Rematch: %w", err)
		}
		if len(pending) == 0 {
			return judged, changed, nil
		}
		packages, err := db.PendingPackages(ctx, pending)
		if err != nil {
			return judged, changed, fmt.Errorf("worker.Rematch: %w", err)
		}
		rules := rulesBefore(pending)
		for part := range slices.Chunk(packages, rematchPackages) {
			var different []int64
			err := db.Tx(ctx, func(tx *store.DB) error {
				if different, err = matchPackages(ctx, tx, part, rules); err != nil {
					return err
				}
				return tx.RefreshPackages(ctx, touched(pending, part, different))
			})
			if err != nil {
				return judged, changed, fmt.Errorf("worker.Rematch: %w", err)
			}
			judged, changed = judged+len(part), changed+len(different)
			if progress != nil {
				progress(judged)
			}
		}
		if err := db.DeletePending(ctx, pending); err != nil {
			return judged, changed, fmt.Errorf("worker.Rematch: %w", err)
		}
	}
}

// touched is the packages whose counters must be looked at: those judged
// differently, or all of them when a feed is there for the first time and makes
// packages known that it has nothing against.
func touched(pending []store.Pending, all, different []int64) []int64 {
	if slices.ContainsFunc(pending, func(p store.Pending) bool { return p.Name == "*" }) {
		return all
	}
	return different
}

// rulesBefore is the generation of each feed whose records wait to be judged by
// other rules than before (store.RematchAll).
func rulesBefore(pending []store.Pending) map[string]int64 {
	out := map[string]int64{}
	for _, p := range pending {
		if p.Name == "*" {
			out[p.Feed] = max(out[p.Feed], p.Generation)
		}
	}
	return out
}
