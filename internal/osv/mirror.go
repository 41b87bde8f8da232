package osv

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"breakwater"
)

// The public sources.
const (
	publicOSV  = "https://osv-vulnerabilities.storage.googleapis.com"
	publicKEV  = "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json"
	publicEPSS = "https://epss.empiricalsecurity.com/epss_scores-current.csv.gz"
)

// CodeUnreachable marks an error of Open by which the server gave no answer.
const CodeUnreachable = "unreachable"

// stall is how long a download may bring nothing before it is given up.
const stall = 60 * time.Second

// Mirror fetches feeds over HTTP from the OSV bucket or a copy of it. It asks
// with the tag or date of the last import, so a feed that has not changed costs
// one small request.
type Mirror struct {
	base, kev, epss string
	opts            Options
}

// NewMirror checks the addresses. An installation that names its own mirror
// never asks the public sources for the two small feeds.
func NewMirror(o Options) (*Mirror, error) {
	if o.Client == nil {
		return nil, errors.New("osv.NewMirror: no HTTP client")
	}
	m := &Mirror{base: strings.TrimRight(o.BaseURL, "/"), kev: o.KEVURL, epss: o.EPSSURL, opts: o}
	if m.base == "" {
		m.base = publicOSV
		m.kev, m.epss = orElse(m.kev, publicKEV), orElse(m.epss, publicEPSS)
	}
	m.kev, m.epss = orElse(m.kev, m.base+"/kev.json"), orElse(m.epss, m.base+"/epss.csv.gz")
	for field, address := range map[string]string{"feed_url": m.base, "kev_url": m.kev, "epss_url": m.epss} {
		u, err := url.Parse(address)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
			return nil, breakwater.Invalid(field, "must be an http or https address without credentials")
		}
	}
	return m, nil
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// Names lists the feeds asked for.
func (m *Mirror) Names(context.Context) ([]string, error) {
	if len(m.opts.Feeds) > 0 {
		return m.opts.Feeds, nil
	}
	return DefaultFeeds(), nil
}

func (m *Mirror) address(feed string) string {
	switch feed {
	case breakwater.FeedKEV:
		return m.kev
	case breakwater.FeedEPSS:
		return m.epss
	}
	return m.base + "/" + url.PathEscape(feed) + "/all.zip"
}

// Open fetches a feed whole into a private file, which the dump's Close removes.
func (m *Mirror) Open(ctx context.Context, name string, previous breakwater.Feed) (*Dump, error) {
	if name == "" || name == "." || name == ".." || strings.Contains(name, "/") {
		return nil, breakwater.Invalid("feed", "a feed is named like an OSV ecosystem")
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	address := m.address(name)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, breakwater.Wrap(breakwater.KindInvalid, err, "the address of feed %s cannot be used", name)
	}
	req.Header.Set("User-Agent", "breakwater")
	req.Header.Set("Accept-Encoding", "identity") // the files are packed already
	if previous.URL == address && previous.ETag != "" {
		if strings.HasSuffix(previous.ETag, `"`) {
			req.Header.Set("If-None-Match", previous.ETag)
		} else {
			req.Header.Set("If-Modified-Since", previous.ETag)
		}
	}
	patience := time.AfterFunc(stall, func() { cancel(errors.New("the server sent nothing for too long")) })
	defer patience.Stop()
	res, err := m.opts.Client.Do(req)
	if err != nil {
		return nil, m.unavailable(ctx, name, err)
	}
	defer func() { _ = res.Body.Close() }()
	switch {
	case res.StatusCode == http.StatusNotModified:
		return nil, ErrNotModified
	case res.StatusCode == http.StatusNotFound:
		return nil, breakwater.NotFound("the feed " + name)
	case res.StatusCode != http.StatusOK:
		return nil, breakwater.Errorf(breakwater.KindUnavailable, "the server of feed %s answered status %d", name, res.StatusCode)
	}
	feed := breakwater.Feed{Name: name, URL: address, ETag: tagOf(res.Header), Dated: m.dated(res.Header)}
	path, err := m.download(res, name, patience)
	if err != nil {
		return nil, m.unavailable(ctx, name, err)
	}
	dump, err := openFile(path, feed, m.opts, func() error { return os.Remove(path) })
	if err != nil {
		_ = os.Remove(path)
		return nil, fmt.Errorf("osv.Open(%s): %w", name, err)
	}
	return dump, nil
}

// unavailable names the cause a download was given up for, if that is what happened.
func (m *Mirror) unavailable(ctx context.Context, name string, err error) error {
	if breakwater.KindOf(err) == breakwater.KindTooLarge {
		return err
	}
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("osv.Open(%s): %w", name, err)
	}
	unreachable := breakwater.Wrap(breakwater.KindUnavailable, err, "the feed %s could not be fetched", name)
	unreachable.Code = CodeUnreachable
	return unreachable
}

func tagOf(h http.Header) string {
	if tag := h.Get("ETag"); strings.HasSuffix(tag, `"`) && printable(tag, 256) {
		return tag
	}
	if _, err := http.ParseTime(h.Get("Last-Modified")); err == nil {
		return h.Get("Last-Modified")
	}
	return ""
}

func (m *Mirror) dated(h http.Header) time.Time {
	now := m.opts.clock()().UTC()
	if t, err := http.ParseTime(h.Get("Last-Modified")); err == nil && t.Before(now) {
		return t.UTC()
	}
	return now
}

// download writes the body to a file that only this user can read. A body
// shorter than its Content-Length is an error of net/http's.
func (m *Mirror) download(res *http.Response, name string, patience *time.Timer) (path string, err error) {
	limit := m.opts.Limits.withDefaults().Download
	tooLarge := breakwater.Errorf(breakwater.KindTooLarge, "the feed %s is larger than %d bytes", name, limit)
	if res.ContentLength > limit {
		return "", tooLarge
	}
	f, err := os.CreateTemp(m.opts.TempDir, "breakwater-feed-*")
	if err != nil {
		return "", err
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	total := max(res.ContentLength, 0)
	var done int64
	in := io.LimitReader(res.Body, limit+1)
	for {
		n, err := io.CopyN(f, in, 1<<20)
		done += n
		patience.Reset(stall)
		m.opts.progress(Progress{Feed: name, Step: StepDownload, Done: done, Total: total})
		if done > limit {
			return "", tooLarge
		}
		if err == io.EOF {
			return f.Name(), nil
		}
		if err != nil {
			return "", err
		}
	}
}
