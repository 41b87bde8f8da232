package oci

import (
	"bytes"
	"encoding/json"
	"strings"
)

// maxDepth is deeper than any manifest nests; the spec's own fields need four.
const maxDepth = 32

// checkNames refuses JSON objects that say one name twice. Decoders differ in
// which of two values they keep, and Go's also takes "Layers" for "layers", so
// such a manifest could show one image to us and another to a container
// runtime.
func checkNames(body []byte) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	type object struct {
		names map[string]bool // nil inside an array
		value bool            // the next token is the value of a name
		last  string          // that name, in lower case
		exact bool            // upper and lower case are different names here
	}
	var stack []object
	for {
		token, err := d.Token()
		if err != nil {
			return badManifest("the manifest is not JSON")
		}
		top := len(stack) - 1
		switch delim, _ := token.(json.Delim); {
		case delim == '{' || delim == '[':
			var o object
			if top >= 0 {
				// Annotations are free text and may rightly differ by case only.
				o.exact = stack[top].value && stack[top].last == "annotations"
				stack[top].value = false
			}
			if len(stack) == maxDepth {
				return badManifest("the manifest nests too deep")
			}
			if delim == '{' {
				o.names = map[string]bool{}
			}
			stack = append(stack, o)
			continue
		case delim == '}' || delim == ']':
			if stack = stack[:top]; len(stack) == 0 {
				return nil // what follows the document is json.Unmarshal's to refuse
			}
			continue
		case top < 0:
			return badManifest("the manifest is not a JSON object")
		}
		o := &stack[top]
		if o.names == nil {
			continue
		}
		if o.value {
			o.value = false
			continue
		}
		name, _ := token.(string)
		o.last = strings.ToLower(name)
		if !o.exact {
			name = o.last
		}
		if o.names[name] {
			return badManifest("the manifest says one name twice")
		}
		o.names[name], o.value = true, true
	}
}
