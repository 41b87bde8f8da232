package storebench

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"breakwater"
)

// Namespace, Name and Version are the texts of the world, by number.
func Namespace(n int) string { return fmt.Sprintf("team-%03d", n) }

// Name is the n-th repository name.
func Name(n int) string { return fmt.Sprintf("service/component-%05d", n) }

// Version is a tag as people write them: few words that many repositories
// share, then releases, then builds that are almost all different.
func Version(rnd *rand.Rand) string {
	switch n := rnd.IntN(10); {
	case n == 0:
		return []string{"latest", "stable", "main", "dev"}[rnd.IntN(4)]
	case n < 5:
		return fmt.Sprintf("v%d.%d.%d", rnd.IntN(4), rnd.IntN(20), rnd.IntN(30))
	default:
		return fmt.Sprintf("build-%07x", rnd.Uint32N(1<<28))
	}
}

// skewed draws below n, small numbers far more often.
func skewed(rnd *rand.Rand, n int) int {
	return min(n-1, int(float64(n)*math.Pow(rnd.Float64(), 3)))
}

// generator answers a function that makes one row after the other; no two have
// the same registry, namespace, name and version.
func (p Project) generator(w *World, rnd *rand.Rand) func() []any {
	seen := map[string]bool{}
	return func() []any {
		for {
			registry := p.Registries[skewed(rnd, len(p.Registries))]
			number := skewed(rnd, p.Names)
			namespace, name, version := Namespace(number%p.Namespaces), Name(number), Version(rnd)
			key := registry.ID + " " + name + ":" + version
			if seen[key] {
				continue
			}
			seen[key] = true
			return p.row(w, rnd, registry, namespace, name, version)
		}
	}
}

func (p Project) row(w *World, rnd *rand.Rand, registry breakwater.Registry, namespace, name, version string) []any {
	digest := breakwater.Digest(fmt.Sprintf("sha256:%016x%016x%016x%016x", rnd.Uint64(), rnd.Uint64(), rnd.Uint64(), rnd.Uint64()))
	multi := rnd.IntN(20) == 0
	if multi {
		digest = indexDigest(rnd.IntN(indexes))
	}
	updated := w.Now.Add(-time.Duration(rnd.ExpFloat64() * 90 * 24 * float64(time.Hour)))
	var scanned time.Time
	status, code, level := breakwater.ScanSuccess, breakwater.ScanCode(""), breakwater.LevelUnknown
	vul, unsafe, malicious := 0, 0, 0
	switch n := rnd.IntN(100); {
	case n < 8:
		status = breakwater.ScanNone
	case n < 10:
		status = breakwater.ScanWaiting
	case n < 11:
		status = breakwater.ScanRunning
	case n < 15:
		status = breakwater.ScanFailed
		code = []breakwater.ScanCode{breakwater.CodeDownloadFailed, breakwater.CodeOverSized, breakwater.CodeAuthentication, breakwater.CodeTimedOut}[rnd.IntN(4)]
	default:
		scanned = w.Now.Add(-time.Duration(rnd.Int64N(int64(30 * 24 * time.Hour))))
		level = []breakwater.Level{breakwater.LevelHigh, breakwater.LevelHigh, breakwater.LevelMedium, breakwater.LevelLow, breakwater.LevelSecurity}[rnd.IntN(5)]
		if level != breakwater.LevelSecurity {
			vul, unsafe = 1+int(rnd.ExpFloat64()*60), rnd.IntN(3)
			malicious = rnd.IntN(200) / 199
		}
	}
	instance, instanceName := "", ""
	if registry.Type == breakwater.RegistrySwrEnterprise {
		n := rnd.IntN(5)
		instance, instanceName = fmt.Sprint("instance-", n), fmt.Sprint("Instance ", n)
	}
	ms := func(t time.Time) int64 {
		if t.IsZero() {
			return 0
		}
		return t.UnixMilli()
	}
	return []any{p.ID, fmt.Sprint(rnd.IntN(3)), registry.ID, namespace, name, version, string(digest), string(digest), size(rnd),
		multi, rnd.IntN(12) == 0, ms(updated), ms(w.Now.Add(-time.Duration(rnd.Int64N(int64(24 * time.Hour))))), ms(scanned), string(status), string(code),
		string(level), vul, unsafe, malicious, instance, instanceName, int64(1)}
}

// size is compressed bytes, most images near 80 MB.
func size(rnd *rand.Rand) int64 { return int64(80e6 * math.Exp(rnd.NormFloat64())) }
