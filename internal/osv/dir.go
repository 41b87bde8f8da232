package osv

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"breakwater"
)

// Dir reads feeds from a directory: <Ecosystem>.zip or, as a copy of the OSV
// bucket has it, <Ecosystem>/all.zip; kev.json and epss.csv.gz beside them,
// under the names below.
type Dir struct {
	root string
	opts Options
}

// NewDir reads from the directory at root.
func NewDir(root string, o Options) *Dir { return &Dir{root: root, opts: o} }

// The names under which the two small feeds are looked for, in this order.
func dirNames(feed string) []string {
	switch feed {
	case breakwater.FeedKEV:
		return []string{"kev.json", "known_exploited_vulnerabilities.json"}
	case breakwater.FeedEPSS:
		return []string{"epss.csv.gz", "epss_scores-current.csv.gz"}
	}
	return []string{feed + ".zip", filepath.Join(feed, "all.zip")}
}

// Names lists what the directory holds, the two small feeds first.
func (d *Dir) Names(ctx context.Context) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	list, err := os.ReadDir(d.root)
	if err != nil {
		return nil, breakwater.Wrap(breakwater.KindInvalid, err, "the feed directory cannot be read")
	}
	var zips, names []string
	for _, e := range list {
		name := strings.TrimSuffix(e.Name(), ".zip")
		if e.IsDir() || name != e.Name() {
			if _, err := d.path(name); err == nil && name != "" {
				zips = append(zips, name)
			}
		}
	}
	for _, feed := range []string{breakwater.FeedKEV, breakwater.FeedEPSS} {
		if _, err := d.path(feed); err == nil {
			names = append(names, feed)
		}
	}
	slices.Sort(zips)
	if names = append(names, slices.Compact(zips)...); len(names) == 0 {
		return nil, breakwater.Errorf(breakwater.KindInvalid, "the feed directory holds no feed")
	}
	return names, nil
}

// Open answers the file of a feed. Its tag is the hash of its bytes, so a
// directory that is copied again is known to be the same.
func (d *Dir) Open(ctx context.Context, name string, previous breakwater.Feed) (*Dump, error) {
	path, err := d.path(name)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("osv.Open(%s): %w", name, err)
	}
	if limit := d.opts.Limits.withDefaults().Download; info.Size() > limit {
		return nil, breakwater.Errorf(breakwater.KindTooLarge, "the file of feed %s is larger than %d bytes", name, limit)
	}
	tag, err := hashFile(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("osv.Open(%s): %w", name, err)
	}
	if tag == previous.ETag {
		return nil, ErrNotModified
	}
	feed := breakwater.Feed{Name: name, URL: "file:" + path, ETag: tag, Dated: info.ModTime().UTC()}
	dump, err := openFile(path, feed, d.opts, nil)
	if err != nil {
		return nil, fmt.Errorf("osv.Open(%s): %w", name, err)
	}
	return dump, nil
}

// path is the regular file of a feed; NotFound when there is none.
func (d *Dir) path(feed string) (string, error) {
	if feed == "" || strings.ContainsAny(feed, `/\`) || feed == ".." || feed == "." {
		return "", breakwater.Invalid("feed", "a feed is named like an OSV ecosystem")
	}
	for _, name := range dirNames(feed) {
		path := filepath.Join(d.root, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path, nil
		}
	}
	return "", breakwater.NotFound("the feed " + feed)
}

func hashFile(ctx context.Context, path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	h := sha256.New()
	for {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		if _, err := io.CopyN(h, f, 16<<20); err == io.EOF {
			return "sha256:" + hex.EncodeToString(h.Sum(nil)), nil
		} else if err != nil {
			return "", err
		}
	}
}
