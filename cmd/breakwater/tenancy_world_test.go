package main

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"breakwater"
	"breakwater/internal/auth"
	"breakwater/internal/iam"
	"breakwater/internal/upstreamtest"
	"breakwater/internal/worker"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/crane"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// estate is a whole server on loopback with two furnished tenants.
type estate struct {
	t       *testing.T
	house   *house
	url     string
	tenants [2]*tenant
}

// tenant is a project with its admin, and one of each thing a project can have.
type tenant struct {
	estate    *estate
	name      string // of the namespace, the project and, in parts, of all else
	creds     iam.Credentials
	userID    string
	token     string
	harbor    *upstreamtest.Server
	registry  string // id of the Harbor
	images    []tenantImage
	scanTasks []string // newest first; the newest runs
	syncTask  string
	upload    string // path of an open upload session
	layer     string // digest of a layer nobody else has
	referrer  string // digest of a manifest that refers to the shared image
}

type tenantImage struct {
	ID        int64  `json:"id"`
	ImageID   string `json:"image_id"`
	Digest    string `json:"image_digest"`
	Namespace string `json:"namespace"`
	Name      string `json:"image_name"`
	Version   string `json:"image_version"`
	Type      string `json:"image_type"`
}

// newEstate serves a house and furnishes two tenants.
func newEstate(t *testing.T) *estate {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	srv := httptest.NewUnstartedServer(nil)
	c, err := loadConfig(flags(t, "--data", filepath.Join(t.TempDir(), "data"), "--endpoint", "http://"+srv.Listener.Addr().String(),
		"--allow-networks", "127.0.0.0/8", "--feed-every", "0", "--starter=false", "--project", "alpha"))
	tenancyMust(t, err)
	tenancyMust(t, c.check())
	log := &lockedLog{}
	h, err := openHouse(ctx, c, slog.New(slog.NewTextHandler(log, nil)))
	tenancyMust(t, err)
	tenancyMust(t, h.bootstrap(ctx, io.Discard))
	srv.Config.Handler = h.handler()
	srv.Start()
	ended := make(chan error, 1)
	go func() { ended <- h.queue.Run(ctx, h.worker.Handlers(), 10*time.Second) }()
	e := &estate{t: t, house: h, url: srv.URL}
	t.Cleanup(func() {
		srv.Close()
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		h.close()
		if t.Failed() {
			t.Logf("the server's log:\n%s", log)
		}
	})
	first, err := iam.ReadCredentials(filepath.Join(c.Data, "credentials.json"))
	tenancyMust(t, err)
	e.advise()
	e.tenants = [2]*tenant{{estate: e, name: "alpha", creds: first}, {estate: e, name: "omega", creds: e.second(ctx, first)}}
	for _, who := range e.tenants {
		who.furnish()
	}
	e.settle()
	for _, who := range e.tenants {
		who.learn()
	}
	e.settle()
	return e
}

// lockedLog is what a server under test says, shown when the test fails.
type lockedLog struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lockedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// second makes another project with another admin.
func (e *estate) second(ctx context.Context, first iam.Credentials) iam.Credentials {
	c := iam.Credentials{Endpoint: first.Endpoint, DomainID: first.DomainID, ProjectName: "omega", User: "omega-admin", Password: "a-Good-password-2"}
	p, err := e.house.iam.CreateProject(ctx, c.ProjectName)
	tenancyMust(e.t, err)
	c.ProjectID = p.ID
	_, err = e.house.iam.CreateUser(ctx, c.User, c.Password)
	tenancyMust(e.t, err)
	tenancyMust(e.t, e.house.iam.SetRole(ctx, c.User, c.ProjectName, breakwater.RoleAdmin))
	c.AccessKey, c.SecretKey, err = e.house.iam.CreateAccessKey(ctx, c.User, c.ProjectName)
	tenancyMust(e.t, err)
	return c
}

