package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"breakwater"
)

// Algorithm is the one signing algorithm that is accepted.
const Algorithm = "SDK-HMAC-SHA256"

// MaxSkew is how far X-Sdk-Date may be from now, either way.
const MaxSkew = 15 * time.Minute

// Limits of the Authorization header.
const (
	maxAuthorization = 8 << 10
	maxSignedHeaders = 64
	maxAccessKey     = 128
)

const (
	headerDate      = "X-Sdk-Date"
	headerHash      = "X-Sdk-Content-Sha256"
	dateLayout      = "20060102T150405Z"
	unsignedPayload = "UNSIGNED-PAYLOAD"
)

// Authorization is the parsed header of a signed request.
type Authorization struct {
	AccessKey     string
	SignedHeaders []string // lower case, in the signer's order
	Signature     []byte
}

// IsSigned reports whether a request claims to be signed.
func IsSigned(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Authorization"), Algorithm+" ")
}

// refuse is the one kind of failure here; it never repeats what was sent.
func refuse(message string) error {
	return breakwater.Errorf(breakwater.KindUnauthenticated, "%s", message)
}

// ParseAuthorization reads the header strictly: the one algorithm, each of the
// three parts once, sizes bounded.
func ParseAuthorization(header string) (Authorization, error) {
	var a Authorization
	if len(header) > maxAuthorization {
		return a, refuse("the Authorization header is too long")
	}
	rest, ok := strings.CutPrefix(header, Algorithm+" ")
	if !ok {
		return a, refuse("the Authorization header must use " + Algorithm)
	}
	seen := map[string]bool{}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, ok := strings.Cut(strings.TrimSpace(part), "=")
		if !ok || seen[name] {
			return a, refuse("the Authorization header is malformed")
		}
		seen[name] = true
		if err := a.set(name, value); err != nil {
			return Authorization{}, err
		}
	}
	if a.AccessKey == "" || len(a.SignedHeaders) == 0 || a.Signature == nil {
		return Authorization{}, refuse("the Authorization header needs Access, SignedHeaders and Signature")
	}
	return a, nil
}

func (a *Authorization) set(name, value string) error {
	switch name {
	case "Access":
		if len(value) > maxAccessKey || !isToken(value) {
			return refuse("the access key is malformed")
		}
		a.AccessKey = value
	case "SignedHeaders":
		names := strings.Split(value, ";")
		if len(names) > maxSignedHeaders {
			return refuse("too many headers are signed")
		}
		for i, n := range names {
			if !isToken(n) || n != strings.ToLower(n) || slices.Contains(names[:i], n) {
				return refuse("the signed header names are malformed")
			}
		}
		a.SignedHeaders = names
	case "Signature":
		sum, err := hex.DecodeString(value)
		if err != nil || len(sum) != sha256.Size {
			return refuse("the signature is malformed")
		}
		a.Signature = sum
	default:
		return refuse("the Authorization header is malformed")
	}
	return nil
}

// isToken reports whether s is a non-empty HTTP token (RFC 9110, section 5.6.2).
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	return s != ""
}

// VerifySignature checks a signed request whose body was read whole, and answers
// the access key. lookup gives the secret key of an access key; its NotFound is
// answered like a wrong signature, after the same work, and its other errors
// come back as they are.
func VerifySignature(r *http.Request, body []byte, now time.Time, lookup func(ak string) (sk []byte, err error)) (string, error) {
	if len(r.Header.Values("Authorization")) != 1 {
		return "", refuse("there must be one Authorization header")
	}
	a, err := ParseAuthorization(r.Header.Get("Authorization"))
	if err != nil {
		return "", err
	}
	date, err := signingDate(r, now)
	if err != nil {
		return "", err
	}
	requests, err := canonicalRequests(r, body, a.SignedHeaders)
	if err != nil {
		return "", err
	}
	sk, lookupErr := lookup(a.AccessKey)
	if lookupErr != nil && !breakwater.IsNotFound(lookupErr) {
		return "", lookupErr
	}
	good := false
	for _, c := range requests {
		// No early exit: which form matched is nobody's business.
		good = hmac.Equal(a.Signature, sign(sk, date, c)) || good
	}
	if lookupErr != nil || len(sk) == 0 || !good {
		return "", refuse("the access key is unknown or the signature does not match")
	}
	return a.AccessKey, nil
}

