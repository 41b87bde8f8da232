package door_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"breakwater"
	"breakwater/api"
	"breakwater/internal/door"

	"github.com/getkin/kin-openapi/openapi3"
)

// marker is inside every bad value; an answer that holds it repeats the value.
const marker = "zq9marker"

// bad is one wrong value of a field, and the request that carries it.
type bad struct {
	why   string
	value any
}

// badValues are wrong values of a schema: its bounds crossed, its words missed,
// another type. For parameters (text) a wrong type can only be misspelt.
func badValues(s *openapi3.Schema, text bool) (out []bad) {
	add := func(why string, v any) { out = append(out, bad{why, v}) }
	switch {
	case s.Type.Is("string"):
		if s.MaxLength != nil {
			add("too long", marker+strings.Repeat("x", int(*s.MaxLength)))
		}
		if s.MinLength > 0 {
			add("empty", "")
		}
		if len(s.Enum) > 0 || s.Pattern != "" {
			add("not one of the words", marker+"!")
		}
		if !text {
			add("a list", []any{marker})
		}
	case s.Type.Is("integer"), s.Type.Is("number"):
		add("text", marker)
		if s.Max != nil && *s.Max < 1<<53 {
			add("too big", int64(*s.Max)+1)
		}
		if s.Min != nil {
			add("too small", int64(*s.Min)-1)
		}
	case s.Type.Is("boolean"):
		add("text", marker)
	case s.Type.Is("array") && !text:
		add("text", marker)
		if s.MaxItems != nil && *s.MaxItems < 500 {
			add("too many", make([]any, *s.MaxItems+1))
		}
	case s.Type.Is("object"):
		add("text", marker)
	}
	return out
}

// goodValue is a value that fits, nil when the schema is not understood here.
func goodValue(s *openapi3.Schema) any {
	candidates := []any{"1", "a", "Harbor", "x", true, int64(1), int64(10), int64(0), []any{}, []any{"a"}, []any{"local"}}
	if len(s.Enum) > 0 {
		candidates = s.Enum
	}
	if s.Type.Is("array") && s.Items != nil {
		candidates = []any{[]any{goodValue(s.Items.Value)}}
	}
	if s.Type.Is("object") {
		o := map[string]any{}
		for _, name := range s.Required {
			o[name] = goodValue(s.Properties[name].Value)
		}
		return o
	}
	for _, c := range candidates {
		if s.VisitJSON(c) == nil {
			return c
		}
	}
	return nil
}

// sweeper sends an operation's good request with one thing wrong.
type sweeper struct {
	method, path string
	op           *openapi3.Operation
	srv          *httptest.Server
}

// send answers status and error message; name/value replaces a parameter (nil
// value: leaves it out), body replaces the body.
func (s sweeper) send(t *testing.T, in, name string, value any, body any) (int, string) {
	t.Helper()
	path, query, header := s.path, url.Values{}, http.Header{"X-Auth-Token": {"good"}}
	for _, p := range s.op.Parameters {
		v := goodValue(p.Value.Schema.Value)
		if p.Value.Name == "project_id" {
			v = "prj1"
		}
		sent := p.Value.Required
		if p.Value.In == in && p.Value.Name == name {
			v, sent = value, value != nil
		}
		text := fmt.Sprint(v)
		switch {
		case !sent:
		case p.Value.In == "path":
			path = strings.Replace(path, "{"+p.Value.Name+"}", url.PathEscape(text), 1)
		case p.Value.In == "query":
			query.Set(p.Value.Name, strings.Trim(text, "[]"))
		case p.Value.In == "header":
			header.Set(p.Value.Name, text)
		}
	}
	var content io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		content = strings.NewReader(string(b))
	}
	req, err := http.NewRequest(s.method, s.srv.URL+path+"?"+query.Encode(), content)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = header
	resp, err := s.srv.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	if strings.Contains(string(b), marker) {
		t.Errorf("%s: the answer repeats the value: %s", s.op.OperationID, b)
	}
	var e struct {
		Msg string `json:"error_msg"`
	}
	_ = json.Unmarshal(b, &e)
	return resp.StatusCode, e.Msg
}

