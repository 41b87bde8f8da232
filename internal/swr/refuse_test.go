package swr_test

import (
	"net/url"
	"strings"
	"testing"

	"breakwater/api"

	"github.com/getkin/kin-openapi/openapi3"
)

// The error codes of the contract.
const (
	codeInvalid  = "SVCSTG.SWR.4000014"
	codeNobody   = "SVCSTG.SWR.4010000"
	codeRight    = "SVCSTG.SWR.4030000"
	codeAbsent   = "SVCSTG.SWR.4040010"
	codeTaken    = "SVCSTG.SWR.4090000"
	codeNotBuilt = "SVCSTG.SWR.5010000"
)

// TestRefuses holds every refusal against its status, its code, the field it
// names, and the rule that no submitted value is repeated.
func TestRefuses(t *testing.T) {
	w := newWorld(t)
	w.ok(201, "ada", "POST", "/v2/manage/namespaces", `{"namespace":"group"}`)
	w.ok(201, "bob", "POST", "/v2/manage/namespaces", `{"namespace":"bobs"}`)
	w.ok(200, "ada", "POST", "/v2/manage/namespaces/group/repos?repository=test", "")
	const (
		namespaces = "/v2/manage/namespaces"
		repos      = "/v2/manage/namespaces/group/repos"
		list       = "/v2/manage/repos"
		tags       = "/v2/manage/namespaces/group/repos/test/tags"
		long       = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" // 65
	)
	filter := func(s string) string { return "?filter=" + url.QueryEscape(s) }
	for _, c := range []struct {
		user, method, target, body string
		status                     int
		code, field                string
	}{
		{"ada", "POST", namespaces, ``, 400, codeInvalid, "body"},
		{"ada", "POST", namespaces, `{"namespace":"Zecret"`, 400, codeInvalid, "body"},
		{"ada", "POST", namespaces, `[]`, 400, codeInvalid, "body"},
		{"ada", "POST", namespaces, `{}`, 400, codeInvalid, "namespace"},
		{"ada", "POST", namespaces, `{"namespace":""}`, 400, codeInvalid, "namespace"},
		{"ada", "POST", namespaces, `{"namespace":7}`, 400, codeInvalid, "namespace"},
		{"ada", "POST", namespaces, `{"namespace":"Zecret"}`, 400, codeInvalid, "namespace"},
		{"ada", "POST", namespaces, `{"namespace":"1zecret"}`, 400, codeInvalid, "namespace"},
		{"ada", "POST", namespaces, `{"namespace":"zecret."}`, 400, codeInvalid, "namespace"},
		{"ada", "POST", namespaces, `{"namespace":"` + long + `"}`, 400, codeInvalid, "namespace"},
		{"ada", "POST", namespaces, `{"namespace":"manage"}`, 400, codeInvalid, "namespace"},
		{"ada", "POST", namespaces, `{"namespace":"group"}`, 409, codeTaken, ""},
		{"ada", "POST", namespaces, `{"namespace":"bobs"}`, 409, codeTaken, ""},
		{"vic", "POST", namespaces, `{"namespace":"vics"}`, 403, codeRight, ""},
		{"rob", "GET", namespaces, ``, 403, codeRight, ""},
		{"eve", "GET", namespaces, ``, 401, codeNobody, ""},
		{"", "POST", namespaces, `{"namespace":"x"}`, 401, codeNobody, ""},
		{"ada", "GET", namespaces + "?namespace=Zecret", ``, 400, codeInvalid, "namespace"},
		{"ada", "GET", namespaces + "?namespace=a&namespace=b", ``, 400, codeInvalid, "namespace"},
		{"ada", "GET", namespaces + filter("zecret"), ``, 400, codeInvalid, "filter"},
		{"ada", "GET", namespaces + filter("zecret::1"), ``, 400, codeInvalid, "filter"},
		{"ada", "GET", namespaces + filter("namespace::"), ``, 400, codeInvalid, "filter"},
		{"ada", "GET", namespaces + filter("namespace::a|namespace::b"), ``, 400, codeInvalid, "filter"},
		{"ada", "GET", namespaces + filter("namespace::a|"), ``, 400, codeInvalid, "filter"},
		{"ada", "GET", namespaces + filter("mode::zecret"), ``, 400, codeInvalid, "filter"},
		{"ada", "GET", namespaces + filter("namespace::"+strings.Repeat("z", 4096)), ``, 400, codeInvalid, "filter"},
		{"ada", "GET", namespaces + "/none", ``, 404, codeAbsent, ""},
		{"ada", "GET", namespaces + "/Zecret", ``, 400, codeInvalid, "namespace"},
		{"ada", "DELETE", namespaces + "/none", ``, 404, codeAbsent, ""},
		{"vic", "DELETE", namespaces + "/group", ``, 403, codeRight, ""},
		{"ada", "DELETE", namespaces + "/group", ``, 406, "SVCSTG.SWR.4060074", ""},

		{"ada", "POST", repos, ``, 400, codeInvalid, "repository"},
		{"ada", "POST", repos, `{}`, 400, codeInvalid, "repository"},
		{"ada", "POST", repos, `{"repository":"","is_public":false}`, 400, codeInvalid, "repository"},
		{"ada", "POST", repos, `{"repository":"Zecret","is_public":false}`, 400, codeInvalid, "repository"},
		{"ada", "POST", repos, `{"repository":"a//zecret","is_public":false}`, 400, codeInvalid, "repository"},
		{"ada", "POST", repos, `{"repository":"a/../zecret","is_public":false}`, 400, codeInvalid, "repository"},
		{"ada", "POST", repos, `{"repository":"` + long + long + `","is_public":false}`, 400, codeInvalid, "repository"},
		{"ada", "POST", repos, `{"repository":"x","is_public":"zecret"}`, 400, codeInvalid, "is_public"},
		{"ada", "POST", repos, `{"repository":"x","is_public":true,"category":"zecret"}`, 400, codeInvalid, "category"},
		{"ada", "POST", repos, `{"repository":"x","is_public":true,"description":"` + strings.Repeat("z", 30001) + `"}`, 400, codeInvalid, "description"},
		{"ada", "POST", repos + "?repository=Zecret", ``, 400, codeInvalid, "repository"},
		{"ada", "POST", repos + "?repository=x&category=zecret", ``, 400, codeInvalid, "category"},
		{"ada", "POST", repos + "?repository=x&is_public=zecret", ``, 400, codeInvalid, "is_public"},
		{"ada", "POST", repos + "?repository=test", ``, 409, codeTaken, ""},
		{"ada", "POST", namespaces + "/none/repos?repository=x", ``, 404, codeAbsent, ""},
		{"vic", "POST", repos + "?repository=x", ``, 403, codeRight, ""},

		{"ada", "GET", repos + "/none", ``, 404, codeAbsent, ""},
		{"ada", "GET", repos + "/Zecret", ``, 400, codeInvalid, "repository"},
		{"ada", "GET", repos + "/a$$b", ``, 400, codeInvalid, "repository"},
		{"ada", "GET", repos + "/%2Fa", ``, 400, codeInvalid, "repository"},
		{"ada", "GET", repos + "/%00", ``, 400, codeInvalid, "repository"},
		{"ada", "PATCH", repos + "/test", ``, 400, codeInvalid, "body"},
		{"ada", "PATCH", repos + "/test", `{}`, 400, codeInvalid, "is_public"},
		{"ada", "PATCH", repos + "/test", `{"is_public":true,"category":"zecret"}`, 400, codeInvalid, "category"},
		{"ada", "PATCH", repos + "/none", `{"is_public":true}`, 404, codeAbsent, ""},
		{"ada", "PATCH", repos + "/Zecret", `{"is_public":true}`, 400, codeInvalid, "repository"},
		{"vic", "PATCH", repos + "/test", `{"is_public":true}`, 403, codeRight, ""},
		{"ada", "DELETE", repos + "/none", ``, 404, codeAbsent, ""},
		{"ada", "DELETE", repos + "/Zecret", ``, 400, codeInvalid, "repository"},
		{"vic", "DELETE", repos + "/test", ``, 403, codeRight, ""},

		{"ada", "GET", list + "?limit=0", ``, 400, codeInvalid, "limit"},
		{"ada", "GET", list + "?limit=1001", ``, 400, codeInvalid, "limit"},
		{"ada", "GET", list + "?limit=zecret", ``, 400, codeInvalid, "limit"},
		{"ada", "GET", list + "?offset=-1", ``, 400, codeInvalid, "offset"},
		{"ada", "GET", list + "?order_column=zecret&order_type=asc", ``, 400, codeInvalid, "order_column"},
		{"ada", "GET", list + "?order_column=updated_at&order_type=zecret", ``, 400, codeInvalid, "order_type"},
		{"ada", "GET", list + "?order_type=asc", ``, 400, codeInvalid, "order_column"},
		{"ada", "GET", list + "?category=zecret", ``, 400, codeInvalid, "category"},
		{"ada", "GET", list + "?is_public=zecret", ``, 400, codeInvalid, "is_public"},
		{"ada", "GET", list + "?name=%zecret", ``, 400, codeInvalid, "query"},
		{"ada", "GET", list + filter("limit::0"), ``, 400, codeInvalid, "filter"},
		{"ada", "GET", list + filter("limit::1001"), ``, 400, codeInvalid, "filter"},
		{"ada", "GET", list + filter("offset::-1"), ``, 400, codeInvalid, "filter"},
		{"ada", "GET", list + filter("offset::1e3"), ``, 400, codeInvalid, "filter"},
		{"ada", "GET", list + filter("offset::99999999999999999999"), ``, 400, codeInvalid, "filter"},
		{"ada", "GET", list + filter("order_column::zecret"), ``, 400, codeInvalid, "filter"},
		{"ada", "GET", list + filter("order_type::zecret"), ``, 400, codeInvalid, "filter"},
		{"ada", "GET", list + filter("category::zecret"), ``, 400, codeInvalid, "filter"},
		{"ada", "GET", list + filter("is_public::zecret"), ``, 400, codeInvalid, "filter"},
		{"ada", "GET", list + filter("tag::zecret"), ``, 400, codeInvalid, "filter"},
		{"rob", "GET", list, ``, 403, codeRight, ""},

		{"ada", "GET", tags + "?limit=0", ``, 400, codeInvalid, "limit"},
		{"ada", "GET", tags + "?order_column=zecret", ``, 400, codeInvalid, "order_column"},
		{"ada", "GET", tags + filter("order_column::name"), ``, 400, codeInvalid, "filter"},
		{"ada", "GET", tags + filter("namespace::zecret"), ``, 400, codeInvalid, "filter"},
		{"ada", "GET", repos + "/none/tags", ``, 404, codeAbsent, ""},
		{"ada", "GET", repos + "/Zecret/tags", ``, 400, codeInvalid, "repository"},
		{"ada", "DELETE", tags + "/none", ``, 404, codeAbsent, ""},
		{"ada", "DELETE", repos + "/none/tags/v1", ``, 404, codeAbsent, ""},
		{"ada", "DELETE", repos + "/Zecret/tags/v1", ``, 400, codeInvalid, "repository"},
		{"vic", "DELETE", tags + "/v1", ``, 403, codeRight, ""},

		{"ada", "POST", "/v2/manage/utils/secret?projectname=two", ``, 404, codeAbsent, ""},
		{"ada", "POST", "/v2/manage/utils/secret?projectname=zecret", ``, 404, codeAbsent, ""},
		{"rob", "POST", "/v2/manage/utils/secret", ``, 403, codeRight, ""},
		{"ada", "GET", "/v2/manage/zecret/x/y/z/a/b", ``, 404, "APIGW.0101", ""},
		{"ada", "PUT", namespaces, `{}`, 405, "APIGW.0101", ""},
		{"ada", "POST", namespaces, `{"namespace":"` + strings.Repeat("z", 2<<20) + `"}`, 413, "SVCSTG.SWR.4130000", ""},
	} {
		a := w.call(c.user, c.method, c.target, c.body)
		what := c.user + " " + c.method + " " + c.target[:min(len(c.target), 100)] + " " + c.body[:min(len(c.body), 80)]
		if a.Status != c.status || a.Code != c.code || c.field != "" && !strings.HasPrefix(a.Msg, c.field+": ") {
			t.Errorf("%s: %d %s", what, a.Status, a.Body)
		}
		if strings.Contains(strings.ToLower(a.Body), "zecret") {
			t.Errorf("%s: repeats the value: %s", what, a.Body)
		}
	}
}

// TestOthersAnswer501 asks every other operation of the document once.
func TestOthersAnswer501(t *testing.T) {
	w := newWorld(t)
	doc, err := openapi3.NewLoader().LoadFromData(api.SWR)
	w.must(err)
	served, asked := w.door.Operations(), 0
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			if served[op.OperationID] {
				continue
			}
			asked++
			target := strings.ReplaceAll(path, "{project_id}", "prj1")
			a := w.call("ada", method, strings.NewReplacer("{", "", "}", "").Replace(target), "")
			if a.Status != 501 || a.Code != codeNotBuilt {
				t.Errorf("%s: %d %s", op.OperationID, a.Status, a.Body)
			}
		}
	}
	if asked < 100 {
		t.Errorf("only %d operations were asked", asked)
	}
}
