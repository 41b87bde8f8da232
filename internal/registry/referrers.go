package registry

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"

	"breakwater"
	"breakwater/internal/oci"
)

// The answer of listReferrers is an index, and clients hold it to the limit of
// a manifest: it is cut into pages by number and by size.
const (
	referrersPage  = 200
	referrersBytes = oci.MaxManifest - 64<<10
)

// referrer is the descriptor of one manifest that has the subject.
type referrer struct {
	MediaType    string            `json:"mediaType"`
	Digest       breakwater.Digest `json:"digest"`
	Size         int64             `json:"size"`
	ArtifactType string            `json:"artifactType,omitempty"`
	Annotations  map[string]string `json:"annotations,omitempty"`
}

// listReferrers answers an index of what refers to a digest, which itself need
// not exist. Nor need the repository: to clients a 404 here means that the
// registry cannot list referrers at all.
func (r *Registry) listReferrers(c *call) error {
	subject, err := breakwater.ParseDigest(c.ref)
	if err != nil {
		return recode(err, codeDigestInvalid)
	}
	repo, err := r.pullable(c)
	if err != nil && !breakwater.IsNotFound(err) {
		return err
	}
	q := c.req.URL.Query()
	last := breakwater.Digest(q.Get("last"))
	if last != "" {
		if last, err = breakwater.ParseDigest(string(last)); err != nil {
			return recode(err, codePagination)
		}
	}
	artifactType := q.Get("artifactType")
	found, err := r.db.Referrers(c.ctx(), repo.ID, subject, artifactType, last, referrersPage+1)
	if err != nil {
		return err
	}
	list, size := []json.RawMessage{}, 0
	for i, m := range found {
		one, err := json.Marshal(referrer{MediaType: m.MediaType, Digest: m.Digest, Size: m.BodySize, ArtifactType: m.ArtifactType, Annotations: m.Annotations})
		if err != nil {
			return err
		}
		if i == referrersPage || i > 0 && size+len(one) > referrersBytes {
			more := url.Values{}
			if artifactType != "" {
				more.Set("artifactType", artifactType)
			}
			nextLink(c, referrersPage, found[i-1].Digest.String(), more)
			break
		}
		list, size = append(list, one), size+len(one)+1
	}
	return writeReferrers(c.w, list, artifactType != "")
}

func writeReferrers(w http.ResponseWriter, list []json.RawMessage, filtered bool) error {
	body, err := json.Marshal(struct {
		SchemaVersion int               `json:"schemaVersion"`
		MediaType     string            `json:"mediaType"`
		Manifests     []json.RawMessage `json:"manifests"`
	}{2, oci.TypeIndex, list})
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", oci.TypeIndex)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if filtered {
		h.Set("OCI-Filters-Applied", "artifactType")
	}
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(body)
	return nil
}
