package storebench

import (
	"math/rand/v2"
	"time"

	"breakwater"
	"breakwater/internal/store"
)

// Query is one request for a list.
type Query struct {
	ProjectID string
	Filter    store.ImageFilter
	Page      store.ImagePage
}

// Kind is one sort of request; Draw fills in what one user would ask project p.
type Kind struct {
	Name string
	Draw func(rnd *rand.Rand, w *World, p Project, q *Query)
}

// Draw picks a project as users do, by its size, and a request of kind k to it.
func (w *World) Draw(rnd *rand.Rand, k Kind) Query {
	n := rnd.IntN(w.Rows)
	p := w.Projects[0]
	for _, p = range w.Projects {
		if n -= p.Rows; n < 0 {
			break
		}
	}
	q := Query{ProjectID: p.ID}
	k.Draw(rnd, w, p, &q)
	return q
}

func pick[T any](rnd *rand.Rand, of ...T) T { return of[rnd.IntN(len(of))] }

func some[T any](v T) *T { return &v }

func (w *World) days(n int) *int64 {
	return some(w.Now.Add(-time.Duration(n) * 24 * time.Hour).UnixMilli())
}

// Kinds is the whole mix: each filter alone, both orders, pages, combinations.
func Kinds() []Kind {
	type draw = func(*rand.Rand, *World, Project, *Query)
	flag := func(of func(f *store.ImageFilter) **bool) draw {
		return func(rnd *rand.Rand, _ *World, _ Project, q *Query) { *of(&q.Filter) = some(rnd.IntN(4) > 0) }
	}
	return append(pages(), []Kind{
		{"enterprise_project_id", func(r *rand.Rand, _ *World, _ Project, q *Query) {
			q.Filter.EnterpriseProjectID = pick(r, "0", "1", store.AllEnterpriseProjects)
		}},
		{"namespace", func(r *rand.Rand, _ *World, p Project, q *Query) {
			q.Filter.Namespace = Namespace(r.IntN(p.Namespaces))
		}},
		{"image_name", func(r *rand.Rand, _ *World, p Project, q *Query) { q.Filter.Name = Name(skewed(r, p.Names)) }},
		{"image_version", func(r *rand.Rand, _ *World, _ Project, q *Query) { q.Filter.Version = Version(r) }},
		{"registry_name", func(r *rand.Rand, _ *World, p Project, q *Query) {
			q.Filter.RegistryName = pick(r, p.Registries...).Name
		}},
		{"image_type", func(r *rand.Rand, _ *World, p Project, q *Query) {
			q.Filter.Type = pick(r, p.Registries...).Type.ImageType()
		}},
		{"latest_version", flag(func(f *store.ImageFilter) **bool { return &f.Latest })},
		{"is_multarch", flag(func(f *store.ImageFilter) **bool { return &f.MultiArch })},
		{"has_malicious_file", flag(func(f *store.ImageFilter) **bool { return &f.HasMalicious })},
		{"has_unsafe_setting", flag(func(f *store.ImageFilter) **bool { return &f.HasUnsafe })},
		{"has_vul", flag(func(f *store.ImageFilter) **bool { return &f.HasVul })},
		{"risky", flag(func(f *store.ImageFilter) **bool { return &f.Risky })},
		{"image_size", func(r *rand.Rand, _ *World, _ Project, q *Query) { q.Filter.Size = some(size(r)) }},
		{"scan_status", func(r *rand.Rand, _ *World, _ Project, q *Query) {
			q.Filter.ScanStatus = pick(r, breakwater.ScanNone, breakwater.ScanSuccess, breakwater.ScanRunning, breakwater.ScanFailed, breakwater.ScanWaiting, breakwater.ScanDownload)
		}},
		{"severity_level", func(r *rand.Rand, _ *World, _ Project, q *Query) {
			q.Filter.Level = pick(r, breakwater.LevelHigh, breakwater.LevelMedium, breakwater.LevelLow, breakwater.LevelSecurity)
		}},
		{"latest_update_time", func(r *rand.Rand, w *World, _ Project, q *Query) {
			n := r.IntN(200)
			q.Filter.UpdatedFrom, q.Filter.UpdatedTo = w.days(n+1+r.IntN(60)), w.days(n)
		}},
		{"latest_scan_time", func(r *rand.Rand, w *World, _ Project, q *Query) {
			q.Filter.ScannedFrom = w.days(r.IntN(30))
		}},
		{"latest_sync_time", func(r *rand.Rand, w *World, _ Project, q *Query) {
			q.Filter.SyncedTo = some(w.Now.Add(-time.Duration(r.IntN(24)) * time.Hour).UnixMilli())
		}},
		{"instance_id", func(r *rand.Rand, _ *World, _ Project, q *Query) {
			q.Filter.InstanceID = pick(r, "instance-0", "instance-4", "absent")
		}},
		{"instance_name", func(r *rand.Rand, _ *World, _ Project, q *Query) {
			q.Filter.InstanceName = pick(r, "Instance 1", "Instance 3")
		}},
	}...)
}

