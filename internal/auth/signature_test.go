package auth_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"breakwater"
	"breakwater/internal/auth"

	"pgregory.net/rapid"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

const secret = "top-secret"

func lookup(ak string) ([]byte, error) {
	if ak != "AK1" {
		return nil, breakwater.NotFound("access key")
	}
	return []byte(secret), nil
}

// signer is a client written from the protocol's description alone; it shares
// nothing with the verifier.
type signer struct {
	headers []string // names to sign, in order
	twice   bool     // encode the encoded path again, as the JavaScript SDK does
	hash    string   // instead of the body's
	secret  string
}

func rfc3986(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}

func (s signer) sign(r *http.Request, body string) {
	path := r.URL.Path
	if s.twice {
		path = r.URL.EscapedPath()
	}
	var canonical strings.Builder
	canonical.WriteString(r.Method + "\n")
	for _, part := range strings.Split(strings.Trim(path, "/"), "/") {
		canonical.WriteString("/" + rfc3986(part))
	}
	canonical.WriteString("/\n")
	var pairs []string
	for k, vs := range r.URL.Query() {
		for _, v := range vs {
			pairs = append(pairs, k+"\x00"+v)
		}
	}
	slices.Sort(pairs)
	for i, p := range pairs {
		k, v, _ := strings.Cut(p, "\x00")
		pairs[i] = rfc3986(k) + "=" + rfc3986(v)
	}
	canonical.WriteString(strings.Join(pairs, "&") + "\n")
	for _, h := range s.headers {
		v := r.Header.Get(h)
		if h == "host" {
			v = r.Host
		}
		canonical.WriteString(h + ":" + strings.TrimSpace(v) + "\n")
	}
	hash := s.hash
	if hash == "" {
		hash = hexSHA(body)
	}
	canonical.WriteString("\n" + strings.Join(s.headers, ";") + "\n" + hash)
	key := s.secret
	if key == "" {
		key = secret
	}
	m := hmac.New(sha256.New, []byte(key))
	fmt.Fprintf(m, "SDK-HMAC-SHA256\n%s\n%s", r.Header.Get("X-Sdk-Date"), hexSHA(canonical.String()))
	r.Header.Set("Authorization", fmt.Sprintf("SDK-HMAC-SHA256 Access=AK1, SignedHeaders=%s, Signature=%x", strings.Join(s.headers, ";"), m.Sum(nil)))
}

