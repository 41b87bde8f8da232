package main

import (
	"encoding/json"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"unicode"

	"gopkg.in/yaml.v3"
)

// object is an ordered YAML mapping: pairs of a key and a value.
type object []any

// node turns Go values into YAML nodes that keep their order.
func node(v any) *yaml.Node {
	switch v := v.(type) {
	case object:
		n := &yaml.Node{Kind: yaml.MappingNode}
		for i := 0; i < len(v); i += 2 {
			n.Content = append(n.Content, node(v[i]), node(v[i+1]))
		}
		return n
	case flow:
		n := node(object(v))
		n.Style = yaml.FlowStyle
		return n
	case []any:
		n := &yaml.Node{Kind: yaml.SequenceNode}
		for _, e := range v {
			n.Content = append(n.Content, node(e))
		}
		return n
	case json.Number:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: v.String()}
	}
	var n yaml.Node
	if err := n.Encode(v); err != nil {
		panic(err) // only strings, numbers and booleans come here
	}
	return &n
}

// flow is an object written on one line.
type flow object

// document is the OpenAPI form of a contract.
func document(c *contract, title, summary string, tags object) object {
	paths := map[string]object{}
	for i := range c.Operations {
		op := &c.Operations[i]
		paths[op.Path] = append(paths[op.Path], strings.ToLower(op.Method), operationObject(c, op))
	}
	var pathsObject object
	for _, p := range sortedKeys(paths) {
		pathsObject = append(pathsObject, p, paths[p])
	}
	var schemas object
	for _, name := range sortedKeys(c.Schemas) {
		schemas = append(schemas, name, objectSchema(c.Schemas[name].Fields))
	}
	var tagList []any
	for i := 0; i < len(tags); i += 2 {
		tagList = append(tagList, flow{"name", tags[i], "description", tags[i+1]})
	}
	return object{
		"openapi", "3.0.3",
		"info", object{"title", title, "version", "1.0.0", "description", summary},
		"tags", tagList,
		"security", []any{flow{"signature", []any{}}, flow{"token", []any{}}},
		"paths", pathsObject,
		"components", object{
			"securitySchemes", object{
				"signature", flow{"type", "apiKey", "in", "header", "name", "Authorization", "description", "SDK-HMAC-SHA256 with an access key"},
				"token", flow{"type", "apiKey", "in", "header", "name", "X-Auth-Token", "description", "a token of POST /v3/auth/tokens"},
			},
			"responses", object{"Error", object{
				"description", "what went wrong",
				"content", jsonContent(flow{"$ref", "#/components/schemas/Error"}),
			}},
			"schemas", append(schemas, "Error", errorSchema()),
		},
	}
}

func errorSchema() object {
	text := flow{"type", "string"}
	return object{"type", "object", "required", []any{"error_code", "error_msg"},
		"properties", object{"error_code", text, "error_msg", text, "request_id", text}}
}

func operationObject(c *contract, op *operation) object {
	summary := op.Summary
	if summary == "" {
		summary = words(op.Name)
	}
	o := object{"operationId", op.Name, "summary", summary}
	if op.Note != "" {
		o = append(o, "description", op.Note)
	}
	tag := op.Group
	if tag == "" {
		tag = op.Edition
	}
	o = append(o, "tags", []any{tag})
	if op.Name == "ListApiVersions" || op.Name == "ShowApiVersion" {
		o = append(o, "security", []any{})
	}
	if params := parameters(op); len(params) > 0 {
		o = append(o, "parameters", params)
	}
	if b := op.Request.Body; b != nil {
		required := !op.bodyOptional && c.needsBody(b)
		o = append(o, "requestBody", object{"required", required, "content", jsonContent(schemaObject(b))})
	}
	return append(o, "responses", responses(op))
}

// needsBody reports whether an absent body would lack something required.
func (c *contract) needsBody(b *field) bool {
	if b.Ref == "" {
		return true
	}
	for _, f := range c.Schemas[b.Ref].Fields {
		if f.Required {
			return true
		}
	}
	return false
}

func parameters(op *operation) []any {
	var out []any
	add := func(in string, fs []*field) {
		for _, f := range fs {
			p := object{"name", f.Name, "in", in}
			if f.Required || in == "path" {
				p = append(p, "required", true)
			}
			if d := describe(f); d != "" {
				p = append(p, "description", d)
			}
			s := schemaObject(f)
			if f.number {
				s = append(s, "x-number", true)
			}
			out = append(out, append(p, "schema", flow(s)))
		}
	}
	// A path parameter must be declared even where the facts leave it out.
	declared := map[string]bool{}
	for _, f := range op.Request.Path {
		declared[f.Name] = true
	}
	path := op.Request.Path
	for _, seg := range strings.Split(op.Path, "/") {
		if name, ok := strings.CutPrefix(seg, "{"); ok && !declared[strings.TrimSuffix(name, "}")] {
			path = append(path, &field{Name: strings.TrimSuffix(name, "}"), Type: "string", Required: true})
		}
	}
	add("path", path)
	add("query", op.Request.Query)
	add("header", op.Request.Header)
	return out
}

