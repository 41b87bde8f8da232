package detect

import (
	"archive/zip"
	"context"
	"strings"
)

// readPython reads installed metadata. A zipped egg is looked at first: the
// extractor reads any number of entries of any size.
func readPython(ctx context.Context, d *Detector, in input) (Facts, error) {
	if strings.HasSuffix(in.Path, ".egg") {
		if err := lookEgg(in); err != nil {
			return Facts{}, err
		}
	}
	found, err := extract(ctx, d.use.wheel, in)
	return Facts{Packages: convert(found, in.Path)}, err
}

// lookEgg holds an egg's table of contents and the metadata in it against the
// limits of archives.
func lookEgg(in input) error {
	meter := &metered{r: in.r, left: jarDirectory}
	z, err := zip.NewReader(meter, in.Size)
	if meter.left < 0 {
		return errDirectory
	}
	if err != nil {
		return errForm
	}
	left := uint64(jarManifest)
	for _, f := range z.File {
		if !isInstalledPython(f.Name) && !strings.HasSuffix(f.Name, ".whl") {
			continue
		}
		if f.UncompressedSize64 > left {
			return errNested
		}
		left -= f.UncompressedSize64
	}
	return nil
}
