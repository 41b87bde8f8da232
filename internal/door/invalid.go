package door

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"breakwater"

	"github.com/getkin/kin-openapi/openapi3"
)

// validate holds a value against its schema. The error names the field below
// root and what the document asks for; it never repeats the value.
func validate(s *openapi3.Schema, v any, root string) error {
	err := s.VisitJSON(v, openapi3.FailFast(), openapi3.VisitAsRequest())
	if err == nil {
		return nil
	}
	// FailFast leaves no detail; the failing request is visited once more for it.
	err = s.VisitJSON(v, openapi3.VisitAsRequest())
	var se *openapi3.SchemaError
	if !errors.As(err, &se) {
		return breakwater.Invalid(orBody(root), "does not fit its schema")
	}
	return breakwater.Invalid(orBody(fieldName(s, root, se.JSONPointer())), "%s", demand(se))
}

func orBody(field string) string {
	if field == "" {
		return "body"
	}
	return field
}

// fieldName spells a JSON pointer as image_info[0].tag. A key that the schema
// does not name was chosen by the caller, so it is shown as a star.
func fieldName(s *openapi3.Schema, root string, pointer []string) string {
	var b strings.Builder
	b.WriteString(root)
	for _, key := range pointer {
		var next *openapi3.SchemaRef
		switch {
		case s != nil && s.Properties[key] != nil:
			next = s.Properties[key]
		case s != nil && s.Items != nil:
			if _, err := strconv.Atoi(key); err == nil {
				b.WriteString("[" + key + "]")
				s = s.Items.Value
				continue
			}
			key = "*"
		default:
			if s != nil {
				next = s.AdditionalProperties.Schema
			}
			key = "*"
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(key)
		s = nil
		if next != nil {
			s = next.Value
		}
	}
	return b.String()
}

// demand says what the schema wanted, from the schema alone.
func demand(se *openapi3.SchemaError) string {
	s := se.Schema
	switch se.SchemaField {
	case "required":
		return "is required"
	case "type", "nullable":
		return "must be of type " + strings.Join(s.Type.Slice(), " or ")
	case "enum":
		words := make([]string, len(s.Enum))
		for i, e := range s.Enum {
			words[i] = fmt.Sprint(e)
		}
		return "must be one of " + strings.Join(words, ", ")
	case "minLength", "maxLength":
		if s.MaxLength == nil {
			return fmt.Sprintf("must be at least %d characters long", s.MinLength)
		}
		return fmt.Sprintf("must be %d to %d characters long", s.MinLength, *s.MaxLength)
	case "minimum", "maximum":
		return "must be " + bounds(s.Min, s.Max)
	case "minItems", "maxItems":
		if s.MaxItems == nil {
			return fmt.Sprintf("must have at least %d elements", s.MinItems)
		}
		return fmt.Sprintf("must have %d to %d elements", s.MinItems, *s.MaxItems)
	case "pattern":
		return "must match " + s.Pattern
	}
	return "does not fit its schema"
}

func bounds(low, high *float64) string {
	number := func(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
	switch {
	case low != nil && high != nil:
		return "from " + number(*low) + " to " + number(*high)
	case low != nil:
		return "at least " + number(*low)
	case high != nil:
		return "at most " + number(*high)
	}
	return "in range"
}