// pages is the orders, the depths and the combinations.
func pages() []Kind {
	return []Kind{
		{"first page", func(*rand.Rand, *World, Project, *Query) {}},
		{"limit 200", func(_ *rand.Rand, _ *World, _ Project, q *Query) { q.Page.Limit = 200 }},
		{"deep offset", func(r *rand.Rand, _ *World, p Project, q *Query) { q.Page.Offset = r.IntN(p.Rows) }},
		{"deep offset, limit 200", func(r *rand.Rand, _ *World, p Project, q *Query) {
			q.Page.Offset, q.Page.Limit = r.IntN(p.Rows), 200
		}},
		{"sort asc", func(_ *rand.Rand, _ *World, _ Project, q *Query) { q.Page.SortScanned = true }},
		{"sort desc", func(_ *rand.Rand, _ *World, _ Project, q *Query) { q.Page.SortScanned, q.Page.Desc = true, true }},
		{"sort, deep, has_vul", func(r *rand.Rand, _ *World, p Project, q *Query) {
			q.Page = store.ImagePage{SortScanned: true, Desc: r.IntN(2) == 0, Offset: r.IntN(p.Rows / 2), Limit: 50}
			q.Filter.HasVul = some(true)
		}},
		{"latest + high", func(r *rand.Rand, _ *World, _ Project, q *Query) {
			q.Filter.Latest, q.Filter.Level = some(true), breakwater.LevelHigh
			q.Page.Limit = pick(r, 10, 50, 200)
		}},
		{"failed + type + namespace", func(r *rand.Rand, _ *World, p Project, q *Query) {
			q.Filter.ScanStatus, q.Filter.Type = breakwater.ScanFailed, pick(r, p.Registries...).Type.ImageType()
			q.Filter.Namespace = Namespace(r.IntN(p.Namespaces))
		}},
		{"name + version", func(r *rand.Rand, _ *World, p Project, q *Query) {
			q.Filter.Name, q.Filter.Version = Name(skewed(r, p.Names)), Version(r)
		}},
		{"everything at once", func(r *rand.Rand, w *World, p Project, q *Query) {
			f := &q.Filter
			f.EnterpriseProjectID, f.Namespace, f.RegistryName = "1", Namespace(r.IntN(p.Namespaces)), pick(r, p.Registries...).Name
			f.ScanStatus, f.Level, f.HasVul, f.Risky, f.MultiArch = breakwater.ScanSuccess, breakwater.LevelHigh, some(true), some(true), some(false)
			f.UpdatedFrom, f.ScannedFrom, f.SyncedTo = w.days(120), w.days(20), w.days(0)
			q.Page = store.ImagePage{SortScanned: true, Desc: true, Limit: 100}
		}},
	}
}