// advise imports an advisory that finds something in every image.
func (e *estate) advise() {
	dir := e.t.TempDir()
	f, err := os.Create(filepath.Join(dir, "npm.zip"))
	tenancyMust(e.t, err)
	z := zip.NewWriter(f)
	w, err := z.Create("GHSA-tttt-eeee-nnnn.json")
	tenancyMust(e.t, err)
	_, err = io.WriteString(w, `{"id":"GHSA-tttt-eeee-nnnn","modified":"2026-01-01T00:00:00Z","aliases":["CVE-2026-0001"],
		"affected":[{"package":{"ecosystem":"npm","name":"leaky"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"2.0.0"}]}]}]}`)
	tenancyMust(e.t, err)
	tenancyMust(e.t, z.Close())
	tenancyMust(e.t, f.Close())
	sum, err := worker.UpdateFeeds(context.Background(), e.house.db, e.house.client, worker.FeedOptions{From: dir})
	tenancyMust(e.t, err)
	tenancyMust(e.t, sum.Err())
}

// settle waits until no job is due or under way.
func (e *estate) settle() {
	e.t.Helper()
	e.until("the jobs are done", func() bool {
		var open int
		err := e.house.db.Writer().QueryRow(`SELECT COUNT(*) FROM river_job WHERE state IN ('available', 'running', 'retryable', 'pending')`).Scan(&open)
		return err == nil && open == 0
	})
}

func (e *estate) until(what string, done func() bool) {
	e.t.Helper()
	ctx, cancel := context.WithTimeout(e.t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-ctx.Done():
			e.t.Fatalf("%s: not within a minute", what)
		case <-tick.C:
		}
	}
}

// furnish gives a tenant a token, a Harbor, pushed images and an upload.
func (w *tenant) furnish() {
	t := w.estate.t
	t.Helper()
	w.signIn()
	w.harbor = upstreamtest.Start(upstreamtest.Options{Kind: upstreamtest.HarborV2, Username: "robot", Password: "secret-of-" + w.name})
	t.Cleanup(w.harbor.Close)
	w.harbor.Tag(w.name+"-team/front", "v1", upstreamtest.Image(map[string]string{"srv/package-lock.json": tenancyLock, "srv/of": w.name + " in harbor"}))
	w.ok("POST", w.v5("/image/registries"), fmt.Sprintf(`{"registry_name":"harbor-%s","registry_type":"Harbor","api_version":"V2","protocol":"http","registry_addr":%q,
		"registry_username":"robot","registry_password":"secret-of-%s","connect_cluster_id":"local","get_scan_image_channel":"Swr"}`, w.name, w.harbor.Addr, w.name))
	shared := tenancyImage(t, "both have this")
	own := tenancyImage(t, "only "+w.name)
	w.push("app:v1", own)
	w.push("app:v2", tenancyImage(t, "second of "+w.name))
	w.push("same:v1", shared)
	d, err := shared.Digest()
	tenancyMust(t, err)
	layers, err := own.Layers()
	tenancyMust(t, err)
	layer, err := layers[0].Digest()
	tenancyMust(t, err)
	w.layer = layer.String()
	w.refer(own, d.String())
	a := w.docker("POST", "/v2/"+w.name+"/app/blobs/uploads/", "")
	if w.upload = a.header.Get("Location"); a.status != http.StatusAccepted {
		t.Fatalf("begin an upload: %d %s", a.status, a.body)
	}
	if a := w.docker("PATCH", w.upload, "bytes of "+w.name); a.status != http.StatusAccepted {
		t.Fatalf("upload: %d %s", a.status, a.body)
	}
}

