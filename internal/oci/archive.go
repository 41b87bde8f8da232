package oci

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/bzip2"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"breakwater"
)

// Archive is images in a file or a directory, as a Source of all of them:
//
//	index.json                an OCI image layout; also "docker save" since 25
//	manifest.json, a list     what "docker save", podman and skopeo write;
//	                          manifests are made up for it, see archivedocker.go
//	manifest.json, an object  a registry's manifest beside its blobs, as
//	                          "skopeo copy … dir:" writes it
//
// Where both files are there, index.json counts. They may lie in the only
// folder of a tar. A tar file may be compressed with gzip, bzip2 or zstd. Layers
// are read where they lie; nothing is unpacked.
type Archive struct {
	files files
	roots []Root
	// made are the manifests that stand for a Docker archive's images, and
	// paths where their blobs lie. Both are empty for a layout.
	made  map[breakwater.Digest][]byte
	paths map[breakwater.Digest]string
	flat  bool // blobs lie at the top, by their hex: the form dir:
}

var _ Source = (*Archive)(nil)

// Root is one image, or index of images, that an archive holds.
type Root struct {
	Names []string // as the archive says them; not checked
	Made  bool     // the manifest was made up for a Docker archive: its digest is nowhere else
	Descriptor
}

// ArchiveOptions shape OpenArchive; the zero value is good.
type ArchiveOptions struct {
	Stdin   io.Reader // what "-" reads; os.Stdin when nil
	TempDir string    // for what must be decompressed or comes from a pipe; the system's
	Limit   int64     // bytes of a temporary file; 40 GiB
	// Ratio is how many bytes one compressed byte may become, once 64 MiB came; 200.
	Ratio int64
}

const ratioFrom = 64 << 20

// OpenArchive opens a file, a directory, or standard input ("-"). The caller
// closes the Archive. Errors of kind Invalid say that it is no image archive,
// or a broken one.
func OpenArchive(ctx context.Context, name string, opts ArchiveOptions) (*Archive, error) {
	opts.Limit = cmp.Or(opts.Limit, 40<<30)
	opts.Ratio = cmp.Or(opts.Ratio, 200)
	if name == "-" {
		if opts.Stdin == nil {
			opts.Stdin = os.Stdin
		}
		return openStream(ctx, opts.Stdin, opts)
	}
	info, err := os.Stat(name)
	if err != nil {
		return nil, openError(err)
	}
	if info.IsDir() {
		return OpenLayout(ctx, name)
	}
	f, err := openFile(ctx, name, info)
	if err != nil {
		return nil, openError(err)
	}
	packed, err := compressed(f)
	if err == nil && (packed || !info.Mode().IsRegular()) {
		defer func() { _ = f.Close() }()
		return openStream(ctx, f, opts)
	}
	if err != nil {
		_ = f.Close()
		return nil, openError(err)
	}
	return openTar(ctx, &tarFiles{file: f})
}

// OpenLayout opens a directory.
func OpenLayout(ctx context.Context, dir string) (*Archive, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, openError(err)
	}
	return open(ctx, dirFiles{root})
}

func openTar(ctx context.Context, t *tarFiles) (*Archive, error) {
	if err := t.index(ctx); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return open(ctx, t)
}

// Close closes the file and removes what was decompressed.
func (a *Archive) Close() error { return a.files.Close() }

// Roots are the images of the archive, in its order.
func (a *Archive) Roots() []Root { return a.roots }

// small reads a whole file of at most limit bytes.
func (a *Archive) small(name string, limit int64) ([]byte, error) {
	rc, size, err := a.files.open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rc.Close() }()
	if size > limit {
		return nil, coded(breakwater.Errorf(breakwater.KindTooLarge, "a document in the archive is larger than %d bytes", limit), breakwater.CodeOverSized)
	}
	b, err := io.ReadAll(io.LimitReader(rc, limit+1))
	if err == nil && int64(len(b)) != size {
		err = badArchive("the archive is broken or ends too early")
	}
	return b, err
}

// Manifest implements Source. A name is one of Roots' names, or its tag.
func (a *Archive) Manifest(_ context.Context, ref string) (Manifest, error) {
	d, err := breakwater.ParseDigest(ref)
	if err != nil {
		r, err := a.root(ref)
		if err != nil {
			return Manifest{}, err
		}
		d = r.Digest
	}
	body, made := a.made[d]
	if !made {
		body, err = a.small(a.manifestPath(d), MaxManifest)
		if breakwater.IsNotFound(err) {
			err = coded(breakwater.Errorf(breakwater.KindNotFound, "the archive lacks the manifest %s", d), breakwater.CodeNotFound)
		}
		if err != nil {
			return Manifest{}, err
		}
		h := d.Hash()
		_, _ = h.Write(body)
		if breakwater.DigestOfHash(d.Algorithm(), h) != d {
			return Manifest{}, wrongBlob("a manifest in the archive does not have its digest")
		}
	}
	return Manifest{Digest: d, Body: body}, nil
}

// Blob implements Source.
func (a *Archive) Blob(ctx context.Context, d breakwater.Digest, size int64) (io.ReadCloser, error) {
	if _, err := breakwater.ParseDigest(d.String()); err != nil {
		return nil, err
	}
	rc, has, err := a.files.open(a.path(d))
	if breakwater.IsNotFound(err) {
		err = coded(breakwater.Errorf(breakwater.KindNotFound, "the archive lacks the blob %s", d), breakwater.CodeNotFound)
	}
	if err != nil {
		return nil, err
	}
	if size >= 0 && has != size {
		_ = rc.Close()
		return nil, wrongBlob("a blob in the archive has another size than its manifest says")
	}
	return Verify(governed{ctx, rc}, d, size), nil
}