func (s sweeper) refused(t *testing.T, field, why string, status int, msg string) {
	t.Helper()
	if status != 400 || !strings.HasPrefix(msg, field+": ") && !strings.HasPrefix(msg, field+"[") && !strings.HasPrefix(msg, field+".") {
		t.Errorf("%s: %s %s: got %d %q", s.op.OperationID, field, why, status, msg)
	}
}

// TestEveryFieldIsValidated goes through every operation of both documents: the
// good request passes, and each field missing, over its bounds, outside its
// words or of another type is a 400 that names it and does not repeat it.
func TestEveryFieldIsValidated(t *testing.T) {
	for name, tc := range map[string]struct {
		doc     []byte
		dialect door.Dialect
	}{"hss": {api.HSS, door.HSS}, "swr": {api.SWR, door.SWR}} {
		t.Run(name, func(t *testing.T) {
			d := newDoor(t, tc.doc, tc.dialect, io.Discard)
			doc, err := openapi3.NewLoader().LoadFromData(tc.doc)
			if err != nil {
				t.Fatal(err)
			}
			srv := httptest.NewServer(d)
			defer srv.Close()
			checks := 0
			for path, item := range doc.Paths.Map() {
				for method, op := range item.Operations() {
					if op.Security != nil {
						continue // open to everybody, and without fields
					}
					door.Handle(d, op.OperationID, breakwater.RoleViewer, func(context.Context, struct{}) (struct{}, error) { return struct{}{}, nil })
					checks += sweeper{method, path, op, srv}.run(t)
				}
			}
			t.Logf("%d checks", checks)
			if checks < 500 {
				t.Errorf("only %d checks were made", checks)
			}
		})
	}
}

func (s sweeper) run(t *testing.T) (checks int) {
	t.Helper()
	var body any
	var schema *openapi3.Schema
	if s.op.RequestBody != nil {
		schema = s.op.RequestBody.Value.Content["application/json"].Schema.Value
		body = goodValue(schema)
	}
	if status, msg := s.send(t, "", "", nil, body); status >= 300 {
		t.Errorf("%s: the good request: %d %s", s.op.OperationID, status, msg)
		return 0
	}
	for _, p := range s.op.Parameters {
		if p.Value.Name == "project_id" {
			continue // another project is another answer: see TestRefusals
		}
		if p.Value.Required && p.Value.In != "path" {
			status, msg := s.send(t, p.Value.In, p.Value.Name, nil, body)
			s.refused(t, p.Value.Name, "missing", status, msg)
			checks++
		}
		for _, b := range badValues(p.Value.Schema.Value, true) {
			if p.Value.In == "path" && b.value == "" {
				continue // another path
			}
			status, msg := s.send(t, p.Value.In, p.Value.Name, b.value, body)
			s.refused(t, p.Value.Name, b.why, status, msg)
			checks++
		}
	}
	object, ok := body.(map[string]any)
	if !ok {
		return checks
	}
	return checks + s.runBody(t, schema, object)
}

func (s sweeper) runBody(t *testing.T, schema *openapi3.Schema, object map[string]any) (checks int) {
	t.Helper()
	with := func(name string, v any) map[string]any {
		changed := map[string]any{}
		for k, old := range object {
			changed[k] = old
		}
		changed[name] = v
		return changed
	}
	for name, ref := range schema.Properties {
		for _, required := range schema.Required {
			if required == name {
				status, msg := s.send(t, "", "", nil, with(name, nil))
				s.refused(t, name, "missing", status, msg)
				checks++
			}
		}
		for _, b := range badValues(ref.Value, false) {
			status, msg := s.send(t, "", "", nil, with(name, b.value))
			s.refused(t, name, b.why, status, msg)
			checks++
		}
	}
	return checks
}
