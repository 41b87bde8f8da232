package door_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"breakwater"
	"breakwater/api"
	"breakwater/internal/door"
)

// FuzzRequest sends any query and body to one operation: nothing but 200 and 400
// comes back, always JSON, and what the handler gets keeps the document's bounds.
func FuzzRequest(f *testing.F) {
	f.Add("enterprise_project_id=0", goodRegistry+`}`)
	f.Add("enterprise_project_id=%00&a;b", `{"registry_name":"a","registry_name":"b"}`)
	f.Add("%zz", `[[[[{"a":1e999}]]]] x`)
	d, err := door.New(api.HSS, door.Options{
		Dialect: door.HSS,
		SignIn:  func(*http.Request, []byte) (breakwater.Caller, error) { return operator, nil },
	})
	if err != nil {
		f.Fatal(err)
	}
	type in struct {
		Enterprise string       `query:"enterprise_project_id"`
		Body       registryBody `body:""`
	}
	door.Handle(d, "AddRegistry", breakwater.RoleOperator, func(_ context.Context, in in) (struct{}, error) {
		for _, s := range []string{in.Enterprise, in.Body.Name, in.Body.Password} {
			if n := utf8.RuneCountInString(s); n < 1 || n > 256 || strings.ContainsRune(s, 0) || !utf8.ValidString(s) {
				return struct{}{}, io.ErrUnexpectedEOF
			}
		}
		return struct{}{}, nil
	})
	f.Fuzz(func(t *testing.T, query, body string) {
		r := httptest.NewRequest("POST", "/v5/prj1/image/registries", strings.NewReader(body))
		r.URL.RawQuery = query
		w := httptest.NewRecorder()
		d.ServeHTTP(w, r)
		if w.Code != 200 && w.Code != 400 || !json.Valid(w.Body.Bytes()) {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
}
