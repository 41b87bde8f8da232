package oci

import (
	"context"
	"io"
	"net/http"
	"strconv"

	"breakwater"
)

// Repository is the Source of one repository of a foreign registry.
type Repository struct {
	client *Client
	name   string
}

var _ Source = (*Repository)(nil)

// Repository names a repository; a malformed name fails with every method.
func (c *Client) Repository(name string) *Repository { return &Repository{client: c, name: name} }

func (r *Repository) path(kind, ref string) string { return "/v2/" + r.name + "/" + kind + "/" + ref }

func (r *Repository) scope() string { return "repository:" + r.name + ":pull" }

// Manifest implements Source.
func (r *Repository) Manifest(ctx context.Context, ref string) (Manifest, error) {
	want, err := r.check(ref)
	if err != nil {
		return Manifest{}, err
	}
	a, err := r.client.fetch(ctx, call{path: r.path("manifests", ref), accept: Accept, scope: r.scope(), limit: MaxManifest})
	if breakwater.KindOf(err) == breakwater.KindTooLarge {
		return Manifest{}, errManifestSize()
	}
	if err != nil {
		return Manifest{}, err
	}
	// A tag's digest is what the answer says in its header, of an algorithm of
	// the registry's choice, and always what the body hashes to.
	if said, err := breakwater.ParseDigest(a.Header.Get("Docker-Content-Digest")); err == nil && want == "" {
		want = said
	}
	m := Manifest{Digest: want, MediaType: a.Header.Get("Content-Type"), Body: a.Body}
	if m.Digest == "" {
		m.Digest = breakwater.DigestOf(a.Body)
		return m, nil
	}
	h := m.Digest.Hash()
	_, _ = h.Write(a.Body)
	if breakwater.DigestOfHash(m.Digest.Algorithm(), h) != m.Digest {
		return Manifest{}, unavailable(breakwater.CodeDownloadFailed, nil, "the registry answered with another manifest than the digest names")
	}
	return m, nil
}

// Digest asks what a tag points at, without its body where the registry can
// say so. The answer is the registry's claim: it proves itself when the
// manifest is fetched by it.
func (r *Repository) Digest(ctx context.Context, ref string) (breakwater.Digest, error) {
	want, err := r.check(ref)
	if err != nil {
		return "", err
	}
	a, err := r.client.fetch(ctx, call{
		method: http.MethodHead, path: r.path("manifests", ref), accept: Accept, scope: r.scope(), limit: maxSmall,
	})
	if err == nil {
		d, perr := breakwater.ParseDigest(a.Header.Get("Docker-Content-Digest"))
		if perr == nil && (want == "" || want == d) {
			return d, nil
		}
	}
	// No HEAD, or no digest in its answer: some registries and proxies do
	// neither. A refusal to sign in or an outage is the answer, though.
	if breakwater.KindOf(err) == breakwater.KindUnavailable && !IsStatus(err, http.StatusMethodNotAllowed, http.StatusBadRequest, http.StatusNotImplemented) {
		return "", err
	}
	m, err := r.Manifest(ctx, ref)
	return m.Digest, err
}

// Blob implements Source: the download resumes after a broken or stalled
// connection where it stood.
func (r *Repository) Blob(ctx context.Context, d breakwater.Digest, size int64) (io.ReadCloser, error) {
	if _, err := r.check(string(d)); err != nil {
		return nil, err
	}
	down := &download{ctx: ctx, client: r.client, path: r.path("blobs", string(d)), scope: r.scope(), size: size}
	if err := down.start(); err != nil {
		return nil, err
	}
	return Verify(down, d, size), nil
}

func (r *Repository) check(ref string) (breakwater.Digest, error) {
	if err := CheckRepository(r.name); err != nil {
		return "", err
	}
	return checkVersion(ref)
}

func rangeFrom(offset int64) string { return "bytes=" + strconv.FormatInt(offset, 10) + "-" }