func responses(op *operation) object {
	status := op.Response.Status
	if status == 0 {
		status = 200
	}
	r := object{"description", "done"}
	if len(op.Response.Headers) > 0 {
		var hs object
		for _, h := range op.Response.Headers {
			hs = append(hs, h.Name, flow{"schema", flow{"type", h.Type}})
		}
		r = append(r, "headers", hs)
	}
	switch b := op.Response.Body; {
	case b != nil && b.Type == "stream":
		r = append(r, "content", object{"application/octet-stream", object{"schema", flow{"type", "string", "format", "binary"}}})
	case b != nil:
		r = append(r, "content", jsonContent(schemaObject(b)))
	case status != 204:
		r = append(r, "content", jsonContent(flow{"type", "object"}))
	}
	return object{strconv.Itoa(status), r, "default", flow{"$ref", "#/components/responses/Error"}}
}

func jsonContent(schema any) object {
	if o, ok := schema.(object); ok && len(o) == 2 {
		schema = flow(o)
	}
	return object{"application/json", object{"schema", schema}}
}

// objectSchema is a struct with its fields.
func objectSchema(fs []*field) object {
	o := object{"type", "object"}
	var required []any
	var props object
	for _, f := range fs {
		if f.Required {
			required = append(required, f.Name)
		}
		s := schemaObject(f)
		if d := describe(f); d != "" && f.Ref == "" {
			s = append(s, "description", d)
		}
		if f.extension {
			s = append(s, "x-extension", true)
		}
		props = append(props, f.Name, flow(s))
	}
	if required != nil {
		o = append(o, "required", required)
	}
	if props != nil {
		o = append(o, "properties", props)
	}
	return o
}

// schemaObject is the schema of one field without its description.
func schemaObject(f *field) object {
	if f.Ref != "" {
		return object{"$ref", "#/components/schemas/" + f.Ref}
	}
	switch f.Type {
	case "any":
		return object{}
	case "map":
		return object{"type", "object", "additionalProperties", flow(schemaObject(f.element()))}
	case "object":
		return objectSchema(f.Fields)
	}
	o := object{"type", f.Type}
	opt := func(key string, set bool, v func() any) {
		if set {
			o = append(o, key, v())
		}
	}
	opt("format", f.Format != "", func() any { return f.Format })
	opt("items", f.Items != nil, func() any { return flow(schemaObject(f.Items)) })
	opt("minItems", f.MinItems != nil, func() any { return *f.MinItems })
	opt("maxItems", f.MaxItems != nil, func() any { return *f.MaxItems })
	opt("minLength", f.MinLength != nil, func() any { return *f.MinLength })
	opt("maxLength", f.MaxLength != nil, func() any { return *f.MaxLength })
	opt("minimum", f.Minimum != nil, func() any { return *f.Minimum })
	opt("maximum", f.Maximum != nil, func() any { return *f.Maximum })
	opt("pattern", f.Pattern != "", func() any { return f.Pattern })
	opt("enum", len(f.Enum) > 0, func() any { return f.Enum })
	opt("default", f.Default != nil, func() any { return f.Default })
	return o
}

// describe says in a line what the schema cannot.
func describe(f *field) string {
	var parts []string
	add := func(set bool, format string, args ...any) {
		if set {
			parts = append(parts, fmt.Sprintf(format, args...))
		}
	}
	add(f.Meaning != "", "%s", f.Meaning)
	add(f.RequiredWhen != "", "needed when %s", f.RequiredWhen)
	add(f.Unit != "", "in %s", f.Unit)
	add(f.Separator != "", "several words may be joined by %q", f.Separator)
	add(f.Pair != "", "goes with %s", f.Pair)
	add(f.number, "a number, typed string")
	add(len(f.FilterKeys) > 0, "keys: %s", strings.Join(f.FilterKeys, ", "))
	add(f.Bitmask, "a bit mask")
	var codes map[string]string
	if f.Type != "map" && f.Values != nil && json.Unmarshal(f.Values, &codes) == nil {
		for _, k := range sortedKeys(codes) {
			add(true, "%s: %s", k, codes[k])
		}
	}
	add(f.extension, "Breakwater's extension")
	return strings.Join(parts, "; ")
}

// words splits an operation name into lower-case words.
func words(name string) string {
	var b strings.Builder
	for i, r := range name {
		if i > 0 && unicode.IsUpper(r) {
			b.WriteByte(' ')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
