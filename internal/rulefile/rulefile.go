// Package rulefile reads the operator's files of rules, which have the same
// manners in every check: one YAML document, no key that the check does not know,
// no alias, a limit on its size.
//
//	bytes ─► size ─► YAML tree: one document, no aliases ─► the check's own struct
package rulefile

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"breakwater"
)

// MaxBytes is the limit of a rule file.
const MaxBytes = 1 << 20

// Decode reads a rule file into the struct that f points to. An empty file leaves
// it as it is. YAML's aliases are refused because they can make a small file huge,
// a second document because nobody would read it. Errors are of kind Invalid.
func Decode(b []byte, f any) (err error) {
	const field = "rules"
	defer func() { // the YAML parser is not ours
		if recover() != nil {
			err = breakwater.Invalid(field, "the rule file could not be read")
		}
	}()
	if len(b) > MaxBytes {
		return breakwater.Invalid(field, "the rule file is larger than %d bytes", MaxBytes)
	}
	d := yaml.NewDecoder(bytes.NewReader(b))
	var tree, more yaml.Node
	switch err := d.Decode(&tree); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return breakwater.Invalid(field, "the rule file is no YAML: %s", short(err))
	case hasAlias(&tree):
		return breakwater.Invalid(field, "aliases are not read in a rule file")
	case !errors.Is(d.Decode(&more), io.EOF):
		return breakwater.Invalid(field, "a rule file is one YAML document")
	}
	// Only a decoder of bytes refuses unknown keys.
	d = yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(true)
	if err := d.Decode(f); err != nil {
		return breakwater.Invalid(field, "the rule file has another form: %s", short(err))
	}
	return nil
}

// short is what the parser says, which may be a line for each line of the file.
func short(err error) string {
	const most = 300
	s := err.Error()
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

func hasAlias(n *yaml.Node) bool {
	return n.Kind == yaml.AliasNode || slices.ContainsFunc(n.Content, hasAlias)
}
