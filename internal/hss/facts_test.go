package hss_test

import (
	"context"
	"fmt"
	"iter"
	"net/url"
	"strings"
	"time"

	"breakwater"
	"breakwater/internal/catalog"
	"breakwater/internal/store"
	"breakwater/internal/worker"
)

// registry puts a foreign registry into a project without asking the door.
func (w *world) registry(project, name string, kind breakwater.RegistryType) breakwater.Registry {
	w.t.Helper()
	r := breakwater.Registry{
		ID: breakwater.NewID(breakwater.PrefixRegistry), ProjectID: project, EnterpriseProjectID: "0", Name: name, Type: kind, APIVersion: "V2",
		Protocol: "https", Addr: name + ".example.com", Username: "robot", ClusterID: "local", Channel: "Swr",
	}
	w.must(w.catalog.AddRegistry(context.Background(), r))
	return r
}

// own is the project's embedded registry.
func (w *world) own(project string) (r breakwater.Registry) {
	w.t.Helper()
	w.must(w.db.Tx(context.Background(), func(tx *store.DB) (err error) {
		r, err = w.catalog.Embedded(context.Background(), tx, project)
		return err
	}))
	return r
}

// digest is the manifest digest that a word stands for.
func digest(word string) breakwater.Digest { return breakwater.DigestOf([]byte(word)) }

// artifact is a manifest named by a word; with children it is an index.
func artifact(word string, children ...string) breakwater.Artifact {
	a := breakwater.Artifact{
		Digest: digest(word), MediaType: "application/vnd.oci.image.manifest.v1+json", ConfigDigest: digest("config " + word),
		Size: int64(1000 + len(word)), Platform: breakwater.Platform{OS: "linux", Architecture: "amd64"}, Scannable: true,
	}
	if len(children) > 0 {
		a.ConfigDigest, a.Platform = "", breakwater.Platform{}
		for _, c := range children {
			_, arch, _ := strings.Cut(c, "-")
			a.Children = append(a.Children, breakwater.Child{Digest: digest(c), Platform: breakwater.Platform{OS: "linux", Architecture: arch}, Image: true})
		}
	}
	return a
}

// image records a tag; "lib/app:v1" is namespace, name and version. It answers the row's id.
func (w *world) image(r breakwater.Registry, name string, a breakwater.Artifact) int64 {
	w.t.Helper()
	ctx := context.Background()
	repository, version, _ := strings.Cut(name, ":")
	namespace, rest, ok := strings.Cut(repository, "/")
	if !ok {
		namespace, rest = "", repository
	}
	e := catalog.Entry{Registry: r, Namespace: namespace, Name: rest, Version: version, Artifact: a, Updated: w.now}
	if r.Type != breakwater.RegistrySwrPrivate {
		e.Synced = w.now
	}
	for _, c := range a.Children {
		child := artifact("")
		child.Digest, child.Platform, child.ConfigDigest = c.Digest, c.Platform, breakwater.DigestOf([]byte("config of "+c.Digest))
		e.Children = append(e.Children, child)
	}
	w.must(w.db.Tx(ctx, func(tx *store.DB) error { return w.catalog.Record(ctx, tx, e) }))
	rows, err := w.db.FindImages(ctx, r.ProjectID, store.ImageFilter{RegistryID: r.ID, Name: rest, Version: version}, 10)
	w.must(err)
	for _, row := range rows {
		if row.Namespace == namespace {
			return row.ID
		}
	}
	w.t.Fatalf("%s was not recorded", name)
	return 0
}

// scanned ends a scan of a digest in a project well, with these facts.
func (w *world) scanned(project, word string, packages ...breakwater.Package) {
	w.t.Helper()
	ctx := context.Background()
	w.must(w.db.Tx(ctx, func(tx *store.DB) error {
		id, _, err := tx.PutInventory(ctx, breakwater.Inventory{
			Digest: digest(word), Scanner: "test", Packages: packages,
			Coverage: []breakwater.Coverage{{Check: breakwater.CheckVulnerability, State: breakwater.StateDone}},
		})
		if err != nil {
			return err
		}
		if err := tx.RefreshCounters(ctx, []int64{id}); err != nil {
			return err
		}
		return tx.SetScanState(ctx, project, digest(word), breakwater.ScanSuccess, "", "", w.now)
	}))
}

