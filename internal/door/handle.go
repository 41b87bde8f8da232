package door

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"breakwater"
)

// Public is the role of operations that the document opens to everybody.
const Public breakwater.Role = ""

// Handle registers the handler of an operation. In is a struct whose fields say
// where they come from:
//
//	type listIn struct {
//		Limit  int     `query:"limit"`
//		Vul    *bool   `query:"has_vul"`    // pointer: nil when not sent
//		Region string  `header:"region"`
//		ID     string  `path:"registry_id"`
//		Body   addBody `body:""`            // json tags inside
//	}
//
// Values arrive validated, with the document's defaults filled in. Out is
// rendered as JSON with the document's success status; see HeaderSetter and
// StatusSetter. role is the least role the caller needs; it is Public exactly
// where the document says security: [].
//
// Handle panics on a mistake that a program cannot run with: an unknown
// operation, a second handler, a field type that cannot be bound.
func Handle[In, Out any](d *Door, id string, role breakwater.Role, fn func(ctx context.Context, in In) (Out, error)) {
	op := d.byID[id]
	switch {
	case op == nil:
		panic("door: the document has no operation " + id)
	case op.handler != nil:
		panic("door: a second handler for " + id)
	case op.public != (role == Public):
		panic("door: role and security of " + id + " disagree")
	}
	p, err := newPlan(reflect.TypeFor[In](), reflect.TypeFor[Out]())
	if err != nil {
		panic("door: " + id + ": " + err.Error())
	}
	d.plans[id] = p
	op.role = role
	op.handler = func(ex *exchange, values map[string]string, body []byte) error {
		var in In
		if err := p.bind(ex, values, body, reflect.ValueOf(&in).Elem()); err != nil {
			return err
		}
		out, err := fn(ex.r.Context(), in)
		if err != nil {
			return err
		}
		return ex.succeed(out)
	}
}

// plan is what an In struct declares.
type plan struct {
	in, out reflect.Type
	params  map[string]int // "query:limit" → field index
	body    int            // field index, -1 for none
	ignored map[string]bool
}

func newPlan(in, out reflect.Type) (*plan, error) {
	if in.Kind() != reflect.Struct {
		return nil, errors.New("the In type must be a struct")
	}
	p := &plan{in: in, out: out, params: map[string]int{}, body: -1, ignored: ignored(in)}
	for i := range in.NumField() {
		f := in.Field(i)
		if f.Name == "_" {
			continue
		}
		if _, ok := f.Tag.Lookup("body"); ok {
			p.body = i
			continue
		}
		in, name := place(f.Tag)
		if in == "" {
			return nil, fmt.Errorf("field %s has no path, query, header or body tag", f.Name)
		}
		if !bindable(f.Type) {
			return nil, fmt.Errorf("field %s has a type that cannot be bound", f.Name)
		}
		p.params[in+":"+name] = i
	}
	return p, nil
}

func place(tag reflect.StructTag) (in, name string) {
	for _, in := range []string{"path", "query", "header"} {
		if name, ok := tag.Lookup(in); ok {
			return in, name
		}
	}
	return "", ""
}

func bindable(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.String, reflect.Bool, reflect.Int, reflect.Int32, reflect.Int64, reflect.Float64:
		return true
	case reflect.Slice:
		return t.Elem().Kind() == reflect.String
	}
	return false
}

// bind validates everything the document knows of the request and fills in the
// In value. Parameters that the handler does not ask for are validated all the same.
func (p *plan) bind(ex *exchange, values map[string]string, body []byte, in reflect.Value) error {
	query, err := parseQuery(ex.r.URL.RawQuery)
	if err != nil {
		return err
	}
	for _, spec := range ex.op.params {
		v, err := spec.value(ex.r, values, query)
		if err != nil {
			return err
		}
		i, wanted := p.params[spec.in+":"+spec.name]
		if v == nil || !wanted {
			continue
		}
		if err := assign(in.Field(i), v, spec.name); err != nil {
			return err
		}
	}
	if ex.op.body == nil {
		return nil
	}
	shaped, err := ex.op.body.value(body)
	if err != nil || shaped == nil || p.body < 0 {
		return err
	}
	return decodeInto(shaped, in.Field(p.body))
}

// decodeInto moves a validated JSON value into the body field.
func decodeInto(shaped any, field reflect.Value) error {
	b, err := json.Marshal(shaped)
	if err != nil {
		return breakwater.Wrap(breakwater.KindInternal, err, "encode the body again")
	}
	err = json.Unmarshal(b, field.Addr().Interface())
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return breakwater.Invalid(wrong.Field, "the value does not fit %s", wrong.Type.Kind())
	}
	if err != nil {
		return &breakwater.Error{Kind: breakwater.KindInvalid, Field: "body", Message: "the body does not fit its schema", Err: err}
	}
	return nil
}

// assign puts a parameter's value into a field of any bindable type.
func assign(field reflect.Value, v any, name string) error {
	if field.Kind() == reflect.Pointer {
		field.Set(reflect.New(field.Type().Elem()))
		field = field.Elem()
	}
	switch v := v.(type) {
	case string:
		if field.Kind() == reflect.String {
			field.SetString(v)
			return nil
		}
		n, err := parseInteger(v) // a number typed string
		if err != nil || !field.CanInt() || field.OverflowInt(n) {
			return breakwater.Invalid(name, "must be a number")
		}
		field.SetInt(n)
	case int64:
		if !field.CanInt() || field.OverflowInt(v) {
			return breakwater.Invalid(name, "is out of range")
		}
		field.SetInt(v)
	case float64:
		field.SetFloat(v)
	case bool:
		field.SetBool(v)
	case []any:
		out := reflect.MakeSlice(field.Type(), len(v), len(v))
		for i, e := range v {
			s, ok := e.(string)
			if !ok {
				return breakwater.Invalid(name, "must be a list of strings")
			}
			out.Index(i).SetString(s)
		}
		field.Set(out)
	}
	return nil
}
