package detect

import (
	"context"
	"encoding/json"
)

// readInstalledNPM reads the package.json of an installed package, and its
// licence, which the extractor leaves out: a name or an expression, or one of the
// older forms, an object or a list of objects with a type.
func readInstalledNPM(ctx context.Context, d *Detector, in input) (Facts, error) {
	found, err := extract(ctx, d.use.packageJSON, in)
	f := Facts{Packages: convert(found, in.Path)}
	if err != nil || len(f.Packages) == 0 {
		return f, err
	}
	b, err := in.all()
	if err != nil {
		return f, err
	}
	var doc struct {
		Licence  json.RawMessage   `json:"license"`
		Licences []json.RawMessage `json:"licenses"`
	}
	if json.Unmarshal(b, &doc) != nil {
		return f, nil // of an unusual form; the package is known all the same
	}
	var names []string
	for _, raw := range append(doc.Licences, doc.Licence) {
		var object struct{ Type string }
		var name string
		if json.Unmarshal(raw, &name) != nil && json.Unmarshal(raw, &object) == nil {
			name = object.Type
		}
		names = append(names, name)
	}
	for i := range f.Packages {
		if len(f.Packages[i].Licences) == 0 {
			f.Packages[i].Licences = licences(names)
		}
	}
	return f, nil
}
