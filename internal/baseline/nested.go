package baseline

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"breakwater"
	"breakwater/internal/password"
)

// xml reads Tomcat's files. An element is an entry of its name in the section of
// its parents, with its text as the value; each attribute is an entry of "@name"
// in the section of the element. A password in tomcat-users.xml goes to the judge.
func (r *reader) xml(text string) {
	d := xml.NewDecoder(strings.NewReader(text))
	d.Strict = false
	d.CharsetReader = nil
	var b blocks
	var entry []int // the entry of each open element
	line := func() int { n, _ := d.InputPos(); return n }
	for len(r.out.Entries) < maxEntries {
		token, err := d.RawToken()
		if err != nil {
			return
		}
		switch t := token.(type) {
		case xml.StartElement:
			if len(b.open) >= maxNesting {
				r.out.Cut = true
				return
			}
			entry = append(entry, len(r.out.Entries))
			r.add(b.section(), t.Name.Local, "", line())
			b.push(r, t.Name.Local)
			user := tomcatUser(t)
			for _, a := range t.Attr {
				if r.out.Kind == kindTomcatUsers && strings.EqualFold(a.Name.Local, "password") {
					r.tomcatPassword(user, a.Value, line())
					continue
				}
				r.add(b.section(), "@"+a.Name.Local, a.Value, line())
			}
		case xml.EndElement:
			b.pop()
			if len(entry) > 0 {
				entry = entry[:len(entry)-1]
			}
		case xml.CharData:
			s := strings.TrimSpace(string(bytes.TrimSpace(t)))
			if s != "" && len(entry) > 0 && entry[len(entry)-1] < len(r.out.Entries) {
				e := &r.out.Entries[entry[len(entry)-1]]
				e.Value = r.clip(e.Value+maskInside(s), maxValue)
			}
		}
	}
	r.out.Cut = true
}

func tomcatUser(t xml.StartElement) string {
	for _, a := range t.Attr {
		if strings.EqualFold(a.Name.Local, "username") || strings.EqualFold(a.Name.Local, "name") {
			return a.Value
		}
	}
	return ""
}

// tomcatPassword takes a user of tomcat-users.xml, whose password is in the open
// or a digest in hexadecimal.
func (r *reader) tomcatPassword(user, value string, line int) {
	a := breakwater.Account{Name: user, UID: -1, GID: -1, MinDays: -1, MaxDays: -1, Line: line, Password: passwordHash}
	a.Scheme = password.Scheme(value)
	c := credential{user: user, value: value, line: line}
	switch {
	case value == "":
		a.Password, a.Scheme = r.secretField(user, value, line)
	case a.Scheme == "unknown" || a.Scheme == "descrypt":
		a.Scheme = "plain"
		r.plain = append(r.plain, c)
	default:
		r.hashes = append(r.hashes, c)
	}
	r.account(a)
}

// json reads daemon.json, at most maxTree bytes of it: the keys of objects joined by dots, one entry for each
// scalar of a list.
func (r *reader) json(text string) {
	if len(text) > maxTree {
		text = text[:maxTree]
		r.out.Cut = true
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	line := func() int { return 1 + strings.Count(text[:min(len(text), int(d.InputOffset()))], "\n") }
	r.jsonValue(d, "", 0, line)
}

// jsonValue reads the next value; false when there is none.
func (r *reader) jsonValue(d *json.Decoder, key string, depth int, line func() int) bool {
	token, err := d.Token()
	if err != nil || depth > maxNesting || len(r.out.Entries) >= maxEntries {
		return false
	}
	switch t := token.(type) {
	case json.Delim:
		for d.More() {
			inner := key
			if t == '{' {
				name, err := d.Token()
				if err != nil {
					return false
				}
				inner, _ = name.(string)
				if key != "" {
					inner = r.clip(key, 4*maxName) + "." + inner
				}
			}
			if !r.jsonValue(d, inner, depth+1, line) {
				return false
			}
		}
		_, err := d.Token()
		return err == nil
	case nil:
		r.add("", key, "", line())
	case string:
		r.add("", key, t, line())
	case bool:
		r.add("", key, strconv.FormatBool(t), line())
	case json.Number:
		r.add("", key, t.String(), line())
	}
	return true
}

// maxTree bounds, in bytes, the files that are read as a tree.
const maxTree = 64 << 10

// mongo reads mongod.conf: YAML with the keys joined by dots, or the older
// "key = value" lines. Aliases are not followed.
func (r *reader) mongo(text string) {
	if len(text) > maxTree {
		text = text[:maxTree]
		r.out.Cut = true
	}
	var doc yaml.Node
	if yaml.Unmarshal([]byte(text), &doc) == nil && len(doc.Content) > 0 && doc.Content[0].Kind == yaml.MappingNode {
		r.yamlNode("", doc.Content[0], 0)
		return
	}
	r.ini(text)
}

func (r *reader) yamlNode(key string, n *yaml.Node, depth int) {
	if depth > maxNesting {
		r.out.Cut = true
		return
	}
	switch n.Kind {
	case yaml.ScalarNode:
		r.add("", key, n.Value, n.Line)
	case yaml.SequenceNode:
		for _, c := range n.Content {
			r.yamlNode(key, c, depth+1)
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			inner := n.Content[i].Value
			if key != "" {
				inner = r.clip(key, 4*maxName) + "." + inner
			}
			r.yamlNode(inner, n.Content[i+1], depth+1)
		}
	}
}
