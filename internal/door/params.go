package door

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"breakwater"
)

// parseQuery reads a query strictly: what url.Values would drop in silence is refused.
func parseQuery(raw string) (url.Values, error) {
	q, err := url.ParseQuery(raw)
	if err != nil {
		return nil, &breakwater.Error{Kind: breakwater.KindInvalid, Field: "query", Code: codeUnreadable, Message: "the query string is malformed"}
	}
	return q, nil
}

// value is the parameter's validated value: string, int64, float64, bool or
// []any, the default where it was not sent, nil where there is none.
func (p param) value(r *http.Request, path map[string]string, query url.Values) (any, error) {
	raw, err := p.raw(r, path, query)
	if err != nil {
		return nil, err
	}
	if len(raw) == 0 {
		if p.required {
			return nil, breakwater.Invalid(p.name, "is required")
		}
		return p.fallback()
	}
	for _, s := range raw {
		if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
			return nil, breakwater.Invalid(p.name, "must be UTF-8 text without NUL")
		}
	}
	if p.schema.Type.Is("array") {
		return p.list(raw)
	}
	if len(raw) > 1 {
		return nil, breakwater.Invalid(p.name, "is given more than once")
	}
	if p.required && raw[0] == "" {
		return nil, breakwater.Invalid(p.name, "is required and must not be empty")
	}
	v, err := p.parse(raw[0])
	if err != nil {
		return nil, err
	}
	return v, validate(p.schema, v, p.name)
}

// raw is the values as sent, decoded.
func (p param) raw(r *http.Request, path map[string]string, query url.Values) ([]string, error) {
	switch p.in {
	case "path":
		s, err := url.PathUnescape(path[p.name])
		if err != nil {
			return nil, breakwater.Invalid(p.name, "is badly escaped")
		}
		return []string{s}, nil
	case "query":
		return query[p.name], nil
	case "header":
		return r.Header.Values(p.name), nil
	}
	return nil, nil
}

func (p param) parse(s string) (any, error) {
	switch {
	case p.schema.Type.Is("integer"):
		n, err := parseInteger(s)
		if err != nil || p.schema.Format == "int32" && int64(int32(n)) != n {
			return nil, breakwater.Invalid(p.name, "must be an integer in range")
		}
		return n, nil
	case p.schema.Type.Is("number"):
		f, err := strconv.ParseFloat(s, 64)
		if err != nil || f != f || f > 1e300 || f < -1e300 {
			return nil, breakwater.Invalid(p.name, "must be a number")
		}
		return f, nil
	case p.schema.Type.Is("boolean"):
		switch strings.ToLower(s) {
		case "true":
			return true, nil
		case "false":
			return false, nil
		}
		return nil, breakwater.Invalid(p.name, "must be true or false")
	}
	return s, nil
}

// parseInteger takes plain decimal digits with an optional minus, nothing else.
func parseInteger(s string) (int64, error) {
	if strings.HasPrefix(s, "+") {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseInt(s, 10, 64)
}

// list is a repeated parameter.
func (p param) list(raw []string) (any, error) {
	out := make([]any, len(raw))
	for i, s := range raw {
		out[i] = s
	}
	return out, validate(p.schema, out, p.name)
}

// fallback is the document's default, in the form parse would give it.
func (p param) fallback() (any, error) {
	switch d := p.schema.Default.(type) {
	case nil:
		return nil, nil
	case string:
		return p.parse(d)
	case json.Number:
		return p.parse(d.String())
	case float64:
		return p.parse(strconv.FormatFloat(d, 'f', -1, 64))
	default:
		return d, nil
	}
}
