package report

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"breakwater"
)

// Limits of an exemptions file.
const (
	MaxExemptionBytes = 1 << 20 // of the whole file
	MaxExemptions     = 10_000
	maxExemptionField = 1024 // bytes of one value
)

// ParseExemptions reads an exemptions file: a YAML list of
//
//   - id: CVE-2024-1234        # an advisory, one of its aliases, or a rule; "*" with package or path
//     reason: not reachable    # why it is accepted; required
//     check: vulnerability     # the rest is optional
//     package: openssl         # patterns: * stands for anything but /, ** for anything
//     path: usr/lib/**
//     image: "registry.example/app:*"
//     expires: 2027-01-31      # the last day on which it counts, in UTC
//
// Unknown keys, missing ones, keys that stand twice, anchors, and values that
// cannot be read are errors of kind Invalid that name the line. A file over
// MaxExemptionBytes or MaxExemptions is refused with kind TooLarge.
func ParseExemptions(r io.Reader) (list []Exemption, err error) {
	b, err := io.ReadAll(io.LimitReader(r, MaxExemptionBytes+1))
	if err != nil {
		return nil, breakwater.Wrap(breakwater.KindInvalid, err, "the exemptions file cannot be read")
	}
	if len(b) > MaxExemptionBytes {
		return nil, breakwater.Errorf(breakwater.KindTooLarge, "the exemptions file is larger than %d bytes", MaxExemptionBytes)
	}
	defer func() { // the YAML parser is not ours
		if p := recover(); p != nil {
			list, err = nil, breakwater.Invalid("exemptions", "the file is no YAML")
		}
	}()
	var document yaml.Node
	d := yaml.NewDecoder(bytes.NewReader(b))
	switch err := d.Decode(&document); {
	case err == io.EOF:
		return nil, nil // an empty file exempts nothing
	case err != nil:
		return nil, &breakwater.Error{Kind: breakwater.KindInvalid, Field: "exemptions", Message: "the file is no YAML", Err: err}
	}
	if d.Decode(&yaml.Node{}) != io.EOF {
		return nil, breakwater.Invalid("exemptions", "the file must hold one YAML document")
	}
	root := document.Content[0]
	if root.Kind == yaml.ScalarNode && root.Tag == "!!null" {
		return nil, nil
	}
	if root.Kind != yaml.SequenceNode {
		return nil, invalidLine(root, "the file must be a list")
	}
	if len(root.Content) > MaxExemptions {
		return nil, breakwater.Errorf(breakwater.KindTooLarge, "the exemptions file lists more than %d", MaxExemptions)
	}
	for _, n := range root.Content {
		e, err := readExemption(n)
		if err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	return list, nil
}

func invalidLine(n *yaml.Node, format string, args ...any) error {
	return breakwater.Invalid("exemptions", "line %d: %s", n.Line, fmt.Sprintf(format, args...))
}

// exemptionKeys lists the keys of an exemption.
func exemptionKeys() []string {
	return []string{"id", "check", "package", "path", "reason", "expires", "image"}
}

func readExemption(n *yaml.Node) (Exemption, error) {
	e := Exemption{Line: n.Line}
	if n.Kind != yaml.MappingNode {
		return e, invalidLine(n, "an exemption has keys: %s", strings.Join(exemptionKeys(), ", "))
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind != yaml.ScalarNode || !slices.Contains(exemptionKeys(), key.Value) {
			return e, invalidLine(key, "unknown key; known are %s", strings.Join(exemptionKeys(), ", "))
		}
		if seen[key.Value] {
			return e, invalidLine(key, "%s stands twice", key.Value)
		}
		seen[key.Value] = true
		if value.Kind != yaml.ScalarNode || value.Anchor != "" {
			return e, invalidLine(value, "%s must be a plain text", key.Value)
		}
		text := strings.TrimSpace(value.Value)
		if len(text) > maxExemptionField {
			return e, invalidLine(value, "%s is longer than %d bytes", key.Value, maxExemptionField)
		}
		if text == "" || value.Tag == "!!null" {
			return e, invalidLine(value, "%s is empty", key.Value)
		}
		if err := e.set(key.Value, text, value); err != nil {
			return e, err
		}
	}
	switch {
	case e.ID == "":
		return e, invalidLine(n, "id is missing")
	case e.Reason == "":
		return e, invalidLine(n, "reason is missing")
	case e.ID == AnyID && e.Package == "" && e.Path == "":
		return e, invalidLine(n, "an exemption of every id needs a package or a path")
	}
	return e, nil
}

func (e *Exemption) set(key, text string, n *yaml.Node) error {
	switch key {
	case "id":
		e.ID = text
	case "check":
		if e.Check = breakwater.Check(text); checkPlace(e.Check) == len(checks()) {
			return invalidLine(n, "unknown check; known are %s", checkWords())
		}
	case "package":
		e.Package = text
	case "path":
		e.Path = text
	case "image":
		e.Image = text
	case "reason":
		e.Reason = text
	case "expires":
		day, err := time.Parse(time.DateOnly, text)
		if err == nil {
			e.Expires = day.AddDate(0, 0, 1)
			return nil
		}
		if e.Expires, err = time.Parse(time.RFC3339, text); err != nil {
			return invalidLine(n, "expires must be a day (2027-01-31) or a time (2027-01-31T12:00:00Z)")
		}
		e.Expires = e.Expires.UTC()
	}
	return nil
}

func checkWords() string {
	var words []string
	for _, c := range checks() {
		words = append(words, string(c))
	}
	return strings.Join(words, ", ")
}
