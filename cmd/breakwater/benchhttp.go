package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strconv"
	"time"

	"breakwater"
	"breakwater/internal/catalog"
	"breakwater/internal/hss"
	"breakwater/internal/job"
	"breakwater/internal/keyring"
	"breakwater/internal/store"
	"breakwater/internal/store/storebench"
)

// throughDoor serves the image API over db on loopback and asks it as clients
// do: HTTP, validation, shaping, JSON. Sign-in takes the caller's word, so what
// a signature costs (tens of microseconds) is not in the figures.
func throughDoor(db *store.DB) (storebench.Ask, func(), error) {
	dir, err := os.MkdirTemp("", "breakwater-bench-")
	if err != nil {
		return nil, nil, err
	}
	keys, err := keyring.Open(dir, keyring.Options{})
	if err != nil {
		return nil, nil, err
	}
	queue, err := job.New(context.Background(), db, job.Options{})
	if err != nil {
		return nil, nil, err
	}
	server, err := hss.New(db, catalog.New(db, queue, catalog.Options{}), keys, hss.Options{Endpoint: "http://127.0.0.1",
		SignIn: func(r *http.Request, _ []byte) (breakwater.Caller, error) {
			return breakwater.Caller{ProjectID: r.Header.Get("X-Project-Id"), Role: breakwater.RoleViewer}, nil
		}})
	if err != nil {
		return nil, nil, err
	}
	listening := httptest.NewServer(server)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: time.Minute}
	ask := func(ctx context.Context, q storebench.Query) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet,
			listening.URL+"/v5/"+q.ProjectID+"/image/registries/images?"+queryOf(q).Encode(), nil)
		if err != nil {
			return err
		}
		req.Header.Set("X-Project-Id", q.ProjectID)
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		if err == nil && resp.StatusCode != http.StatusOK {
			err = fmt.Errorf("%s: %.200s", resp.Status, body)
		}
		return err
	}
	return ask, func() { listening.Close(); _ = os.RemoveAll(dir) }, nil
}

// queryOf is a query in the wire's words.
func queryOf(q storebench.Query) url.Values {
	v := url.Values{"offset": {strconv.Itoa(q.Page.Offset)}}
	if q.Page.Limit > 0 {
		v.Set("limit", strconv.Itoa(q.Page.Limit))
	}
	f := q.Filter
	if f.ScanStatus == breakwater.ScanDownload || f.ScanStatus == breakwater.ScanOversize {
		f.ScanStatus = breakwater.ScanFailed // the list's own filter has five of the seven words
	}
	for name, text := range map[string]string{
		"enterprise_project_id": f.EnterpriseProjectID, "namespace": f.Namespace, "image_name": f.Name, "image_version": f.Version,
		"registry_name": f.RegistryName, "instance_id": f.InstanceID, "instance_name": f.InstanceName,
		"image_type": string(f.Type), "scan_status": string(f.ScanStatus), "severity_level": string(f.Level),
	} {
		if text != "" {
			v.Set(name, text)
		}
	}
	if f.EnterpriseProjectID == "" {
		v.Set("enterprise_project_id", store.AllEnterpriseProjects)
	}
	for name, flag := range map[string]*bool{"latest_version": f.Latest, "is_multarch": f.MultiArch, "has_malicious_file": f.HasMalicious,
		"has_unsafe_setting": f.HasUnsafe, "has_vul": f.HasVul, "risky": f.Risky} {
		if flag != nil {
			v.Set(name, strconv.FormatBool(*flag))
		}
	}
	for name, n := range map[string]*int64{"image_size": f.Size,
		"start_latest_update_time": f.UpdatedFrom, "end_latest_update_time": f.UpdatedTo,
		"start_latest_scan_time": f.ScannedFrom, "end_latest_scan_time": f.ScannedTo,
		"start_latest_sync_time": f.SyncedFrom, "end_latest_sync_time": f.SyncedTo} {
		if n != nil {
			v.Set(name, strconv.FormatInt(*n, 10))
		}
	}
	if q.Page.SortScanned {
		v.Set("sort_key", "latest_scan_time")
		v.Set("sort_dir", map[bool]string{false: "asc", true: "desc"}[q.Page.Desc])
	}
	return v
}