// refer pushes a manifest of own blobs whose subject is the shared image.
func (w *tenant) refer(own v1.Image, subject string) {
	t := w.estate.t
	raw, err := own.RawManifest()
	tenancyMust(t, err)
	var m map[string]any
	tenancyMust(t, json.Unmarshal(raw, &m))
	m["subject"] = map[string]any{"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": subject, "size": 1}
	m["mediaType"] = "application/vnd.oci.image.manifest.v1+json"
	b, err := json.Marshal(m)
	tenancyMust(t, err)
	w.referrer = breakwater.DigestOf(b).String()
	a := w.docker("PUT", "/v2/"+w.name+"/app/manifests/"+w.referrer, string(b), "Content-Type: application/vnd.oci.image.manifest.v1+json")
	if a.status != http.StatusCreated {
		t.Fatalf("the referrer: %d %s", a.status, a.body)
	}
}

// learn starts the tenant's tasks and looks up what its things are called.
func (w *tenant) learn() {
	w.ok("POST", w.v5("/image/image-sync/tasks"), `{"sync_all_registries":true}`)
	w.ok("POST", w.v5("/image/image-scan/tasks"), `{"is_all":true}`)
	w.estate.settle()
	w.ok("POST", w.v5("/image/image-scan/tasks"), `{"is_all":true,"rate_limit":30}`) // one image now, the others in minutes
	w.registry = w.ids("/image/registries?registry_type=Harbor", "id")[0]
	w.scanTasks = w.ids("/image/tasks?type=image_scan", "task_id")
	w.syncTask = w.ids("/image/tasks?type=image_sync", "task_id")[0]
	var list struct {
		List []tenantImage `json:"data_list"`
	}
	tenancyMust(w.estate.t, json.Unmarshal([]byte(w.ok("GET", w.v5("/image/registries/images?limit=200"), "")), &list))
	if w.images = list.List; len(w.images) != 4 || len(w.scanTasks) != 2 {
		w.estate.t.Fatalf("%s has images %+v and tasks %v; its registries: %s; its sync: %s", w.name, w.images, w.scanTasks,
			w.ok("GET", w.v5("/image/registries"), ""), w.ok("GET", w.v5("/image/image-sync/tasks/"+w.syncTask+"/registries"), ""))
	}
}

// ids is a field of every row of a list.
func (w *tenant) ids(path, field string) (out []string) {
	w.estate.t.Helper()
	var list struct {
		List []map[string]any `json:"data_list"`
	}
	tenancyMust(w.estate.t, json.Unmarshal([]byte(w.ok("GET", w.v5(path), "")), &list))
	for _, row := range list.List {
		out = append(out, row[field].(string))
	}
	if len(out) == 0 {
		w.estate.t.Fatalf("%s has nothing at %s", w.name, path)
	}
	return out
}

const tenancyLock = `{"name":"app","version":"1.0.0","lockfileVersion":3,"packages":{"node_modules/leaky":{"version":"1.0.0"}}}`

func tenancyImage(t *testing.T, content string) v1.Image {
	t.Helper()
	layer, err := crane.Layer(map[string][]byte{"srv/content": []byte(content), "srv/package-lock.json": []byte(tenancyLock)})
	tenancyMust(t, err)
	img, err := mutate.AppendLayers(empty.Image, layer)
	tenancyMust(t, err)
	config, err := img.ConfigFile()
	tenancyMust(t, err)
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Author = "linux", "amd64", content
	img, err = mutate.ConfigFile(img, config)
	tenancyMust(t, err)
	return img
}

func (w *tenant) push(ref string, img v1.Image) {
	t := w.estate.t
	t.Helper()
	r, err := name.ParseReference(strings.TrimPrefix(w.estate.url, "http://")+"/"+w.name+"/"+ref, name.Insecure)
	tenancyMust(t, err)
	user, password := w.login()
	tenancyMust(t, remote.Write(r, img, remote.WithAuth(&authn.Basic{Username: user, Password: password})))
}

func (w *tenant) login() (user, password string) {
	return w.creds.ProjectName + "@" + w.creds.AccessKey, auth.DockerPassword(w.creds.AccessKey, []byte(w.creds.SecretKey))
}