func signingDate(r *http.Request, now time.Time) (string, error) {
	values := r.Header.Values(headerDate)
	if len(values) != 1 {
		return "", refuse("there must be one " + headerDate + " header")
	}
	t, err := time.Parse(dateLayout, values[0])
	if err != nil {
		return "", refuse(headerDate + " must look like 20060102T150405Z")
	}
	if d := now.Sub(t); d > MaxSkew || d < -MaxSkew {
		return "", refuse(headerDate + " is more than 15 minutes from the server's time")
	}
	return values[0], nil
}

func sign(sk []byte, date, canonical string) []byte {
	sum := sha256.Sum256([]byte(canonical))
	m := hmac.New(sha256.New, sk)
	m.Write([]byte(Algorithm + "\n" + date + "\n" + hex.EncodeToString(sum[:])))
	return m.Sum(nil)
}

// canonicalRequests is the canonical form of a request, and a second one where
// the path was encoded on the wire: the JavaScript SDK encodes it once more.
func canonicalRequests(r *http.Request, body []byte, signed []string) ([]string, error) {
	query, err := canonicalQuery(r.URL.RawQuery)
	if err != nil {
		return nil, err
	}
	headers, err := canonicalHeaders(r, signed)
	if err != nil {
		return nil, err
	}
	hash, err := payloadHash(r, body)
	if err != nil {
		return nil, err
	}
	tail := strings.Join([]string{query, headers, strings.Join(signed, ";"), hash}, "\n")
	path, escaped := canonicalPath(r.URL.Path), canonicalPath(r.URL.EscapedPath())
	out := []string{r.Method + "\n" + path + "\n" + tail}
	if escaped != path {
		out = append(out, r.Method+"\n"+escaped+"\n"+tail)
	}
	return out, nil
}

func canonicalPath(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		parts[i] = encode(p)
	}
	out := strings.Join(parts, "/")
	if !strings.HasSuffix(out, "/") {
		out += "/"
	}
	return out
}

func canonicalQuery(raw string) (string, error) {
	query, err := url.ParseQuery(raw)
	if err != nil {
		return "", refuse("the query string is malformed")
	}
	var b strings.Builder
	keys := make([]string, 0, len(query))
	for k := range query {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		values := query[k]
		slices.Sort(values)
		for _, v := range values {
			if b.Len() > 0 {
				b.WriteByte('&')
			}
			b.WriteString(encode(k) + "=" + encode(v))
		}
	}
	return b.String(), nil
}

// canonicalHeaders takes each signed header from where net/http keeps it. A
// header that came twice is refused: the signature would cover one of them.
func canonicalHeaders(r *http.Request, signed []string) (string, error) {
	var b strings.Builder
	for _, name := range signed {
		var value string
		switch values := r.Header.Values(name); {
		case name == "host":
			value = r.Host
		case len(values) == 1:
			value = values[0]
		case len(values) == 0 && name == "content-length":
			value = strconv.FormatInt(max(r.ContentLength, 0), 10)
		case len(values) == 0:
			return "", refuse("a signed header is missing")
		default:
			return "", refuse("a signed header is there twice")
		}
		b.WriteString(name + ":" + strings.TrimSpace(value) + "\n")
	}
	return b.String(), nil
}

func payloadHash(r *http.Request, body []byte) (string, error) {
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:])
	switch values := r.Header.Values(headerHash); {
	case len(values) == 0:
		return hash, nil
	case len(values) > 1:
		return "", refuse(headerHash + " is there twice")
	case strings.EqualFold(values[0], hash):
		return values[0], nil
	case values[0] == unsignedPayload && len(body) > 0 && !json.Valid(body):
		return unsignedPayload, nil
	}
	return "", refuse(headerHash + " is not the hash of the body")
}

// encode percent-encodes everything but A-Z a-z 0-9 - _ . ~ with upper-case hex.
func encode(s string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || strings.IndexByte("-_.~", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(digits[c>>4])
		b.WriteByte(digits[c&15])
	}
	return b.String()
}