var (
	libssl = breakwater.Package{
		Ecosystem: "Debian:12", Name: "libssl3", Version: "3.0.9-1", SourceName: "openssl", SourceVersion: "3.0.9-1",
		Kind: breakwater.PackageOS, Type: "deb", Layer: digest("base layer"), Path: "var/lib/dpkg/status",
	}
	lodash = breakwater.Package{
		Ecosystem: "npm", Name: "lodash", Version: "4.17.15", Kind: breakwater.PackageApp, Type: "npm", Layer: digest("app layer"),
		Path: "app/package-lock.json",
	}
	lodashAgain = breakwater.Package{
		Ecosystem: "npm", Name: "lodash", Version: "4.17.15", Kind: breakwater.PackageApp, Type: "npm", Layer: digest("app layer"),
		Path: "app/vendor/package-lock.json",
	}
	express = breakwater.Package{
		Ecosystem: "npm", Name: "express", Version: "5.0.0", Kind: breakwater.PackageApp, Type: "npm", Layer: digest("app layer"), Path: "app/package-lock.json",
	}
)

// advise imports three advisories and judges what is known by them: a Debian
// one about two CVEs, and two about lodash, one of them without a repair.
func (w *world) advise() {
	w.t.Helper()
	affected := func(ecosystem, name, fixed string) []breakwater.Affected {
		events := []breakwater.Event{{Introduced: "0"}}
		if fixed != "" {
			events = append(events, breakwater.Event{Fixed: fixed})
		}
		return []breakwater.Affected{{Ecosystem: ecosystem, Name: name, Ranges: []breakwater.Range{{Type: "ECOSYSTEM", Events: events}}}}
	}
	w.feed("Debian", breakwater.Advisory{
		ID: "DSA-5417-1", Upstream: []string{"CVE-2023-0464", "CVE-2023-0465"}, Published: noon.AddDate(-1, 0, 0), Modified: noon, Score: 7.5,
		Severity: breakwater.SeverityHigh, Summary: "openssl - security update", URL: "https://www.debian.org/security/2023/dsa-5417",
		Affected: affected("Debian:12", "openssl", "3.0.11-1"),
	})
	w.feed("npm", breakwater.Advisory{
		ID: "GHSA-35jh-r3h4-6jhm", Aliases: []string{"CVE-2021-23337"}, Published: noon.AddDate(-2, 0, 0), Modified: noon, Score: 5.5,
		Severity: breakwater.SeverityMedium, Summary: "Command injection in lodash", URL: "https://example.com/" + strings.Repeat("x", 128),
		Affected: affected("npm", "lodash", "4.17.21"),
	}, breakwater.Advisory{
		ID: "GHSA-aaaa-bbbb-cccc", Published: noon, Modified: noon, Score: 2, Severity: breakwater.SeverityLow, Summary: strings.Repeat("é", 200),
		Affected: affected("npm", "lodash", ""),
	})
	_, _, err := worker.Rematch(context.Background(), w.db, func(int) {})
	w.must(err)
}

func (w *world) feed(name string, records ...breakwater.Advisory) {
	w.t.Helper()
	var all iter.Seq2[breakwater.Advisory, error] = func(yield func(breakwater.Advisory, error) bool) {
		for _, r := range records {
			if !yield(r, nil) {
				return
			}
		}
	}
	f := breakwater.Feed{Name: name, Newest: noon, Dated: noon, Records: len(records)}
	_, err := w.db.ImportFeed(context.Background(), &f, all, store.ImportOptions{})
	w.must(err)
}

// about is the target of an operation on one image.
func about(imageID, operation, kind, namespace, name, tag string, more ...string) string {
	q := url.Values{"image_type": {kind}, "namespace": {namespace}, "image_name": {name}, "tag_name": {tag}}
	for i := 0; i < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	return "/image/" + imageID + "/" + operation + "?" + q.Encode()
}

func ms(t time.Time) string { return fmt.Sprint(t.UnixMilli()) }
