package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// overlay turns the facts into what Breakwater serves: the contract's words are
// kept, its loose ends are tied, and the extensions of ours are added. Each step
// says why it is there.
func overlay(c *contract) error {
	for i := range c.Operations {
		op := &c.Operations[i]
		dropHeaders(op)
		c.walk(slices.Concat(op.Request.Path, op.Request.Query, op.Request.Header), map[string]bool{}, tightenInput)
		if op.Request.Body != nil {
			c.walk([]*field{op.Request.Body}, map[string]bool{}, tightenInput)
		}
		for _, f := range op.Request.Query {
			stringNumber(f)
			ours := strings.Contains(op.Path, "/image/baseline/") || strings.HasSuffix(op.Path, "/files-statistics")
			if ours && f.Name == "image_type" && !slices.Contains(f.Enum, any("harbor")) {
				f.Enum = append(f.Enum, "harbor") // widen adds the others
			}
		}
		c.walk(slices.Concat(op.Request.Query, []*field{op.Response.Body}), map[string]bool{}, widen)
	}
	for _, s := range c.Schemas {
		c.walk(s.Fields, map[string]bool{}, widen)
	}
	if c.operation("AddRegistry") != nil {
		return overlayHSS(c)
	}
	return overlaySWR(c)
}

// dropHeaders removes the two headers every door reads by itself: a token is a
// security scheme, and a GET with Content-Type is no reason to refuse anything. A
// region need not be named, since there is one.
func dropHeaders(op *operation) {
	op.Request.Header = slices.DeleteFunc(op.Request.Header, func(f *field) bool {
		return strings.EqualFold(f.Name, "X-Auth-Token") || strings.EqualFold(f.Name, "Content-Type")
	})
	for _, f := range op.Request.Header {
		if f.Name == "region" {
			f.Required, f.MinLength = false, nil
		}
	}
}

// tightenInput closes two holes of requests. A required string must not be
// empty: the SDK sends values its user left unset as "". A comma-separated enum
// becomes a pattern.
func tightenInput(f *field) {
	if f.Type != "string" {
		return
	}
	if f.Required && f.MinLength == nil && len(f.Enum) == 0 {
		f.MinLength = new(int64(1))
	}
	if f.Separator != "" && len(f.Enum) > 0 {
		var words []string
		for _, e := range f.Enum {
			words = append(words, fmt.Sprint(e))
		}
		one := "(?:" + strings.Join(words, "|") + ")"
		f.Pattern, f.Enum = "^"+one+"(?:"+f.Separator+one+")*$", nil
	}
	// The facts give the first word of a filter as its only one; its grammar is the handler's.
	if len(f.FilterKeys) > 0 {
		f.Enum = nil
	}
}

// stringNumber gives the paging parameters that are typed string a pattern that
// only numbers in range match.
func stringNumber(f *field) {
	if f.Type != "string" || (f.Name != "limit" && f.Name != "offset") {
		return
	}
	f.number = true
	f.MinLength = nil
	f.Pattern = "^(?:0|[1-9][0-9]{0,8})$"
	if f.Name == "limit" {
		f.Pattern = "^(?:[1-9][0-9]{0,2}|1000)$"
	}
	f.Maximum = nil
}

// widen lets image_type name the images of every registry we can read, and takes
// both spellings of the arm category.
func widen(f *field) {
	has := func(w string) bool { return slices.Contains(f.Enum, any(w)) }
	switch {
	case f.Name == "image_type" && has("harbor"):
		for _, w := range []string{"jfrog", "other"} {
			if !has(w) {
				f.Enum = append(f.Enum, w)
			}
		}
	case f.Name == "category" && has("app_server"):
		for _, w := range []string{"arm", "arms"} {
			if !has(w) {
				f.Enum = append(f.Enum, w)
			}
		}
	}
}

// overlayHSS adds plain OCI registries, whose catalogue may be closed to us, and
// the third image type of batch-scan that the SDK knows.
func overlayHSS(c *contract) error {
	add, err := c.property("AddRegistryRequestBody", "registry_type")
	if err != nil {
		return err
	}
	add.Enum = append(add.Enum, "Other")
	batch, err := c.property("BatchScanPrivateImageRequestInfo", "image_type")
	if err != nil {
		return err
	}
	batch.Enum = []any{"private_image", "shared_image", "instance_image"}
	repositories := func() *field {
		return &field{
			Name: "repositories", Type: "array", MaxItems: new(int64(10000)), extension: true,
			Items:   &field{Type: "string", MinLength: new(int64(1)), MaxLength: new(int64(256)), Pattern: "^[a-z0-9]+(?:(?:\\.|/|_{1,2}|-+)[a-z0-9]+)*$"},
			Meaning: "repositories to read where the registry does not show its catalogue",
		}
	}
	for _, name := range []string{"AddRegistryRequestBody", "UpdateRegistryRequestBody"} {
		s := c.Schemas[name]
		s.Fields = append(s.Fields, repositories())
		c.Schemas[name] = s
	}
	if err := c.unbind("ListImageFiles", "ImageFileInfo", "ImageMalwareInfo"); err != nil {
		return err
	}
	basic, err := c.property("ImageBasicImageInfo", "layer_digest")
	if err != nil {
		return err
	}
	s := c.Schemas["ImageBasicImageInfo"]
	for _, name := range []string{"base_image_name", "base_image_tag", "base_image_digest", "newest_tag"} {
		s.Fields = append(s.Fields, &field{Name: name, Type: basic.Type, extension: true})
	}
	for _, name := range []string{"base_layer_num", "inherited_num", "added_num", "newest_removes_num"} {
		s.Fields = append(s.Fields, &field{Name: name, Type: "integer", Format: "int32", extension: true})
	}
	c.Schemas["ImageBasicImageInfo"] = s
	return addReport(c)
}

