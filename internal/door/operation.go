package door

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"breakwater"

	"github.com/getkin/kin-openapi/openapi3"
)

// operation is one call of the document, in the form requests are held against.
type operation struct {
	id     string
	method string
	path   string
	params []param
	body   *bodySpec
	public bool // the document says security: []

	status int              // of success
	answer *openapi3.Schema // of success; nil when the answer has no JSON body

	role    breakwater.Role
	handler func(ex *exchange, values map[string]string, body []byte) error
}

// param is a path, query or header value.
type param struct {
	name     string
	in       string
	required bool
	schema   *openapi3.Schema
}

// bodySpec is the JSON body of a request.
type bodySpec struct {
	required bool
	schema   *openapi3.Schema
}

func newOperation(doc *openapi3.T, method, path string, spec *openapi3.Operation) (*operation, error) {
	if spec.OperationID == "" {
		return nil, errors.New("no operationId")
	}
	op := &operation{id: spec.OperationID, method: method, path: path}
	security := doc.Security
	if spec.Security != nil {
		security = *spec.Security
	}
	op.public = len(security) == 0
	for _, p := range spec.Parameters {
		if p.Value == nil || p.Value.Schema == nil || p.Value.Schema.Value == nil {
			return nil, errors.New("a parameter has no schema")
		}
		op.params = append(op.params, param{name: p.Value.Name, in: p.Value.In, required: p.Value.Required, schema: p.Value.Schema.Value})
	}
	if spec.RequestBody != nil && spec.RequestBody.Value != nil {
		schema := jsonSchema(spec.RequestBody.Value.Content)
		if schema == nil {
			return nil, errors.New("the request body has no JSON schema")
		}
		op.body = &bodySpec{required: spec.RequestBody.Value.Required, schema: schema}
	}
	return op, op.readResponse(spec)
}

// readResponse finds the one success status and the shape of its body.
func (op *operation) readResponse(spec *openapi3.Operation) error {
	for code, ref := range spec.Responses.Map() {
		if !strings.HasPrefix(code, "2") {
			continue
		}
		status, err := strconv.Atoi(code)
		if err != nil || op.status != 0 {
			return fmt.Errorf("response %s: one success status is wanted", code)
		}
		op.status, op.answer = status, jsonSchema(ref.Value.Content)
	}
	if op.status == 0 {
		return errors.New("no success status")
	}
	return nil
}

func jsonSchema(content openapi3.Content) *openapi3.Schema {
	if mt := content["application/json"]; mt != nil && mt.Schema != nil {
		return mt.Schema.Value
	}
	return nil
}

// isNumber marks a string schema whose pattern lets only numbers through; such a
// value may be bound to an integer.
func isNumber(s *openapi3.Schema) bool {
	b, _ := s.Extensions["x-number"].(bool)
	return b
}
