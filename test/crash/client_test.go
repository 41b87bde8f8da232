//go:build crash

package crash

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"breakwater/internal/auth"

	"github.com/google/go-containerregistry/pkg/authn"
)

var client = &http.Client{Timeout: 30 * time.Second}

// signIn gets the one token of the test; it outlives every kill.
func (s *server) signIn() {
	s.t.Helper()
	body, err := json.Marshal(map[string]any{"auth": map[string]any{
		"identity": map[string]any{"methods": []string{"password"}, "password": map[string]any{"user": map[string]any{
			"name": s.creds.User, "password": s.creds.Password, "domain": map[string]any{"id": s.creds.DomainID}}}},
		"scope": map[string]any{"project": map[string]any{"id": s.creds.ProjectID}},
	}})
	must(s.t, err)
	resp, err := client.Post(s.base+"/v3/auth/tokens", "application/json", bytes.NewReader(body))
	must(s.t, err)
	_ = resp.Body.Close()
	if s.token = resp.Header.Get("X-Subject-Token"); s.token == "" {
		s.t.Fatalf("POST /v3/auth/tokens: %s", resp.Status)
	}
}

// call makes one request below /v5/{project}; out may be nil.
func (s *server) call(method, path string, body, out any) {
	s.t.Helper()
	var sent io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		must(s.t, err)
		sent = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.base+"/v5/"+s.creds.ProjectID+path, sent)
	must(s.t, err)
	req.Header.Set("X-Auth-Token", s.token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	must(s.t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	must(s.t, err)
	if resp.StatusCode != http.StatusOK {
		s.t.Fatalf("%s %s: %s %s", method, path, resp.Status, b)
	}
	if out != nil {
		must(s.t, json.Unmarshal(b, out))
	}
}

// image is a row of the image list.
type image struct {
	Namespace string `json:"namespace"`
	Name      string `json:"image_name"`
	Version   string `json:"image_version"`
	ImageID   string `json:"image_id"`
	Digest    string `json:"image_digest"`
	Type      string `json:"image_type"`
	Status    string `json:"scan_status"`
	Code      string `json:"scan_failed_code"`
	Failure   string `json:"scan_failed_desc"`
	Found     int    `json:"vul_num"`
}

func (i image) ref() string {
	return strings.TrimPrefix(i.Namespace+"/"+i.Name, "/") + ":" + i.Version
}

// total is how many images a query selects.
func (s *server) total(query string) int {
	s.t.Helper()
	var out struct {
		Total int `json:"total_num"`
	}
	s.call("GET", "/image/registries/images?limit=1&"+query, nil, &out)
	return out.Total
}

// images is the whole list by reference; no reference may be there twice, and
// the count must be that of the rows.
func (s *server) images(query string) map[string]image {
	s.t.Helper()
	all := map[string]image{}
	for {
		var out struct {
			Total int     `json:"total_num"`
			List  []image `json:"data_list"`
		}
		s.call("GET", fmt.Sprintf("/image/registries/images?limit=200&offset=%d&%s", len(all), query), nil, &out)
		for _, i := range out.List {
			if had, ok := all[i.ref()]; ok {
				s.t.Fatalf("%s is listed twice: %+v and %+v", i.ref(), had, i)
			}
			all[i.ref()] = i
		}
		if len(out.List) == 0 {
			if out.Total != len(all) {
				s.t.Fatalf("total_num %d, but %d rows", out.Total, len(all))
			}
			return all
		}
	}
}

// findings is everything an image's vulnerability list shows, in order.
func (s *server) findings(i image) []string {
	s.t.Helper()
	var all []string
	for {
		q := url.Values{"image_type": {i.Type}, "namespace": {i.Namespace}, "image_name": {i.Name}, "tag_name": {i.Version}, "limit": {"200"}, "offset": {fmt.Sprint(len(all))}}
		var out struct {
			Total int               `json:"total_num"`
			List  []json.RawMessage `json:"data_list"`
		}
		s.call("GET", "/image/"+i.ImageID+"/vulnerabilities?"+q.Encode(), nil, &out)
		for _, v := range out.List {
			all = append(all, string(v))
		}
		if len(out.List) == 0 {
			if out.Total != len(all) {
				s.t.Fatalf("%s: total_num %d, but %d findings", i.ref(), out.Total, len(all))
			}
			slices.Sort(all)
			return all
		}
	}
}

// task is a row of the task list.
type task struct {
	Type    string `json:"task_type"`
	Status  int    `json:"task_status"`
	Total   int    `json:"total_num"`
	Success int    `json:"success_num"`
	Failed  int    `json:"failed_num"`
}

// tasks is the newest tasks of a kind, image_scan or image_sync.
func (s *server) tasks(kind string) []task {
	s.t.Helper()
	var out struct {
		List []task `json:"data_list"`
	}
	s.call("GET", "/image/tasks?limit=200&type="+kind, nil, &out)
	return out.List
}

// docker is the login of docker clients.
func (s *server) docker() *authn.Basic {
	return &authn.Basic{
		Username: s.creds.ProjectName + "@" + s.creds.AccessKey,
		Password: auth.DockerPassword(s.creds.AccessKey, []byte(s.creds.SecretKey)),
	}
}

// addRegistry onboards a registry and waits for its probe.
func (s *server) addRegistry(kind, addr, username, password string) {
	s.t.Helper()
	s.call("POST", "/image/registries", map[string]any{
		"registry_name": "upstream", "registry_type": kind, "api_version": "V2", "protocol": "http", "registry_addr": addr,
		"registry_username": username, "registry_password": password, "connect_cluster_id": "local", "get_scan_image_channel": "Swr",
	}, nil)
}