// unbind takes away bounds that real images do not keep to: an image may hold no
// file or a hundred thousand, and files of more than 64 KiB.
func (c *contract) unbind(operation string, schemas ...string) error {
	op := c.operation(operation)
	if op == nil {
		return fmt.Errorf("the contract has no %s", operation)
	}
	for _, f := range op.Response.Body.Fields {
		if f.Name == "total_num" {
			f.Minimum, f.Maximum = nil, nil
		}
	}
	for _, name := range schemas {
		size, err := c.property(name, "size")
		if err != nil {
			return err
		}
		size.Maximum = nil
	}
	return nil
}

// addReport adds an operation of ours beside those about one image: everything
// that is known of it in one document.
func addReport(c *contract) error {
	like := c.operation("ListImageApps")
	if like == nil {
		return fmt.Errorf("the contract has no ListImageApps")
	}
	op := operation{
		Name: "ShowImageReport", Group: like.Group, Summary: "everything known of one image in one document (extension)",
		Note:   "json (our own schema), sarif 2.1.0, cyclonedx 1.6 or spdx 2.3; with what was not looked at",
		Method: "GET", Path: strings.TrimSuffix(like.Path, "/apps") + "/report",
	}
	op.Request.Path = like.Request.Path
	for _, f := range like.Request.Query {
		switch f.Name {
		case "image_type", "namespace", "image_name", "tag_name":
			op.Request.Query = append(op.Request.Query, f)
		}
	}
	format := &field{Name: "format", Type: "string", Enum: []any{"json", "sarif", "cyclonedx", "spdx"}, Default: "json", extension: true}
	op.Request.Query = append(op.Request.Query, format)
	op.Response.Body = &field{Type: "object"}
	c.Operations = append(c.Operations, op)
	return nil
}

// overlaySWR lets CreateRepo come in both of its forms: body, or query alone.
// Which fields must be there depends on the form, so the handler decides. A
// repository in a path is spelled with $ for the slash, which the pattern of the
// name would refuse. ListReposDetails takes is_public, which Terraform sends.
func overlaySWR(c *contract) error {
	op := c.operation("CreateRepo")
	if op == nil {
		return fmt.Errorf("the contract has no CreateRepo")
	}
	op.bodyOptional = true
	op.Note = "body or query form; repository must be in one of them, and the body wins"
	s := c.Schemas["CreateRepoRequestBody"]
	for _, f := range s.Fields {
		f.Required = false
		for _, q := range op.Request.Query {
			if q.Name == f.Name {
				q.MinLength, q.MaxLength, q.Pattern, q.Enum = f.MinLength, f.MaxLength, f.Pattern, f.Enum
			}
		}
	}
	for i := range c.Operations {
		for _, f := range c.Operations[i].Request.Path {
			if f.Name == "repository" {
				f.Pattern, f.MaxLength = "", nil
			}
		}
	}
	list := c.operation("ListReposDetails")
	if list == nil {
		return fmt.Errorf("the contract has no ListReposDetails")
	}
	list.Request.Query = append(list.Request.Query, &field{Name: "is_public", Type: "boolean", Meaning: "as Terraform sends it"})
	return nil
}

func (c *contract) operation(name string) *operation {
	for i := range c.Operations {
		if c.Operations[i].Name == name {
			return &c.Operations[i]
		}
	}
	return nil
}

// property is a field that the overlay relies on; its absence means the facts changed.
func (c *contract) property(schema, name string) (*field, error) {
	for _, f := range c.Schemas[schema].Fields {
		if f.Name == name {
			return f, nil
		}
	}
	return nil, fmt.Errorf("the contract has no %s.%s", schema, name)
}

// element is the value type of a map field, nil when Values only explains codes.
func (f *field) element() *field {
	if f.Type != "map" {
		return nil
	}
	var e field
	if err := json.Unmarshal(f.Values, &e); err != nil {
		return nil
	}
	return &e
}