func hexSHA(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func request(method, target, body string) *http.Request {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("X-Sdk-Date", now.Format("20060102T150405Z"))
	return r
}

// TestGoldenSignatures holds the verifier against signatures made by another
// program in another language.
func TestGoldenSignatures(t *testing.T) {
	get := request("GET", "/v5/prj1/image/registries?tag=b&limit=10&image_name&tag=a&enterprise_project_id=all%20of%20it", "")
	get.Header.Set("User-Agent", "huaweicloud-usdk-go/3.0")
	get.Header.Set("X-Project-Id", "prj1")
	get.Header.Set("Authorization", "SDK-HMAC-SHA256 Access=AK1, SignedHeaders=user-agent;x-project-id;x-sdk-date, Signature=98c241123219f5958d1ce92bebb9dae80e118b8c71edb7ba0b34961dde7d7449")
	const body = "{\"registry_name\":\"x\"}\n"
	post := request("POST", "http://example.test:8080/v2/manage/namespaces/g/repos/a$b", body)
	post.Header.Set("Authorization", "SDK-HMAC-SHA256 Access=AK1,SignedHeaders=host;x-sdk-date,Signature=653a32579eee383b1840b3b70528c7e19aeb35b438b815ddfa1f9c399b5696bd")
	for name, tc := range map[string]struct {
		r    *http.Request
		body string
	}{"get": {get, ""}, "post": {post, body}} {
		if ak, err := auth.VerifySignature(tc.r, []byte(tc.body), now, lookup); err != nil || ak != "AK1" {
			t.Errorf("%s: %q, %v", name, ak, err)
		}
	}
}

func TestSignedRequests(t *testing.T) {
	const json = `{"a":1}`
	for _, tc := range []struct {
		name         string
		method       string
		target, body string
		s            signer
		before       func(*http.Request) // signing
		after        func(*http.Request) // on the wire
		good         bool
	}{
		{name: "plain", target: "/a", good: true},
		{name: "escaped path", target: "/a%2Fb/c%20d", good: true},
		{name: "escaped path, encoded twice", target: "/a%2Fb/c%20d", s: signer{twice: true}, good: true},
		{name: "body on delete", method: "DELETE", target: "/a", body: json, good: true},
		{name: "true hash", target: "/a", body: json, before: setHeader("X-Sdk-Content-Sha256", hexSHA(json)), good: true},
		{name: "false hash", target: "/a", body: json, s: signer{hash: hexSHA("x")}, before: setHeader("X-Sdk-Content-Sha256", hexSHA("x"))},
		{name: "unsigned JSON", target: "/a", body: json, s: signer{hash: "UNSIGNED-PAYLOAD"}, before: setHeader("X-Sdk-Content-Sha256", "UNSIGNED-PAYLOAD")},
		{name: "unsigned blob", target: "/a", body: "\x00blob", s: signer{hash: "UNSIGNED-PAYLOAD"}, before: setHeader("X-Sdk-Content-Sha256", "UNSIGNED-PAYLOAD"), good: true},
		{name: "skew within", target: "/a", before: setHeader("X-Sdk-Date", now.Add(-15*time.Minute).Format("20060102T150405Z")), good: true},
		{name: "too old", target: "/a", before: setHeader("X-Sdk-Date", now.Add(-15*time.Minute-time.Second).Format("20060102T150405Z"))},
		{name: "too young", target: "/a", before: setHeader("X-Sdk-Date", now.Add(16*time.Minute).Format("20060102T150405Z"))},
		{name: "another key", target: "/a", s: signer{secret: "guess"}},
		{name: "empty key", target: "/a", s: signer{secret: "\x00"}},
		{name: "another method", target: "/a", after: func(r *http.Request) { r.Method = "PUT" }},
		{name: "another path", target: "/a", after: func(r *http.Request) { r.URL.Path = "/b" }},
		{name: "another query", target: "/a?x=1", after: func(r *http.Request) { r.URL.RawQuery = "x=2" }},
		{name: "another host", target: "/a", s: signer{headers: []string{"host", "x-sdk-date"}}, after: func(r *http.Request) { r.Host = "evil" }},
		{name: "header added twice", target: "/a", s: signer{headers: []string{"x-a", "x-sdk-date"}}, before: setHeader("X-A", "1"), after: func(r *http.Request) { r.Header.Add("X-A", "2") }},
		{name: "header gone", target: "/a", s: signer{headers: []string{"x-a", "x-sdk-date"}}, before: setHeader("X-A", "1"), after: func(r *http.Request) { r.Header.Del("X-A") }},
		{name: "two authorizations", target: "/a", after: func(r *http.Request) { r.Header.Add("Authorization", r.Header.Get("Authorization")) }},
		{name: "broken query", target: "/a", after: func(r *http.Request) { r.URL.RawQuery = "%zz" }},
		{name: "unsigned header added", target: "/a", after: setHeader("X-Other", "1"), good: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.method == "" {
				tc.method = "POST"
			}
			if tc.s.headers == nil {
				tc.s.headers = []string{"x-sdk-date"}
			}
			r := request(tc.method, tc.target, tc.body)
			if tc.before != nil {
				tc.before(r)
			}
			tc.s.sign(r, tc.body)
			if tc.after != nil {
				tc.after(r)
			}
			_, err := auth.VerifySignature(r, []byte(tc.body), now, lookup)
			if (err == nil) != tc.good {
				t.Errorf("err = %v, want good %v", err, tc.good)
			}
			if err != nil && breakwater.KindOf(err) != breakwater.KindUnauthenticated {
				t.Errorf("kind %s", breakwater.KindOf(err))
			}
		})
	}
}

func setHeader(k, v string) func(*http.Request) { return func(r *http.Request) { r.Header.Set(k, v) } }

func TestUnknownKeyAndBrokenStore(t *testing.T) {
	r := request("GET", "/a", "")
	signer{headers: []string{"x-sdk-date"}}.sign(r, "")
	unknown := func(string) ([]byte, error) { return nil, breakwater.NotFound("access key") }
	if _, err := auth.VerifySignature(r, nil, now, unknown); breakwater.KindOf(err) != breakwater.KindUnauthenticated {
		t.Errorf("unknown key: %v", err)
	}
	broken := func(string) ([]byte, error) { return nil, breakwater.Errorf(breakwater.KindUnavailable, "no store") }
	if _, err := auth.VerifySignature(r, nil, now, broken); breakwater.KindOf(err) != breakwater.KindUnavailable {
		t.Errorf("broken store: %v", err)
	}
	empty := func(string) ([]byte, error) { return nil, nil }
	signer{headers: []string{"x-sdk-date"}}.sign(r, "")
	if _, err := auth.VerifySignature(r, nil, now, empty); err == nil {
		t.Error("an empty secret key was accepted")
	}
}