func (w *tenant) signIn() {
	w.estate.t.Helper()
	a := w.send(nil, "POST", "/v3/auth/tokens", w.passwordBody(w.creds.ProjectID))
	var out struct {
		Token struct {
			User struct {
				ID string `json:"id"`
			} `json:"user"`
		} `json:"token"`
	}
	tenancyMust(w.estate.t, json.Unmarshal([]byte(a.body), &out))
	if w.token, w.userID = a.header.Get("X-Subject-Token"), out.Token.User.ID; w.token == "" || w.userID == "" {
		w.estate.t.Fatalf("%s signs in: %d %s", w.name, a.status, a.body)
	}
}

func (w *tenant) passwordBody(project string) string {
	return fmt.Sprintf(`{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":%q,"password":%q,"domain":{"id":%q}}}},"scope":{"project":{"id":%q}}}}`,
		w.creds.User, w.creds.Password, w.creds.DomainID, project)
}

// v5 is a path below the tenant's own project.
func (w *tenant) v5(path string) string { return "/v5/" + w.creds.ProjectID + path }

// reply is an answer.
type reply struct {
	status int
	code   string // error_code
	body   string
	header http.Header
}

// send makes one request; sign, when set, says who makes it.
func (w *tenant) send(sign func(*http.Request, string), method, target, body string, headers ...string) reply {
	t := w.estate.t
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, w.estate.url+target, strings.NewReader(body))
	tenancyMust(t, err)
	req.Header.Set("Content-Type", "application/json")
	for _, h := range headers {
		k, v, _ := strings.Cut(h, ": ")
		req.Header.Set(k, v)
	}
	if sign != nil {
		sign(req, body)
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	tenancyMust(t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	tenancyMust(t, err)
	var e struct {
		Code string `json:"error_code"`
	}
	if resp.StatusCode >= 400 {
		_ = json.Unmarshal(b, &e)
	}
	return reply{resp.StatusCode, e.Code, string(b), resp.Header}
}

func (w *tenant) byToken(r *http.Request, _ string) { r.Header.Set("X-Auth-Token", w.token) }

// byKey signs with the tenant's access key, as the SDKs do.
func (w *tenant) byKey(r *http.Request, body string) {
	date := time.Now().UTC().Format("20060102T150405Z")
	r.Header.Set("X-Sdk-Date", date)
	sum := func(s string) string { h := sha256.Sum256([]byte(s)); return hex.EncodeToString(h[:]) }
	escape := func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
	var path strings.Builder
	for part := range strings.SplitSeq(strings.Trim(r.URL.Path, "/"), "/") {
		path.WriteString("/" + escape(part))
	}
	var pairs []string
	for k, vs := range r.URL.Query() {
		for _, v := range vs {
			pairs = append(pairs, escape(k)+"="+escape(v))
		}
	}
	slices.Sort(pairs)
	canonical := r.Method + "\n" + strings.TrimSuffix(path.String(), "/") + "/\n" + strings.Join(pairs, "&") + "\nx-sdk-date:" + date + "\n\nx-sdk-date\n" + sum(body)
	m := hmac.New(sha256.New, []byte(w.creds.SecretKey))
	fmt.Fprintf(m, "SDK-HMAC-SHA256\n%s\n%s", date, sum(canonical))
	r.Header.Set("Authorization", fmt.Sprintf("SDK-HMAC-SHA256 Access=%s, SignedHeaders=x-sdk-date, Signature=%x", w.creds.AccessKey, m.Sum(nil)))
}

// docker makes a request below /v2/ as docker does.
func (w *tenant) docker(method, target, body string, headers ...string) reply {
	w.estate.t.Helper()
	return w.send(func(r *http.Request, _ string) { r.SetBasicAuth(w.login()) }, method, target, body, append([]string{"Content-Type: application/octet-stream"}, headers...)...)
}

// ok makes a request that must succeed.
func (w *tenant) ok(method, target, body string) string {
	w.estate.t.Helper()
	a := w.send(w.byToken, method, target, body)
	if a.status >= 300 {
		w.estate.t.Fatalf("%s: %s %s: %d %s", w.name, method, target, a.status, a.body)
	}
	return a.body
}

// remaining is an estimate that changes by itself.
var remaining = regexp.MustCompile(`"remain_min":\d+`)

// state is all that the tenant's own project shows, through its own doors.
func (w *tenant) state() string {
	t := w.estate.t
	t.Helper()
	var b strings.Builder
	show := func(target string) {
		fmt.Fprintf(&b, "%s\n%s\n", target, remaining.ReplaceAllString(w.ok("GET", target, ""), ""))
	}
	show(w.v5("/image/registries?limit=200&enterprise_project_id=all_granted_eps"))
	show(w.v5("/image/registries/images?limit=200"))
	show(w.v5("/image/tasks?type=image_scan"))
	show(w.v5("/image/tasks?type=image_sync"))
	show(w.v5("/image/image-sync/tasks/" + w.syncTask + "/registries"))
	for _, i := range w.images {
		show(w.v5(i.about("vulnerabilities")))
		show(w.v5(i.about("apps")))
	}
	for _, target := range []string{"", "/" + w.name, "/" + w.name + "/repos/app", "/" + w.name + "/repos/same", "/" + w.name + "/repos/app/tags", "/" + w.name + "/repos/same/tags"} {
		show("/v2/manage/namespaces" + target)
	}
	show("/v2/manage/repos")
	show("/v3/projects")
	for _, target := range []string{"/_catalog", "/" + w.name + "/app/tags/list", "/" + w.name + "/same/tags/list", "/" + w.name + "/app/blobs/" + w.layer, strings.TrimPrefix(w.upload, "/v2"),
		"/" + w.name + "/app/referrers/" + w.image("same").Digest} {
		a := w.docker("GET", "/v2"+target, "")
		if a.status >= 300 {
			t.Fatalf("%s: %s: %d %s", w.name, target, a.status, a.body)
		}
		fmt.Fprintf(&b, "%s %d %s %q\n", target, a.status, a.header.Get("Range"), a.body)
	}
	password, err := w.estate.house.keys.Get(t.Context(), w.registry)
	tenancyMust(t, err)
	keys, err := w.estate.house.db.AccessKeys(t.Context(), w.userID)
	tenancyMust(t, err)
	for _, k := range keys {
		fmt.Fprintln(&b, k.AK, k.ProjectID)
	}
	return b.String() + password
}

// about is the path of what is known of an image.
func (i tenantImage) about(what string) string {
	q := url.Values{"image_type": {i.Type}, "namespace": {i.Namespace}, "image_name": {i.Name}, "tag_name": {i.Version}}
	return "/image/" + i.ImageID + "/" + what + "?" + q.Encode()
}

// image is the first of the tenant's images with that name.
func (w *tenant) image(name string) tenantImage {
	for _, i := range w.images {
		if i.Name == name || i.Name == w.name+"/"+name {
			return i
		}
	}
	w.estate.t.Fatalf("%s has no image %s", w.name, name)
	return tenantImage{}
}

// marks is what nobody else may ever be told of the tenant.
func (w *tenant) marks() []string {
	out := []string{w.creds.ProjectID, w.creds.Password, w.creds.AccessKey, w.creds.SecretKey, w.userID, w.registry, "harbor-" + w.name, w.harbor.Addr,
		"secret-of-" + w.name, w.name + "-team", w.syncTask, w.layer, w.referrer, filepath.Base(w.upload), "bytes of " + w.name, `"` + w.name}
	out = append(out, w.scanTasks...)
	for _, i := range w.images {
		if i.Name != "same" {
			out = append(out, i.ImageID, strings.TrimPrefix(i.Digest, "sha256:"))
		}
	}
	return out
}

func tenancyMust(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
