package osv

import (
	"bufio"
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net/url"
	"strings"
	"time"

	"breakwater"

	"github.com/klauspost/compress/zstd"
)

//go:embed starter
var starterFiles embed.FS

// Starter is the set that ships in the binary: facts only (ids, packages,
// versions, severities, dates; no prose), made by cmd/starter from sources that
// may be passed on. It is as old as its date, so its feeds are marked Starter
// and stale until an update succeeds.
//
// The set is one file a feed, named like it, packed with zstd: a line of JSON
// that is a StarterHeader, then one line a record: a breakwater.Advisory, or
// what the feed's original has (EPSS lines, the KEV catalogue).
type Starter struct {
	files fs.FS
	opts  Options
}

// NewStarter reads the set in the binary.
func NewStarter(o Options) (*Starter, error) {
	files, err := fs.Sub(starterFiles, "starter")
	if err != nil {
		return nil, fmt.Errorf("osv.NewStarter: %w", err)
	}
	return &Starter{files: files, opts: o}, nil
}

// StarterHeader is the first line of each file of the starter set.
type StarterHeader struct {
	Feed    string    `json:"feed"`
	Dated   time.Time `json:"dated"` // the day the facts speak of
	Records int       `json:"records"`
}

const starterSuffix = ".zst"

// Names lists the feeds of the set, the two small ones first.
func (s *Starter) Names(context.Context) ([]string, error) {
	list, err := fs.Glob(s.files, "*"+starterSuffix)
	if err != nil {
		return nil, fmt.Errorf("osv.Starter: %w", err)
	}
	var small, names []string
	for _, name := range list {
		name = strings.TrimSuffix(name, starterSuffix)
		if name == breakwater.FeedKEV || name == breakwater.FeedEPSS {
			small = append(small, name)
		} else {
			names = append(names, name)
		}
	}
	return append(small, names...), nil
}

// Open answers one feed of the set. It never replaces a feed that was imported
// from elsewhere, or from this set: then it is ErrNotModified.
func (s *Starter) Open(_ context.Context, name string, previous breakwater.Feed) (*Dump, error) {
	raw, err := fs.ReadFile(s.files, name+starterSuffix)
	if err != nil {
		return nil, breakwater.NotFound("the feed " + name)
	}
	tag := "starter:" + breakwater.DigestOf(raw).Hex()[:16]
	if previous.ETag == tag || previous.Records > 0 && !previous.Starter {
		return nil, ErrNotModified
	}
	d := &Dump{limits: s.opts.Limits.withDefaults(), now: s.opts.clock()}
	d.starts = func() (io.ReadCloser, error) {
		_, in, err := openStarter(raw, d.limits)
		return in, err
	}
	header, in, err := openStarter(raw, d.limits)
	if err != nil || header.Feed != name {
		return nil, fmt.Errorf("osv.Starter(%s): the file is damaged: %w", name, err)
	}
	_ = in.Close()
	d.Feed = breakwater.Feed{Name: name, URL: "starter:" + name, ETag: tag, Dated: header.Dated, Starter: true, Records: header.Records}
	return d, nil
}

type starterReader struct {
	io.Reader
	z *zstd.Decoder
}

func (r starterReader) Close() error { r.z.Close(); return nil }

// openStarter reads the header and answers the rest of the file.
func openStarter(raw []byte, limits Limits) (StarterHeader, io.ReadCloser, error) {
	var header StarterHeader
	z, err := zstd.NewReader(bytes.NewReader(raw), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(256<<20))
	if err != nil {
		return header, nil, err
	}
	in := bufio.NewReaderSize(io.LimitReader(z, limits.Total), 1<<16)
	line, err := in.ReadSlice('\n')
	if err == nil {
		err = json.Unmarshal(line, &header)
	}
	if err != nil {
		z.Close()
		return header, nil, err
	}
	return header, starterReader{in, z}, nil
}

// fromStarter reads the advisories of the set, one line each.
func (d *Dump) fromStarter() iter.Seq2[breakwater.Advisory, error] {
	return func(yield func(breakwater.Advisory, error) bool) {
		in, err := d.starts()
		if err != nil {
			yield(breakwater.Advisory{}, err)
			return
		}
		defer func() { _ = in.Close() }()
		lines := json.NewDecoder(in)
		for {
			var a breakwater.Advisory
			err := lines.Decode(&a)
			if errors.Is(err, io.EOF) {
				return
			}
			if a.URL == "" { // the set holds no addresses
				a.URL = "https://osv.dev/vulnerability/" + url.PathEscape(a.ID)
			}
			if !yield(a, err) || err != nil {
				return
			}
		}
	}
}

// WriteStarter packs one file of the set: a header and lines of JSON.
func WriteStarter(w io.Writer, header StarterHeader, lines io.Reader) error {
	z, err := zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(8<<20))
	if err != nil {
		return err
	}
	first, err := json.Marshal(header)
	if err != nil {
		return err
	}
	if _, err := z.Write(append(first, '\n')); err != nil {
		return err
	}
	if _, err := io.Copy(z, lines); err != nil {
		return err
	}
	return z.Close()
}