// TestAnyRequestVerifies: whatever a client can sign is accepted, and one
// changed byte of path, query or body is not.
func TestAnyRequestVerifies(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[ -~äß€]{1,12}`)
		u := &url.URL{Path: "/v5"}
		for range rapid.IntRange(1, 4).Draw(t, "segments") {
			u = u.JoinPath(url.PathEscape("x" + strings.ReplaceAll(text.Draw(t, "segment"), "/", "$")))
		}
		q := url.Values{}
		for range rapid.IntRange(0, 4).Draw(t, "pairs") {
			q.Add(text.Draw(t, "key"), rapid.StringMatching(`[ -~ü]{0,8}`).Draw(t, "value"))
		}
		u.RawQuery = q.Encode()
		body := rapid.StringN(0, 50, -1).Draw(t, "body")
		r := request(rapid.SampledFrom([]string{"GET", "POST", "DELETE"}).Draw(t, "method"), u.String(), body)
		s := signer{headers: []string{"host", "x-extra", "x-sdk-date"}, twice: rapid.Bool().Draw(t, "twice")}
		r.Header.Set("X-Extra", rapid.StringMatching(`[!-~]{1,9}`).Draw(t, "extra"))
		s.sign(r, body)
		if _, err := auth.VerifySignature(r, []byte(body), now, lookup); err != nil {
			t.Fatalf("%s: %v", u, err)
		}
		changed := r.Clone(r.Context())
		switch rapid.IntRange(0, 2).Draw(t, "change") {
		case 0:
			changed.URL.Path, changed.URL.RawPath = changed.URL.Path+"x", ""
		case 1:
			changed.URL.RawQuery += "&zzz=1"
		case 2:
			body += "x"
		}
		if _, err := auth.VerifySignature(changed, []byte(body), now, lookup); err == nil {
			t.Fatalf("%s: a changed request was accepted", changed.URL)
		}
	})
}

func TestParseAuthorization(t *testing.T) {
	sum := strings.Repeat("ab", 32)
	good := "SDK-HMAC-SHA256 Access=AK1, SignedHeaders=a;b, Signature=" + sum
	if a, err := auth.ParseAuthorization(good); err != nil || a.AccessKey != "AK1" || len(a.SignedHeaders) != 2 {
		t.Errorf("good: %+v %v", a, err)
	}
	for _, bad := range []string{
		"", "Bearer x", "SDK-HMAC-SHA256", "V11-HMAC-SHA256 " + good[16:],
		strings.Replace(good, "Access=AK1, ", "", 1), strings.Replace(good, "a;b", "", 1), strings.Replace(good, "a;b", "a;;b", 1),
		strings.Replace(good, "a;b", "A;b", 1), strings.Replace(good, "a;b", "a;a", 1), strings.Replace(good, sum, sum[1:], 1),
		strings.Replace(good, "AK1", strings.Repeat("A", 129), 1), strings.Replace(good, "AK1", "A K", 1),
		good + ", Signature=" + sum, good + ", Other=1", good + strings.Repeat(" ", 8<<10),
		strings.Replace(good, "a;b", "a"+strings.Repeat(";a", 64), 1),
	} {
		if _, err := auth.ParseAuthorization(bad); breakwater.KindOf(err) != breakwater.KindUnauthenticated {
			t.Errorf("%.60q: %v", bad, err)
		}
	}
}

func FuzzVerifySignature(f *testing.F) {
	sum := strings.Repeat("ab", 32)
	f.Add("SDK-HMAC-SHA256 Access=AK1, SignedHeaders=host;x-sdk-date, Signature="+sum, "/a%2Fb", "x=1&y", "application/json", []byte("{}"))
	f.Add("SDK-HMAC-SHA256 Access=AK1,SignedHeaders=,Signature=", "//", "%zz", "UNSIGNED-PAYLOAD", []byte{0})
	f.Fuzz(func(t *testing.T, header, path, query, hash string, body []byte) {
		u, err := url.Parse(path)
		if err != nil {
			return
		}
		r := request("POST", "/", "")
		r.URL.Path, r.URL.RawPath, r.URL.RawQuery = u.Path, u.RawPath, query
		r.Header["Authorization"] = []string{header}
		r.Header["X-Sdk-Content-Sha256"] = []string{hash}
		a, err := auth.ParseAuthorization(header)
		if err == nil && (a.AccessKey == "" || len(a.SignedHeaders) == 0 || len(a.Signature) != 32) {
			t.Errorf("parsed half of %q", header)
		}
		if _, err := auth.VerifySignature(r, body, now, lookup); err == nil {
			t.Errorf("%q was accepted without the secret", header)
		}
	})
}
