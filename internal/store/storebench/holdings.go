package storebench

import (
	"fmt"
	"math/rand/v2"
)

// Software is what the images of a rematch benchmark hold: package versions, in
// sets that images share as they share layers, and which image holds which set.
//
// A fifth of the package versions is of three Debian releases, the rest of npm.
// A base set is one release at one time: thirty packages that every system has,
// and a slice of the others, all near one version. An application set is a few
// packages that hardly anybody else has and a few that everybody has.
type Software struct {
	Packages []pkg     // the row of package n is n+1
	Sets     [][]int32 // of package numbers
	Holds    [][]int32 // of an image: set numbers; no package is in two of them
	byName   map[name][]int32
	names    []name // in a fixed order, those of Debian first
	debian   int    // how many of names
}

type name struct{ ecosystem, name string }

// pkg is a package version; versions of one name are numbered from 0, old first.
type pkg struct {
	name
	version int
}

func (p pkg) text() string { return versionText(p.ecosystem, p.version) }

func versionText(ecosystem string, n int) string {
	if ecosystem == "npm" {
		return fmt.Sprintf("%d.%d.0", 1+n/10, n%10)
	}
	return fmt.Sprintf("2.%d-1", n)
}

var releases = []string{"Debian:11", "Debian:12", "Debian:13"}

const (
	appGroups  = 5
	npmPerName = 5  // versions
	debPerName = 50 // versions, about
)

// NewSoftware plans so many package versions in so many images.
func NewSoftware(images, packages int) *Software {
	s := &Software{byName: map[name][]int32{}}
	rnd := rand.New(rand.NewPCG(3, 0))
	bases := s.bases(rnd, packages/5, images)
	s.debian = len(s.names)
	var apps [appGroups][2]int // first set and number of sets of a group
	for g := range apps {
		apps[g] = s.apps(rnd, g, packages*4/5/appGroups, images)
	}
	for n := range images {
		var hold []int32
		if isMulti(n) {
			s.Holds = append(s.Holds, nil) // its platforms hold what it has
			continue
		}
		if rnd.IntN(100) < 85 { // the others are a program and nothing else
			hold = append(hold, int32(share(rnd, bases, n)))
		}
		for _, g := range rnd.Perm(appGroups)[:1+rnd.IntN(4)] {
			hold = append(hold, int32(apps[g][0]+share(rnd, apps[g][1], n)))
		}
		s.Holds = append(s.Holds, hold)
	}
	return s
}

// share picks a set for image n: some are in very many images, and all in one.
func share(rnd *rand.Rand, sets, n int) int {
	if rnd.IntN(2) == 0 {
		return n % sets
	}
	return skewed(rnd, sets)
}

// bases makes the base sets, and answers how many.
func (s *Software) bases(rnd *rand.Rand, packages, images int) int {
	for _, release := range releases {
		perName := min(debPerName, max(4, packages/len(releases)/20))
		names := max(8, packages/len(releases)/perName)
		core := min(30, names/4)
		first := s.add(release, "source", names, perName)
		sets := max(2, min(400, images/20))
		slots := (names-core)*perName/sets + 1
		for n := range sets {
			set := map[int32]bool{}
			var list []int32
			hold := func(nth, version int) {
				if p := int32(first + nth*perName + version); !set[p] {
					set[p], list = true, append(list, p)
				}
			}
			for nth := range core {
				hold(nth, min(perName-1, n*perName/sets+rnd.IntN(3)))
			}
			for q := n * slots; q < (n+1)*slots; q++ {
				hold(core+q%(names-core), q/(names-core)%perName)
			}
			s.Sets = append(s.Sets, list)
		}
	}
	return len(s.Sets)
}

// apps makes the sets of one group of npm packages.
func (s *Software) apps(rnd *rand.Rand, group, packages, images int) (sets [2]int) {
	names := max(10, packages/npmPerName)
	first := s.add("npm", fmt.Sprintf("lib%d", group), names, npmPerName)
	sets = [2]int{len(s.Sets), max(2, min(4000, images/5))}
	slots := names*npmPerName/sets[1] + 1
	for n := range sets[1] {
		set := map[int32]bool{}
		var list []int32
		hold := func(nth, version int) {
			if p := int32(first + nth*npmPerName + version); !set[p] {
				set[p], list = true, append(list, p)
			}
		}
		for q := n * slots; q < (n+1)*slots; q++ {
			hold(q%names, q/names%npmPerName)
		}
		for range 6 {
			hold(skewed(rnd, min(200, names)), rnd.IntN(npmPerName))
		}
		s.Sets = append(s.Sets, list)
	}
	return sets
}

// add makes names with all their versions and answers the first package.
func (s *Software) add(ecosystem, prefix string, names, versions int) (first int) {
	first = len(s.Packages)
	for n := range names {
		key := name{ecosystem, fmt.Sprintf("%s-%05d", prefix, n)}
		s.names = append(s.names, key)
		for v := range versions {
			s.byName[key] = append(s.byName[key], int32(len(s.Packages)))
			s.Packages = append(s.Packages, pkg{key, v})
		}
	}
	return first
}

// Held is the package versions that an image holds.
func (s *Software) Held() map[int32]bool {
	out := map[int32]bool{}
	for _, hold := range s.Holds {
		for _, set := range hold {
			for _, p := range s.Sets[set] {
				out[p] = true
			}
		}
	}
	return out
}

// Pairs is how many (image, package version) pairs there are.
func (s *Software) Pairs() (n int) {
	for _, hold := range s.Holds {
		for _, set := range hold {
			n += len(s.Sets[set])
		}
	}
	return n
}
