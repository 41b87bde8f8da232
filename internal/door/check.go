package door

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// CheckTypes holds the In and Out structs of every handler against the document;
// a test of each door calls it. It reports In fields that the document lacks or
// types differently, documented path, query and body fields that In lacks
// (project_id and headers aside: the caller's project comes from the context),
// and JSON fields of Out that the answer's schema does not have.
//
// A field left out on purpose is named by a blank field of the struct it is missing from:
//
//	_ struct{} `ignore:"instance_id,instance_name"`
func (d *Door) CheckTypes() error {
	var errs []error
	for id, p := range d.plans {
		for _, problem := range p.check(d.byID[id]) {
			errs = append(errs, fmt.Errorf("%s: %s", id, problem))
		}
	}
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(errs...)
}

func (p *plan) check(op *operation) (problems []string) {
	add := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	known := map[string]bool{}
	for _, spec := range op.params {
		key := spec.in + ":" + spec.name
		known[key] = true
		i, ok := p.params[key]
		switch {
		case ok && !fits(spec.schema, p.in.Field(i).Type):
			add("In.%s does not fit %s", p.in.Field(i).Name, spec.name)
		case !ok && spec.in != "header" && spec.name != "project_id" && !p.ignored[spec.name]:
			add("In has no %s parameter %s", spec.in, spec.name)
		}
	}
	for key, i := range p.params {
		if !known[key] {
			add("the document has no %s (In.%s)", key, p.in.Field(i).Name)
		}
	}
	switch {
	case op.body == nil && p.body >= 0:
		add("the document has no body")
	case op.body != nil && p.body < 0 && !p.ignored["body"]:
		add("In has no body")
	case op.body != nil && p.body >= 0:
		problems = append(problems, compare(op.body.schema, p.in.Field(p.body).Type, "body", true)...)
	}
	if op.answer != nil {
		problems = append(problems, compare(op.answer, p.out, "answer", false)...)
	}
	return problems
}

// compare walks a struct and a schema together. complete asks that the struct
// has every property of the schema.
func compare(s *openapi3.Schema, t reflect.Type, path string, complete bool) []string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if p, ok := reflect.Zero(t).Interface().(paged); ok {
		t = p.rows()
	}
	if s.Type == nil || t.Kind() == reflect.Interface { // any
		return nil
	}
	switch {
	case s.Type.Is("array"):
		if t.Kind() != reflect.Slice {
			return []string{path + " must be a slice"}
		}
		return compare(s.Items.Value, t.Elem(), path+"[]", complete)
	case s.Type.Is("object") && t.Kind() == reflect.Map:
		if v := s.AdditionalProperties.Schema; v != nil {
			return compare(v.Value, t.Elem(), path+".*", complete)
		}
		if len(s.Properties) > 0 {
			return []string{path + " must be a struct"}
		}
		return nil
	case s.Type.Is("object"):
		if t.Kind() != reflect.Struct {
			return []string{path + " must be a struct"}
		}
		return compareStruct(s, t, path, complete)
	}
	if !fits(s, t) {
		return []string{fmt.Sprintf("%s: %s does not fit %s %s", path, t, strings.Join(s.Type.Slice(), " "), s.Format)}
	}
	return nil
}

func compareStruct(s *openapi3.Schema, t reflect.Type, path string, complete bool) (problems []string) {
	have := ignored(t)
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" || name == "" && (f.Anonymous || !f.IsExported()) {
			continue
		}
		have[name] = true
		ref := s.Properties[name]
		if ref == nil {
			problems = append(problems, fmt.Sprintf("the document has no %s.%s (field %s)", path, name, f.Name))
			continue
		}
		problems = append(problems, compare(ref.Value, f.Type, path+"."+name, complete)...)
	}
	for name := range s.Properties {
		if complete && !have[name] {
			problems = append(problems, fmt.Sprintf("%s has no %s", path, name))
		}
	}
	return problems
}

// ignored are the names in the ignore tags of a struct's blank fields.
func ignored(t reflect.Type) map[string]bool {
	out := map[string]bool{}
	for i := range t.NumField() {
		if f := t.Field(i); f.Name == "_" {
			for name := range strings.SplitSeq(f.Tag.Get("ignore"), ",") {
				out[name] = true
			}
		}
	}
	return out
}

// fits reports whether a scalar (or list parameter) of the schema can live in t.
func fits(s *openapi3.Schema, t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case s.Type.Is("string"):
		return t.Kind() == reflect.String || isNumber(s) && (t.Kind() == reflect.Int || t.Kind() == reflect.Int64)
	case s.Type.Is("integer"):
		return t.Kind() == reflect.Int || t.Kind() == reflect.Int64 || t.Kind() == reflect.Int32 && s.Format == "int32"
	case s.Type.Is("number"):
		return t.Kind() == reflect.Float64
	case s.Type.Is("boolean"):
		return t.Kind() == reflect.Bool
	case s.Type.Is("array"):
		return t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.String
	}
	return false
}
