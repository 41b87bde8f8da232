package door

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"breakwater"

	"github.com/getkin/kin-openapi/openapi3"
)

// maxDepth bounds how deep a request body may nest; the contract's deepest is 5.
const maxDepth = 32

// value is the body, validated, cut to what the document knows and with its
// defaults; nil when an optional body is absent.
func (b *bodySpec) value(raw []byte) (any, error) {
	if trimmed := bytes.TrimSpace(raw); len(trimmed) == 0 || string(trimmed) == "null" {
		if b.required {
			return nil, breakwater.Invalid("body", "is required")
		}
		return nil, nil
	}
	v, err := parseJSON(raw)
	if err != nil {
		return nil, err
	}
	v = shape(b.schema, v)
	return v, validate(b.schema, v, "")
}

// parseJSON reads exactly one JSON value: no second value behind it, no key
// twice in an object, no invalid UTF-8, no NUL, no nesting past maxDepth.
// Numbers keep their digits.
func parseJSON(raw []byte) (any, error) {
	unreadable := func(format string, args ...any) error {
		e := breakwater.Invalid("body", format, args...)
		e.Code = codeUnreadable
		return e
	}
	if !utf8.Valid(raw) {
		return nil, unreadable("is not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	v, err := parseValue(d, 0)
	switch {
	case errors.Is(err, errDepth):
		return nil, unreadable("nests deeper than %d levels", maxDepth)
	case errors.Is(err, errTwice):
		return nil, unreadable("has a key twice in one object")
	case errors.Is(err, errNUL):
		return nil, unreadable("holds a NUL character")
	case err != nil:
		return nil, unreadable("is not valid JSON (near byte %d)", d.InputOffset())
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, unreadable("has something behind its JSON value")
	}
	return v, nil
}

var (
	errDepth = errors.New("too deep")
	errTwice = errors.New("key twice")
	errNUL   = errors.New("NUL")
)

func parseValue(d *json.Decoder, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errDepth
	}
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case string:
		if strings.ContainsRune(t, 0) {
			return nil, errNUL
		}
	case json.Delim:
		if t == '{' {
			return parseObject(d, depth)
		}
		return parseArray(d, depth)
	}
	return t, nil
}

func parseObject(d *json.Decoder, depth int) (any, error) {
	out := map[string]any{}
	for d.More() {
		k, err := d.Token()
		if err != nil {
			return nil, err
		}
		key, _ := k.(string)
		if _, twice := out[key]; twice {
			return nil, errTwice
		}
		if strings.ContainsRune(key, 0) {
			return nil, errNUL
		}
		if out[key], err = parseValue(d, depth+1); err != nil {
			return nil, err
		}
	}
	_, err := d.Token()
	return out, err
}

func parseArray(d *json.Decoder, depth int) (any, error) {
	out := []any{}
	for d.More() {
		v, err := parseValue(d, depth+1)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	_, err := d.Token()
	return out, err
}

// shape cuts a value to the keys its schema names, treats null as absent and
// fills in defaults. Unknown keys go, so that encoding/json, which ignores case,
// cannot be fed a second spelling that nobody validated.
func shape(s *openapi3.Schema, v any) any {
	switch v := v.(type) {
	case map[string]any:
		if len(s.Properties) == 0 {
			return v
		}
		out := make(map[string]any, len(v))
		for name, ref := range s.Properties {
			switch e, sent := v[name]; {
			case sent && e != nil:
				out[name] = shape(ref.Value, e)
			case ref.Value.Default != nil && !slices.Contains(s.Required, name):
				out[name] = ref.Value.Default
			}
		}
		return out
	case []any:
		if s.Items != nil {
			for i := range v {
				v[i] = shape(s.Items.Value, v[i])
			}
		}
	}
	return v
}
