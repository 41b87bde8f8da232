package scan_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"runtime"
	"runtime/metrics"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"breakwater"
	"breakwater/internal/malware"
	"breakwater/internal/oci"
	"breakwater/internal/scan"
)

// What is hostile to one room is tested there: archives of layers in layer
// (ratios, sparse files, names, truncation), single formats in detect and
// malware, manifests and indexes in oci. Here is what they do to a whole scan.

// heap runs f and answers by how much the heap grew at its highest.
func heap(f func()) int64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	read := func() int64 { metrics.Read(sample); return int64(sample[0].Value.Uint64()) }
	runtime.GC()
	from, most := read(), int64(0)
	stop := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() {
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				most = max(most, read()-from)
			}
		}
	})
	f()
	close(stop)
	watch.Wait()
	return most
}

// bounded scans within a minute and so much memory.
func bounded(t *testing.T, src oci.Source, digest breakwater.Digest, mebibytes int64) (breakwater.Inventory, error) {
	t.Helper()
	s := newScanner(t, newMemory(), allChecks(t, malware.Options{}))
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var inv breakwater.Inventory
	var err error
	begin := time.Now()
	most := heap(func() { inv, err = s.Scan(ctx, src, digest, breakwater.ScopeAll) })
	t.Logf("%s, %d MiB of heap", time.Since(begin).Round(time.Millisecond), most>>20)
	if ctx.Err() != nil {
		t.Fatalf("not within a minute: %v", err)
	}
	if most > mebibytes<<20 {
		t.Errorf("the heap grew by %d MiB, %d are allowed", most>>20, mebibytes)
	}
	return inv, err
}

