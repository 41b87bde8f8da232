package door_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"breakwater"
	"breakwater/api"
	"breakwater/internal/door"

	"github.com/google/go-cmp/cmp"
)

var operator = breakwater.Caller{ProjectID: "prj1", UserID: "usr1", Role: breakwater.RoleOperator}

// newDoor mounts a document whose sign-in takes X-Auth-Token: the word "good" is
// the operator, "viewer" a viewer, "robot" a robot.
func newDoor(t *testing.T, doc []byte, dialect door.Dialect, log io.Writer) *door.Door {
	t.Helper()
	d, err := door.New(doc, door.Options{
		Dialect: dialect,
		Logger:  slog.New(slog.NewJSONHandler(log, nil)),
		SignIn: func(r *http.Request, _ []byte) (breakwater.Caller, error) {
			c := operator
			switch r.Header.Get("X-Auth-Token") {
			case "good":
			case "viewer":
				c.Role = breakwater.RoleViewer
			case "robot":
				c.Role = breakwater.RoleRobot
			default:
				return breakwater.Caller{}, breakwater.Errorf(breakwater.KindUnauthenticated, "sign in first")
			}
			return c, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

type answer struct {
	Status int
	Code   string
	Msg    string
	Body   string
	Header http.Header
}

func call(t *testing.T, d http.Handler, method, target, token, body string) answer {
	t.Helper()
	srv := httptest.NewServer(d)
	defer srv.Close()
	req, err := http.NewRequest(method, srv.URL+target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Auth-Token", token)
	req.Header.Set("Content-Type", "application/json")
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var e struct {
		Code string `json:"error_code"`
		Msg  string `json:"error_msg"`
		ID   string `json:"request_id"`
	}
	if resp.StatusCode >= 400 {
		if err := json.Unmarshal(b, &e); err != nil || e.Code == "" || e.Msg == "" || e.ID != resp.Header.Get("X-Request-Id") || e.ID == "" {
			t.Errorf("%s %s: not the one error body: %s", method, target, b)
		}
	}
	return answer{resp.StatusCode, e.Code, e.Msg, string(b), resp.Header}
}

type listIn struct {
	EnterpriseProject string               `query:"enterprise_project_id"`
	Offset            int                  `query:"offset"`
	Limit             int                  `query:"limit"`
	ImageType         breakwater.ImageType `query:"image_type"`
	Vul               *bool                `query:"has_vul"`
	Size              *int64               `query:"image_size"`
	Token             string               `header:"X-Unused"`
}

func TestBindsAndFillsDefaults(t *testing.T) {
	d := newDoor(t, api.HSS, door.HSS, io.Discard)
	var got listIn
	door.Handle(d, "ListRegistryImages", breakwater.RoleViewer, func(ctx context.Context, in listIn) (map[string]int, error) {
		got = in
		c, ok := breakwater.CallerFrom(ctx)
		if !ok || c.ProjectID != "prj1" || door.RequestID(ctx) == "" {
			t.Error("no caller or request id in the context")
		}
		return nil, nil
	})
	a := call(t, d, "GET", "/v5/prj1/image/registries/images?has_vul=False&image_type=other&image_size=9&unknown=1", "viewer", "")
	if a.Status != 200 || a.Body != "{}\n" {
		t.Fatalf("got %d %s", a.Status, a.Body)
	}
	no, nine := false, int64(9)
	want := listIn{EnterpriseProject: "0", Limit: 10, ImageType: "other", Vul: &no, Size: &nine}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

type registryBody struct {
	Name         string   `json:"registry_name"`
	Password     string   `json:"registry_password"`
	Repositories []string `json:"repositories"`
}

type addIn struct {
	Body registryBody `body:""`
}

const goodRegistry = `{"registry_name":"n","registry_type":"Other","api_version":"V2","protocol":"http","registry_addr":"a","registry_username":"u",` +
	`"registry_password":"p","connect_cluster_id":"local","get_scan_image_channel":"Swr"`

func TestBody(t *testing.T) {
	d := newDoor(t, api.HSS, door.HSS, io.Discard)
	var got registryBody
	door.Handle(d, "AddRegistry", breakwater.RoleOperator, func(_ context.Context, in addIn) (struct{}, error) {
		got = in.Body
		return struct{}{}, nil
	})
	const secret = "s3cret-value"
	for _, tc := range []struct {
		name, body string
		status     int
		code, says string
	}{
		{"whole", goodRegistry + `}`, 200, "", ""},
		{"extension", goodRegistry + `,"repositories":["a/b"]}`, 200, "", ""},
		{"unknown key", goodRegistry + `,"REGISTRY_PASSWORD":"` + strings.Repeat("x", 200) + `"}`, 200, "", ""},
		{"null optional", goodRegistry + `,"namespace":null}`, 200, "", ""},
		{"empty", ``, 400, "HSS.0001", "body: is required"},
		{"null", `null`, 400, "HSS.0001", "body: is required"},
		{"empty object", `{}`, 400, "HSS.0001", "is required"},
		{"array", `[]`, 400, "HSS.0001", "body: must be of type object"},
		{"truncated", goodRegistry, 400, "HSS.0002", "body: is not valid JSON"},
		{"trailing", goodRegistry + `}{}`, 400, "HSS.0002", "behind its JSON value"},
		{"twice", goodRegistry + `,"registry_name":"m"}`, 400, "HSS.0002", "key twice"},
		{"deep", strings.Repeat("[", 100) + strings.Repeat("]", 100), 400, "HSS.0002", "deeper"},
		{"not utf-8", "{\"a\":\"\xff\"}", 400, "HSS.0002", "UTF-8"},
		{"nul", `{"a":"\u0000"}`, 400, "HSS.0002", "NUL"},
		{"enum", strings.Replace(goodRegistry, `"http"`, `"`+secret+`"`, 1) + `}`, 400, "HSS.0001", "protocol: must be one of http, https"},
		{"type", strings.Replace(goodRegistry, `"p"`, `["`+secret+`"]`, 1) + `}`, 400, "HSS.0001", "registry_password: must be of type string"},
		{"empty string", strings.Replace(goodRegistry, `"p"`, `""`, 1) + `}`, 400, "HSS.0001", "registry_password: must be 1 to 128"},
		{"list element", goodRegistry + `,"repositories":["ok","` + secret + `!"]}`, 400, "HSS.0001", "repositories[1]: must match"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got = registryBody{}
			a := call(t, d, "POST", "/v5/prj1/image/registries", "good", tc.body)
			if a.Status != tc.status || a.Code != tc.code || !strings.Contains(a.Msg, tc.says) {
				t.Errorf("got %d %s %q, want %d %s %q", a.Status, a.Code, a.Msg, tc.status, tc.code, tc.says)
			}
			if strings.Contains(a.Body, secret) {
				t.Error("the answer repeats the value")
			}
			if tc.status == 200 && (got.Name != "n" || got.Password != "p" || a.Body != "{}\n") {
				t.Errorf("bound %+v, answered %q", got, a.Body)
			}
		})
	}
	if a := call(t, d, "POST", "/v5/prj1/image/registries", "good", `"`+strings.Repeat("x", door.DefaultMaxBody)+`"`); a.Status != 413 {
		t.Errorf("a body over the limit: %d", a.Status)
	}
}

func TestRefusals(t *testing.T) {
	d := newDoor(t, api.HSS, door.HSS, io.Discard)
	door.Handle(d, "AddRegistry", breakwater.RoleOperator, func(context.Context, addIn) (struct{}, error) { return struct{}{}, nil })
	for _, tc := range []struct {
		name, method, target, token string
		status                      int
		code                        string
	}{
		{"unknown path", "GET", "/v5/prj1/nothing", "good", 404, "APIGW.0101"},
		{"trailing slash", "POST", "/v5/prj1/image/registries/", "good", 404, "APIGW.0101"},
		{"double slash", "POST", "/v5//prj1/image/registries", "good", 404, "APIGW.0101"},
		{"dots", "POST", "/v5/x/../prj1/image/registries", "good", 404, "APIGW.0101"},
		{"method", "PATCH", "/v5/prj1/image/registries", "good", 405, "APIGW.0101"},
		{"odd method", "BREW", "/v5/prj1/image/registries", "good", 405, "APIGW.0101"},
		{"nobody", "POST", "/v5/prj1/image/registries", "", 401, "APIGW.0301"},
		{"foreign project", "POST", "/v5/prj2/image/registries", "good", 404, "HSS.0011"},
		{"literal project", "POST", "/v5/%7Bproject_id%7D/image/registries", "good", 400, "HSS.0001"},
		{"no role", "POST", "/v5/prj1/image/registries", "viewer", 400, "HSS.0013"},
		{"robot", "POST", "/v5/prj1/image/registries", "robot", 400, "HSS.0013"},
		{"not built", "GET", "/v5/prj1/image/registries", "good", 501, "HSS.1501"},
		{"bad query", "POST", "/v5/prj1/image/registries?a=%zz", "good", 400, "HSS.0002"},
		{"query twice", "POST", "/v5/prj1/image/registries?enterprise_project_id=a&enterprise_project_id=b", "good", 400, "HSS.0001"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if a := call(t, d, tc.method, tc.target, tc.token, goodRegistry+`}`); a.Status != tc.status || a.Code != tc.code {
				t.Errorf("got %d %s %q, want %d %s", a.Status, a.Code, a.Msg, tc.status, tc.code)
			}
		})
	}
}

// TestLiteralBeatsParameter holds the pairs that http.ServeMux refuses.
func TestLiteralBeatsParameter(t *testing.T) {
	d := newDoor(t, api.SWR, door.SWR, io.Discard)
	for _, id := range []string{"ShowRepoTag", "ListReferences", "ShowRetention", "ListRetentionHistories"} {
		door.Handle(d, id, breakwater.RoleViewer, func(context.Context, struct{}) (struct{}, error) {
			return struct{}{}, breakwater.NotFound(id)
		})
	}
	base := "/v2/manage/namespaces/group/repos/"
	for target, id := range map[string]string{
		base + "a$b/tags/references":         "ShowRepoTag",
		base + "a%2Fb/v1/references":         "ListReferences",
		base + "busybox/retentions/7":        "ShowRetention",
		base + "b/retentions/histories":      "ListRetentionHistories",
		base + "tags/tags/tags":              "ShowRepoTag",
		base + "retentions/tags/references/": "",
	} {
		a := call(t, d, "GET", target, "good", "")
		if want := id + " not found"; a.Status != 404 || id != "" && a.Msg != want {
			t.Errorf("%s: got %d %q, want %s", target, a.Status, a.Msg, id)
		}
	}
}

type tagsIn struct {
	Namespace  string `path:"namespace"`
	Repository string `path:"repository"`
	Limit      int    `query:"limit"`
	Offset     int    `query:"offset"`
}

type ranged []string

func (ranged) SetHeaders(h http.Header) { h.Set("Content-Range", "0-0/0") }

func TestAnswers(t *testing.T) {
	d := newDoor(t, api.SWR, door.SWR, io.Discard)
	var got tagsIn
	door.Handle(d, "ListRepositoryTags", breakwater.RoleViewer, func(_ context.Context, in tagsIn) (ranged, error) {
		got = in
		return nil, nil
	})
	door.Handle(d, "DeleteNamespaces", breakwater.RoleOperator, func(context.Context, struct{}) (struct{}, error) { return struct{}{}, nil })
	door.Handle(d, "DeleteRepo", breakwater.RoleOperator, func(context.Context, struct{}) (struct{}, error) {
		return struct{}{}, &breakwater.Error{Kind: breakwater.KindConflict, Code: door.CodeNotEmpty, Message: "it still has tags"}
	})
	door.Handle(d, "CreateNamespace", breakwater.RoleOperator, func(context.Context, struct{}) (struct{}, error) { return struct{}{}, nil })
	door.Handle(d, "ShowNamespace", breakwater.RoleViewer, func(context.Context, struct{}) (struct{}, error) {
		return struct{}{}, io.ErrUnexpectedEOF
	})
	door.Handle(d, "ShowRepository", breakwater.RoleViewer, func(context.Context, struct{}) (struct{}, error) { panic("oops") })

	a := call(t, d, "GET", "/v2/manage/namespaces/g/repos/a%2Fb/tags?offset=5", "good", "")
	if a.Status != 200 || a.Body != "[]\n" || a.Header.Get("Content-Range") != "0-0/0" {
		t.Errorf("list: %+v", a)
	}
	if want := (tagsIn{"g", "a/b", 100, 5}); got != want {
		t.Errorf("bound %+v, want %+v", got, want)
	}
	for _, tc := range []struct {
		method, target, body string
		status               int
		code                 string
	}{
		{"GET", "/v2/manage/namespaces/g/repos/r/tags?limit=1001", "", 400, "SVCSTG.SWR.4000014"},
		{"DELETE", "/v2/manage/namespaces/g", "", 204, ""},
		{"DELETE", "/v2/manage/namespaces/g/repos/r", "", 406, "SVCSTG.SWR.4060074"},
		{"POST", "/v2/manage/namespaces", `{"namespace":"g"}`, 201, ""},
		{"GET", "/v2/manage/namespaces/g", "", 500, "SVCSTG.SWR.5000000"},
		{"GET", "/v2/manage/namespaces/g/repos/r", "", 500, "SVCSTG.SWR.5000000"},
	} {
		a := call(t, d, tc.method, tc.target, "good", tc.body)
		if a.Status != tc.status || a.Code != tc.code || strings.Contains(a.Body, "EOF") {
			t.Errorf("%s %s: got %d %s %s, want %d %s", tc.method, tc.target, a.Status, a.Code, a.Body, tc.status, tc.code)
		}
	}
}

func TestAccessLogKeepsSecretsOut(t *testing.T) {
	var log bytes.Buffer
	d := newDoor(t, api.HSS, door.HSS, &log)
	call(t, d, "GET", "/v5/prj1/image/registries/image-upload-command?password=hunter2&username=u&namespace=n&registry_addr=a", "good", "")
	for _, secret := range []string{"hunter2", "good"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log holds %q: %s", secret, &log)
		}
	}
	for _, want := range []string{"ShowImageUploadCommand", "/v5/{project_id}/image/registries/image-upload-command", "usr1", `"status":501`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %q: %s", want, &log)
		}
	}
}

func TestObserve(t *testing.T) {
	type seen struct {
		Op     string
		Status int
	}
	var got []seen
	d, err := door.New(api.HSS, door.Options{
		Dialect: door.HSS,
		SignIn:  func(*http.Request, []byte) (breakwater.Caller, error) { return operator, nil },
		Observe: func(op string, status int, _ time.Duration) { got = append(got, seen{op, status}) },
	})
	if err != nil {
		t.Fatal(err)
	}
	call(t, d, "GET", "/nowhere", "", "")
	call(t, d, "GET", "/v5/prj1/image/registries", "", "")
	if diff := cmp.Diff([]seen{{"none", 404}, {"ListRegistry", 501}}, got); diff != "" {
		t.Error(diff)
	}
}

func TestCheckTypes(t *testing.T) {
	d := newDoor(t, api.HSS, door.HSS, io.Discard)
	door.Handle(d, "AddRegistry", breakwater.RoleOperator, func(context.Context, addIn) (struct{}, error) { return struct{}{}, nil })
	type wrong struct {
		Limit  string `query:"limit"`
		Nobody int    `query:"nobody"`
	}
	type out struct {
		Total string `json:"total_num"`
		Extra int    `json:"extra"`
	}
	door.Handle(d, "ListRegistry", breakwater.RoleViewer, func(context.Context, wrong) (out, error) { return out{}, nil })
	err := d.CheckTypes()
	if err == nil {
		t.Fatal("no complaint")
	}
	for _, want := range []string{
		"AddRegistry: body has no protocol", "AddRegistry: In has no query parameter enterprise_project_id",
		"ListRegistry: In.Limit does not fit limit", "ListRegistry: the document has no query:nobody (In.Nobody)",
		"ListRegistry: answer.total_num: string does not fit integer int32", "ListRegistry: the document has no answer.extra (field Extra)",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("lacks %q in:\n%v", want, err)
		}
	}
}
