package detect

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"breakwater"
)

// Bounds on one archive and all that lie in it. scalibr reads one archive at a
// time for us; opening the archives inside is done here, because there it takes
// any number of entries and reads each archive whole into memory.
const (
	jarDepth     = 3        // archives in archives
	jarNested    = 1 << 30  // decompressed bytes that are looked into, all levels together
	jarDirectory = 16 << 20 // of one archive's table of contents: some 100,000 real entries
	jarManifest  = 1 << 20  // of one manifest or pom.properties
	jarBuffer    = 16 << 20 // a larger archive inside goes through a temp file
)

var errDirectory = errors.New("its table of contents is larger than the limit")

// jars is the reading of one archive with all that lie in it.
type jars struct {
	d     *Detector
	path  string // of the outermost: what a package is said to come from
	left  int64  // of jarNested
	found []breakwater.Package
	// the first artifact whose group nothing tells, which advisories may name otherwise
	guessed string
}

// readJar keeps what it finds whatever goes wrong inside, and says the first
// thing that did.
func readJar(ctx context.Context, d *Detector, in input) (Facts, error) {
	j := jars{d: d, path: in.Path, left: jarNested}
	err := j.read(ctx, in, 0)
	facts := Facts{Packages: j.found}
	if j.guessed != "" {
		facts.Skipped = clip("no pom.properties and no known group of the artifact " + j.guessed)
	}
	return facts, err
}

func (j *jars) read(ctx context.Context, in input, depth int) error {
	inner, names, err := j.look(in)
	if err != nil {
		return err
	}
	// The extractor opens one level; that it meets archives it may not open is
	// no trouble.
	found, _ := extract(ctx, j.d.use.archive, in)
	if names.pom {
		if own := itself(found, in.Path, names.manifest); own != nil {
			found = append(found, own)
		}
	} else {
		var guessed string
		if found, guessed = settle(found, in.Path, names.manifest); j.guessed == "" {
			j.guessed = guessed
		}
	}
	j.found = append(j.found, convert(found, j.path)...)
	var first error
	for _, f := range inner {
		err := ctx.Err()
		if err == nil && depth == jarDepth {
			err = fmt.Errorf("archives in it nest more than %d deep", jarDepth)
		}
		if err == nil {
			err = j.open(ctx, in, f, depth+1)
		}
		if first == nil {
			first = err
		}
		if len(j.found) > maxPackages {
			return fmt.Errorf("more than %d packages", maxPackages)
		}
	}
	return first
}

// names is what an archive says of itself.
type names struct {
	pom      bool // there is a pom.properties, of it or of what was shaded into it
	manifest manifest
}

// look reads the table of contents under its limit, pays for what the extractor
// is going to read, lists the archives inside, and reads how it names itself.
func (j *jars) look(in input) (inner []*zip.File, n names, err error) {
	meter := &metered{r: in.r, left: jarDirectory}
	z, err := zip.NewReader(meter, in.Size)
	if meter.left < 0 {
		return nil, n, errDirectory
	}
	if err != nil {
		return nil, n, errForm
	}
	meter.free = true
	var own *zip.File
	for _, f := range z.File {
		base := strings.ToLower(path.Base(f.Name))
		switch {
		case isJar(f.Name):
			inner = append(inner, f)
		case base == "manifest.mf" || base == "pom.properties":
			if f.UncompressedSize64 > jarManifest {
				return nil, n, errors.New("a manifest in it is larger than the limit")
			}
			n.pom = n.pom || base == "pom.properties"
			if strings.EqualFold(f.Name, "META-INF/MANIFEST.MF") {
				own = f
			}
			j.left -= int64(f.UncompressedSize64)
		}
	}
	z.File = nil // the archives inside keep the reader, and it need not keep the rest
	if j.left < 0 {
		return nil, n, errNested
	}
	n.manifest = readManifest(own)
	return inner, n, nil
}

// open reads an archive inside: from memory, or when it is large from a file.
func (j *jars) open(ctx context.Context, outer input, f *zip.File, depth int) error {
	if f.UncompressedSize64 > uint64(j.left) {
		return errNested
	}
	j.left -= int64(f.UncompressedSize64)
	rc, err := f.Open()
	if err != nil {
		return errForm
	}
	defer rc.Close()
	// archive/zip fails a member that is longer than it says.
	in := input{File: File{Path: outer.Path + "/" + path.Base(f.Name), Mode: outer.Mode}}
	if f.UncompressedSize64 <= jarBuffer {
		b, err := io.ReadAll(rc)
		if err != nil {
			return errForm
		}
		in.Size, in.r = int64(len(b)), bytes.NewReader(b)
		return j.read(ctx, in, depth)
	}
	tmp, err := j.d.Temp()
	if err != nil {
		return errors.New("no room for a temporary file")
	}
	defer tmp.Close()
	if in.Size, err = io.Copy(tmp, rc); err != nil {
		return errForm
	}
	in.r = tmp
	return j.read(ctx, in, depth)
}

// metered is a ReaderAt that fails after left bytes, until it is set free.
type metered struct {
	r    io.ReaderAt
	left int64
	free bool
}

func (m *metered) ReadAt(p []byte, off int64) (int, error) {
	if !m.free {
		if m.left -= int64(len(p)); m.left < 0 {
			return 0, errDirectory
		}
	}
	return m.r.ReadAt(p, off)
}
