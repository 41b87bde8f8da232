package main

import (
	"encoding/json"
	"fmt"
	"os"
)

// contract is one of the two fact files: operations, and the structs they name.
type contract struct {
	API        string            `json:"api"`
	Groups     []group           `json:"groups"`
	Operations []operation       `json:"operations"`
	Schemas    map[string]schema `json:"schemas"`
}

type group struct {
	Key   string `json:"key"`
	Title string `json:"title"`
}

// operation is one call of the wire contract.
type operation struct {
	Name       string `json:"name"`
	Group      string `json:"group"`
	Edition    string `json:"edition"`
	Summary    string `json:"summary"`
	Note       string `json:"note"`
	Seed       string `json:"seed"`
	Deprecated bool   `json:"deprecated_in_sdk"`
	Method     string `json:"method"`
	Path       string `json:"path"`
	Request    struct {
		Path   []*field `json:"path"`
		Query  []*field `json:"query"`
		Header []*field `json:"header"`
		Body   *field   `json:"body"`
	} `json:"request"`
	Response struct {
		Status  int      `json:"status"`
		Headers []*field `json:"headers"`
		Body    *field   `json:"body"`
	} `json:"response"`

	bodyOptional bool // set by the overlay: the request may come without its body
}

// schema is a named struct.
type schema struct {
	Type   string   `json:"type"`
	Fields []*field `json:"fields"`
}

// field is a parameter, a property, or a bare type (then it has no name).
type field struct {
	Name         string          `json:"name"`
	Type         string          `json:"type"`
	Format       string          `json:"format"`
	Ref          string          `json:"ref"`
	Items        *field          `json:"items"`
	Fields       []*field        `json:"fields"`
	Required     bool            `json:"required"`
	RequiredWhen string          `json:"required_when"`
	MinLength    *int64          `json:"minLength"`
	MaxLength    *int64          `json:"maxLength"`
	Minimum      *json.Number    `json:"minimum"`
	Maximum      *json.Number    `json:"maximum"`
	MinItems     *int64          `json:"minItems"`
	MaxItems     *int64          `json:"maxItems"`
	StatedRange  []int64         `json:"stated_range"`
	Enum         []any           `json:"enum"`
	Default      any             `json:"default"`
	Pattern      string          `json:"pattern"`
	Unit         string          `json:"unit"`
	Meaning      string          `json:"meaning"`
	Separator    string          `json:"separator"`
	Pair         string          `json:"pair"`
	Bitmask      bool            `json:"bitmask"`
	FilterKeys   []string        `json:"filter_keys"`
	Values       json.RawMessage `json:"values"` // meanings of codes, or the element type of a map
	Deprecated   bool            `json:"deprecated_in_sdk"`

	number    bool // set by the overlay: a number that travels as a string
	extension bool // set by the overlay: ours, not the contract's
}

// readContract reads one fact file; numbers stay as they are written.
func readContract(name string) (*contract, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	d := json.NewDecoder(f)
	d.UseNumber()
	var c contract
	if err := d.Decode(&c); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &c, nil
}

// walk calls fn for every field below fs, following refs once each.
func (c *contract) walk(fs []*field, seen map[string]bool, fn func(*field)) {
	for _, f := range fs {
		if f == nil {
			continue
		}
		if f.Name != "" {
			fn(f)
		}
		c.walk(f.Fields, seen, fn)
		c.walk([]*field{f.Items}, seen, fn)
		if f.Ref != "" && !seen[f.Ref] {
			seen[f.Ref] = true
			c.walk(c.Schemas[f.Ref].Fields, seen, fn)
		}
	}
}