// zeros writes n zero bytes.
func zeros(t testing.TB, w io.Writer, n int64) {
	t.Helper()
	if _, err := io.Copy(w, io.LimitReader(endless{}, n)); err != nil {
		t.Fatal(err)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// packed is zeros in a compression.
func packed(t testing.TB, n int64, open func(io.Writer) (io.WriteCloser, error)) string {
	t.Helper()
	var b bytes.Buffer
	w, err := open(&b)
	if err != nil {
		t.Fatal(err)
	}
	zeros(t, w, n)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestBombs: files that unpack to a thousand times their size cost little, are
// said not to have been looked into, and hide nothing beside them.
func TestBombs(t *testing.T) {
	if underRace {
		t.Skip("gigabytes")
	}
	gzipped := func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriterLevel(w, gzip.BestSpeed) }
	zstandard := func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) }
	xzed := func(w io.Writer) (io.WriteCloser, error) { return xz.NewWriter(w) }
	zipped := func(members int, size int64) string {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		for i := range members {
			f, err := w.Create(fmt.Sprintf("m%d.class", i))
			if err != nil {
				t.Fatal(err)
			}
			zeros(t, f, size)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	bombs := map[string]string{
		"opt/bomb.gz": packed(t, 400<<20, gzipped), "opt/bomb.zst": packed(t, 1<<30, zstandard), "opt/bomb.xz": packed(t, 80<<20, xzed),
		"opt/one.jar": zipped(1, 300<<20), "opt/many.jar": zipped(40, 8<<20), "opt/in.zip": zipFile(t, "bomb.gz", packed(t, 400<<20, gzipped)),
	}
	for name, bomb := range bombs {
		t.Run(name, func(t *testing.T) {
			r := newRepository()
			inv, err := bounded(t, r, r.image(t, plain(t, entry{name: name, body: bomb}, entry{name: "opt/a.com", body: eicar}, entry{name: "app/yarn.lock", body: yarnLock})), 192)
			if err != nil {
				t.Fatal(err)
			}
			c := coverageOf(inv, breakwater.CheckFile)
			if c.State != breakwater.StateDone || len(c.Skipped) != 1 || c.Skipped[0].Path != name || c.Skipped[0].Reason == "" {
				t.Errorf("coverage: %+v", c)
			}
			if len(inv.Malware) != 1 || len(inv.Packages) != 1 || inv.Files.Num != 3 {
				t.Errorf("beside it: %q, %d packages, %d files", malwareLines(inv), len(inv.Packages), inv.Files.Num)
			}
		})
	}
}

// jar is a zip of stored members.
func jar(t testing.TB, members map[string]string) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(members)) {
		f, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		if err == nil {
			_, err = io.WriteString(f, members[name])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func pom(n int) string {
	return fmt.Sprintf("groupId=org.example\nartifactId=lib%d\nversion=1.%d\n", n, n)
}

// TestNestedJars: a jar in a jar in a jar … is read to a depth that is said; many
// beside each other are all read.
func TestNestedJars(t *testing.T) {
	deep := jar(t, map[string]string{"META-INF/maven/org.example/lib0/pom.properties": pom(0)})
	for n := 1; n < 200; n++ {
		deep = jar(t, map[string]string{fmt.Sprintf("META-INF/maven/org.example/lib%d/pom.properties", n): pom(n), "lib/in.jar": deep})
	}
	members := map[string]string{}
	for n := range 200 {
		members[fmt.Sprintf("lib/lib%d.jar", n)] = jar(t, map[string]string{fmt.Sprintf("META-INF/maven/org.example/lib%d/pom.properties", n): pom(n)})
	}
	r := newRepository()
	inv, err := bounded(t, r, r.image(t, plain(t, entry{name: "opt/deep.jar", body: deep})), 192)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(inv.Packages); n == 0 || n >= 200 {
		t.Errorf("deep: %d packages", n)
	}
	for _, check := range []breakwater.Check{breakwater.CheckSoftware, breakwater.CheckFile} {
		if c := coverageOf(inv, check); len(c.Skipped) != 1 {
			t.Errorf("deep: %+v", c)
		}
	}
	inv, err = bounded(t, r, r.image(t, plain(t, entry{name: "opt/wide.jar", body: jar(t, members)})), 192)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(inv.Packages); n != 200 || len(coverageOf(inv, breakwater.CheckSoftware).Skipped) != 0 {
		t.Errorf("wide: %d packages, %+v", n, coverageOf(inv, breakwater.CheckSoftware))
	}
}

// TestLinksThatEscape: links are names, and lead nowhere but into the image.
func TestLinksThatEscape(t *testing.T) {
	const status = "var/lib/dpkg/status"
	tests := []struct {
		name   string
		layers []blobLayer
		want   int // packages
		code   breakwater.ScanCode
	}{
		{"a link above the root", []blobLayer{gz(t, entry{name: "etc/os-release", link: "../../../../../../etc/os-release"}, entry{name: status, body: deb("a", "1", "")})}, 1, ""},
		{"a directory that is a link to the root of the host", []blobLayer{gz(t, entry{name: "var", link: "/../../.."}, entry{name: status, body: deb("a", "1", "")})}, 1, ""},
		{"a loop", []blobLayer{gz(t, entry{name: "var", link: "rav"}, entry{name: "rav", link: "var"}, entry{name: "etc", link: "etc"}, entry{name: status, body: deb("a", "1", "")}), gz(t, entry{name: "rav/lib/.wh.dpkg"})}, 1, ""},
		{"a hard link out of the image", []blobLayer{gz(t, entry{name: "app/yarn.lock", hard: "../../../../etc/passwd"})}, 0, breakwater.CodeUnknown},
		{"a hard link to nothing", []blobLayer{gz(t, entry{name: "app/yarn.lock", hard: "app/none"})}, 0, ""},
		{"a hard link to itself", []blobLayer{gz(t, entry{name: "app/yarn.lock", hard: "app/yarn.lock"})}, 0, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRepository()
			inv, err := bounded(t, r, r.image(t, tt.layers...), 64)
			if code(err) != tt.code || len(inv.Packages) != tt.want {
				t.Errorf("%d packages, code %q (%v)", len(inv.Packages), code(err), err)
			}
		})
	}
}

// TestDoubles: thousands of entries of one name are one file, the last.
func TestDoubles(t *testing.T) {
	var list []entry
	for n := range 5000 {
		list = append(list, entry{name: "app/Cargo.lock", body: strings.Replace(cargoLock, "0.1.43", fmt.Sprintf("0.1.%d", n), 1)},
			entry{name: "app/settings.py", body: "token = \"" + fileToken + "\"\n" + strings.Repeat("#", n%7)}, entry{name: "b/Cargo.lock", hard: "app/Cargo.lock"})
	}
	r := newRepository()
	inv, err := bounded(t, r, r.image(t, gz(t, list...), gz(t, list...)), 128)
	if err != nil {
		t.Fatal(err)
	}
	want := "crates.io time 0.1.4999 layer0 app/Cargo.lock, crates.io time 0.1.4999 layer0 b/Cargo.lock"
	if got := strings.Join(lines(inv), ", "); got != want || inv.Files.Num != 2 {
		t.Errorf("%q, %d files", got, inv.Files.Num)
	}
}

// made is a layer that is made while it is read, by the same steps each time.
type made struct {
	*repository
	digest breakwater.Digest
	write  func(io.Writer) error
}

// generate puts an image of one such layer into the repository.
func generate(t testing.TB, mediaType string, write func(io.Writer) error) (*made, breakwater.Digest) {
	t.Helper()
	h := sha256.New()
	n := &length{w: h}
	if err := write(n); err != nil {
		t.Fatal(err)
	}
	r := newRepository()
	m := &made{r, breakwater.DigestOfHash("sha256", h), write}
	config := []byte(`{"architecture":"amd64","os":"linux"}`)
	return m, r.manifest(t, manifestOf(desc{configType, r.put(config), len(config)}, desc{mediaType, m.digest, n.n}))
}

type length struct {
	w io.Writer
	n int
}

func (l *length) Write(p []byte) (int, error) { l.n += len(p); return l.w.Write(p) }

func (m *made) Blob(ctx context.Context, d breakwater.Digest, size int64) (io.ReadCloser, error) {
	if d != m.digest {
		return m.repository.Blob(ctx, d, size)
	}
	r, w := io.Pipe()
	go func() { w.CloseWithError(m.write(w)) }() // ends when the reader is closed
	return oci.Verify(r, d, size), nil
}

// TestHugeFile: what is too large for memory streams by.
func TestHugeFile(t *testing.T) {
	if testing.Short() || underRace {
		t.Skip("700 MB")
	}
	const size = 700 << 20
	for name, path := range map[string]string{"data": "opt/disk.img", "an unread database": "var/lib/rpm/Packages", "an archive by its name": "opt/x.jar"} {
		t.Run(name, func(t *testing.T) {
			src, digest := generate(t, "application/vnd.oci.image.layer.v1.tar", func(out io.Writer) error {
				w := tar.NewWriter(out)
				err := w.WriteHeader(&tar.Header{Name: path, Mode: 0o644, Typeflag: tar.TypeReg, Size: size})
				if err == nil {
					_, err = io.Copy(w, io.LimitReader(endless{}, size))
				}
				if err == nil {
					err = w.Close()
				}
				return err
			})
			inv, err := bounded(t, src, digest, 96)
			if err != nil {
				t.Fatal(err)
			}
			if inv.Files.Num != 1 || inv.Files.Bytes != size {
				t.Errorf("%+v", inv.Files)
			}
		})
	}
}

// TestMillionFiles: the memory for an entry that says nothing is a few bytes.
func TestMillionFiles(t *testing.T) {
	if testing.Short() || underRace {
		t.Skip("a million entries")
	}
	const files = 1_000_000
	src, digest := generate(t, gzipLayer, func(out io.Writer) error {
		z, err := gzip.NewWriterLevel(out, gzip.BestSpeed)
		if err != nil {
			return err
		}
		w := tar.NewWriter(z)
		for n := range files {
			if err := w.WriteHeader(&tar.Header{Name: fmt.Sprintf("d%03d/%d", n%1000, n), Mode: 0o644, Typeflag: tar.TypeReg}); err != nil {
				return err
			}
		}
		if err := w.Close(); err != nil {
			return err
		}
		return z.Close()
	})
	inv, err := bounded(t, src, digest, 256)
	if err != nil {
		t.Fatal(err)
	}
	if inv.Files.Num != files || inv.Files.Unlisted != files-100_000 || inv.Entries != files {
		t.Errorf("%+v of %d entries", inv.Files, inv.Entries)
	}
}

// TestBrokenDatabases: what is left of them is said not to have been read, and an
// image without a readable one fails the checks of its software and of its
// vulnerabilities.
func TestBrokenDatabases(t *testing.T) {
	fedora := entry{name: "etc/os-release", body: "ID=fedora\nVERSION_ID=40\nPRETTY_NAME=\"Fedora 40\"\n"}
	for path, content := range map[string]string{
		"var/lib/rpm/rpmdb.sqlite": "SQLite format 3\x00" + strings.Repeat("\x10\x00\x01\x01", 500),
		"var/lib/rpm/Packages":     "\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x61\x15\x06\x00" + strings.Repeat("\xff", 4000),
		"var/lib/rpm/Packages.db":  "RpmP" + strings.Repeat("\xff", 4096),
	} {
		t.Run(path, func(t *testing.T) {
			r := newRepository()
			inv, err := bounded(t, r, r.image(t, gz(t, fedora, entry{name: path, body: content}, entry{name: "app/yarn.lock", body: yarnLock})), 64)
			if err != nil {
				t.Fatal(err)
			}
			if c := coverageOf(inv, breakwater.CheckVulnerability); c.State != breakwater.StateFailed || c.Code != breakwater.CodeVulnerability {
				t.Errorf("%+v", c)
			}
			if c := coverageOf(inv, breakwater.CheckSoftware); c.State != breakwater.StateFailed || c.Code != breakwater.CodeSoftware || len(c.Skipped) != 1 || c.Skipped[0].Path != path {
				t.Errorf("%+v", c)
			}
			if code, why := inv.Failed(); code != breakwater.CodeSoftware || !strings.Contains(why, path) {
				t.Errorf("the scan says %s: %s", code, why)
			}
			if len(inv.Packages) != 1 {
				t.Errorf("beside it: %d packages", len(inv.Packages))
			}
		})
	}
	whole := deb("a", "1", "") + deb("b", "2", "")
	r := newRepository()
	inv, err := bounded(t, r, r.image(t, gz(t, entry{name: "etc/os-release", body: debian12}, entry{name: "var/lib/dpkg/status", body: whole[:len(deb("a", "1", ""))+20]})), 64)
	if err != nil || len(inv.Packages) != 1 {
		t.Errorf("a cut dpkg database: %d packages, %v", len(inv.Packages), err)
	}
	broken := entry{name: "var/lib/rpm/rpmdb.sqlite", body: "SQLite format 3\x00" + strings.Repeat("\x10\x00\x01\x01", 500)}
	for name, tt := range map[string]struct {
		layers   []blobLayer
		software breakwater.CheckState
		failed   breakwater.ScanCode
	}{
		"no os-release":               {[]blobLayer{gz(t, broken)}, breakwater.StateFailed, breakwater.CodeSoftware},
		"beside one that is read":     {[]blobLayer{gz(t, fedora, broken, entry{name: "var/lib/dpkg/status", body: deb("a", "1", "")})}, breakwater.StateDone, ""},
		"deleted later":               {[]blobLayer{gz(t, broken), gz(t, entry{name: "var/lib/rpm/.wh.rpmdb.sqlite"}, entry{name: "app/yarn.lock", body: yarnLock})}, breakwater.StateDone, ""},
		"larger than is read":         {[]blobLayer{gz(t, entry{name: "etc/os-release", body: debian12}, entry{name: "var/lib/dpkg/status", body: strings.Repeat("\n", 17<<20)})}, breakwater.StateFailed, breakwater.CodeSoftware},
		"a lock file":                 {[]blobLayer{gz(t, entry{name: "app/package-lock.json", body: "{"})}, breakwater.StateDone, ""},
		"no database, and it is said": {[]blobLayer{gz(t, fedora, entry{name: "app/yarn.lock", body: yarnLock})}, breakwater.StateDone, breakwater.CodeVulnerability},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRepository()
			inv := scanImage(t, r, r.image(t, tt.layers...))
			code, _ := inv.Failed()
			if c := coverageOf(inv, breakwater.CheckSoftware); c.State != tt.software || code != tt.failed {
				t.Errorf("%+v, the scan says %q", c, code)
			}
			if c := coverageOf(inv, breakwater.CheckVulnerability); (c.State == breakwater.StateFailed) != (tt.failed != "") {
				t.Errorf("%+v", c)
			}
		})
	}
}

// TestManifests that are no image's. Cycles of indexes are oci.Resolve's, which a
// scan never follows.
func TestManifests(t *testing.T) {
	r := newRepository()
	index := r.manifest(t, map[string]any{"schemaVersion": 2, "mediaType": oci.TypeIndex, "manifests": []any{}})
	m := r.manifests[index.String()]
	m.MediaType = oci.TypeIndex
	r.manifests[index.String()] = m
	for name, tt := range map[string]struct {
		digest breakwater.Digest
		want   breakwater.ScanCode
	}{
		"schema 1": {r.manifest(t, map[string]any{"schemaVersion": 1, "name": "a", "fsLayers": []any{}}), breakwater.CodeSchemaV1},
		"an index": {index, breakwater.CodeBaseImage},
	} {
		_, err := newScanner(t, nil, scan.Options{}).Scan(context.Background(), r, tt.digest, breakwater.ScopeAll)
		if code(err) != tt.want {
			t.Errorf("%s: code %q (%v)", name, code(err), err)
		}
	}
}