const blobDir = "blobs/"

// path is where a blob lies.
func (a *Archive) path(d breakwater.Digest) string {
	if name, ok := a.paths[d]; ok {
		return name
	}
	if a.flat {
		return d.Hex()
	}
	return blobDir + d.Algorithm() + "/" + d.Hex()
}

// manifestPath is where a manifest lies that another one names.
func (a *Archive) manifestPath(d breakwater.Digest) string {
	if a.flat {
		return d.Hex() + ".manifest.json"
	}
	return a.path(d)
}

// governed is a reader that ends with a context.
type governed struct {
	ctx context.Context
	io.ReadCloser
}

func (g governed) Read(p []byte) (int, error) {
	if g.ctx.Err() != nil {
		return 0, contextError(g.ctx)
	}
	return g.ReadCloser.Read(p)
}

// compressed reports whether a file begins as compressed ones do. A tar file
// begins with a name.
func compressed(f *os.File) (bool, error) {
	var head [6]byte
	n, err := f.ReadAt(head[:], 0)
	if err != nil && err != io.EOF {
		return false, nil // a pipe: it is read as a stream
	}
	return isGzip(head[:n]) || isZstd(head[:n]) || isBzip2(head[:n]) || isXZ(head[:n]), nil
}

// tarBlock is the size of a tar file's headers.
const tarBlock = 512

// checkTar refuses a block that cannot be the first of a tar file with anything in it.
func checkTar(block []byte) error {
	_, err := tar.NewReader(bytes.NewReader(block)).Next()
	switch {
	case err == io.EOF:
		return badArchive(nothingIn)
	case errors.Is(err, tar.ErrHeader):
		return badArchive("the file is not a tar archive")
	}
	return nil
}

func isGzip(head []byte) bool { return bytes.HasPrefix(head, []byte{0x1f, 0x8b}) }

// isBzip2 also looks at the size of its blocks: "BZh" may begin a file's name.
func isBzip2(head []byte) bool {
	return len(head) >= 5 && bytes.HasPrefix(head, []byte("BZh")) && head[3] >= '1' && head[3] <= '9' && head[4] == 0x31
}

func isXZ(head []byte) bool { return bytes.HasPrefix(head, []byte("\xfd7zXZ")) }

func isZstd(head []byte) bool { return bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}) }

// openStream copies a stream, decompressed, into a temporary file.
func openStream(ctx context.Context, r io.Reader, opts ArchiveOptions) (_ *Archive, err error) {
	f, err := os.CreateTemp(opts.TempDir, "breakwater-archive-")
	if err != nil {
		return nil, breakwater.Wrap(breakwater.KindUnavailable, err, "no temporary file can be made for the archive")
	}
	// Its name goes at once where the system allows that: however the process
	// ends, nothing is left behind.
	t := &tarFiles{file: f, temp: os.Remove(f.Name()) != nil}
	if err := unpack(ctx, f, r, opts); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return openTar(ctx, t)
}

// unpack decompresses what is compressed and copies the rest, within the limits.
func unpack(ctx context.Context, w io.Writer, r io.Reader, opts ArchiveOptions) error {
	in := &countedReader{r: &impatient{ctx: ctx, r: r}}
	head := make([]byte, tarBlock)
	n, err := io.ReadFull(in, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return openError(err)
	}
	whole := io.MultiReader(bytes.NewReader(head[:n]), in)
	out, packed := whole, true
	switch {
	case isGzip(head[:n]):
		z, err := gzip.NewReader(whole)
		if err != nil {
			return badArchive("the archive's compression is broken, or it ends too early")
		}
		out = z
	case isZstd(head[:n]):
		z, err := zstd.NewReader(whole, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(128<<20))
		if err != nil {
			return badArchive("the archive's compression is broken, or it ends too early")
		}
		defer z.Close()
		out = z
	case isBzip2(head[:n]):
		out = bzip2.NewReader(whole)
	case isXZ(head[:n]):
		return badArchive("the archive is compressed with xz, which is not read: pipe it through \"xz -dc\"")
	default:
		packed = false
		if n == tarBlock {
			if err := checkTar(head); err != nil {
				return err // said before all of it is copied
			}
		}
	}
	buf := make([]byte, 256<<10)
	for total := int64(0); ; {
		n, err := out.Read(buf)
		total += int64(n)
		if total > opts.Limit || packed && total > ratioFrom && total/opts.Ratio > in.n {
			return coded(breakwater.Errorf(breakwater.KindTooLarge, "the archive is larger than the limit once it is decompressed"), breakwater.CodeOverSized)
		}
		if _, err := w.Write(buf[:n]); err != nil {
			return breakwater.Wrap(breakwater.KindUnavailable, err, "the temporary file for the archive cannot be written")
		}
		switch {
		case err == io.EOF:
			return nil
		case in.err != nil:
			return openError(in.err)
		case err != nil:
			return badArchive("the archive's compression is broken, or it ends too early")
		}
	}
}

func openError(err error) error {
	var known *breakwater.Error
	switch {
	case errors.As(err, &known):
		return err
	case errors.Is(err, fs.ErrNotExist):
		return breakwater.Wrap(breakwater.KindNotFound, err, "the archive is not there")
	}
	return breakwater.Wrap(breakwater.KindUnavailable, err, "the archive cannot be read")
}
