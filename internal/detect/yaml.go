package detect

import "gopkg.in/yaml.v3"

// YAML is read as the parser's own tree. Decoding it into Go's maps compares each
// key of a mapping with each other: minutes for one megabyte of keys. Anchors are
// not followed, no lock file has any; through them a small file could be walked
// for ever.

// under is the value of a key of a mapping; nil when there is none.
func under(n *yaml.Node, key string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

// word is the scalar under a key of a mapping; empty when there is none.
func word(n *yaml.Node, key string) string {
	if v := under(n, key); v != nil && v.Kind == yaml.ScalarNode && v.Tag != "!!null" {
		return v.Value
	}
	return ""
}

// pairs calls each for every key of the mapping under a key of the document. It
// is false when something else is there.
func pairs(doc *yaml.Node, key string, each func(key string, value *yaml.Node)) bool {
	if doc.Kind == yaml.DocumentNode && len(doc.Content) == 1 {
		doc = doc.Content[0]
	}
	if doc.Kind != yaml.MappingNode {
		return false
	}
	n := under(doc, key)
	if n == nil || n.Tag == "!!null" {
		return true
	}
	if n.Kind != yaml.MappingNode {
		return false
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		each(n.Content[i].Value, n.Content[i+1])
	}
	return true
}
