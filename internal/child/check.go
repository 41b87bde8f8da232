package child

import (
	"strings"

	"breakwater"
	"breakwater/internal/oci"
)

// checkInventory holds a child's answer against the manifest that it was given:
// the digest, the layers in their order, and no layer named anywhere that the
// image does not have.
func checkInventory(inv *breakwater.Inventory, digest breakwater.Digest, doc oci.Doc) error {
	switch {
	case inv.Digest != digest:
		return nonsense("it is of another image")
	case len(inv.Layers) != len(doc.Layers):
		return nonsense("it has another number of layers than the image")
	case inv.Bytes < 0 || inv.Entries < 0 || inv.Files.Num < 0 || inv.Files.Bytes < 0 || inv.Files.Unlisted < 0:
		return nonsense("it counts below zero")
	case len(inv.Notable) > breakwater.MaxNotable:
		return nonsense("it lists more entries than it may")
	}
	known := map[breakwater.Digest]bool{"": true}
	for i, l := range inv.Layers {
		if l.Digest != doc.Layers[i].Digest || l.Size != doc.Layers[i].Size {
			return nonsense("it has other layers than the image")
		}
		if _, err := breakwater.ParseDigest(l.DiffID.String()); l.DiffID != "" && err != nil {
			return nonsense("it has a malformed digest")
		}
		known[l.Digest] = true
	}
	for d := range layersNamed(inv) {
		if !known[d] {
			return nonsense("it names a layer that the image does not have")
		}
	}
	return nil
}

// layersNamed yields every layer digest that the facts of an inventory carry.
// A test holds it against the fields that the type has.
func layersNamed(inv *breakwater.Inventory) func(yield func(breakwater.Digest) bool) {
	return func(yield func(breakwater.Digest) bool) {
		ok := true
		say := func(ds ...breakwater.Digest) {
			for _, d := range ds {
				ok = ok && yield(d)
			}
		}
		for i := range inv.Packages {
			say(inv.Packages[i].Layer)
		}
		for i := range inv.Notable {
			say(inv.Notable[i].Layer)
		}
		for i := range inv.Configs {
			say(inv.Configs[i].Layer)
			for j := range inv.Configs[i].Weak {
				say(inv.Configs[i].Weak[j].Layer)
			}
		}
		for i := range inv.Secrets {
			say(inv.Secrets[i].Layer, inv.Secrets[i].Deleted)
		}
		for i := range inv.Malware {
			say(inv.Malware[i].Layer, inv.Malware[i].Deleted)
		}
		for i := range inv.Coverage {
			for j := range inv.Coverage[i].Skipped {
				say(inv.Coverage[i].Skipped[j].Layer)
			}
		}
	}
}

// layerOfKey is the layer that a cache key is about: a key is the scanner's
// version, whatever else the scanner puts there, a slash, and the digest.
func layerOfKey(key, version string) (breakwater.Digest, error) {
	at := strings.LastIndexByte(key, '/')
	if len(key) > maxKey || at < 0 || !strings.HasPrefix(key, version) {
		return "", breakwater.Errorf(breakwater.KindForbidden, "the cache key is not of this version's form")
	}
	return breakwater.ParseDigest(key[at+1:])
}

// errNonsense marks what only a broken or taken-over scanner says.
type errNonsense struct{ reason string }

func (e errNonsense) Error() string { return "the scanner's answer cannot be right: " + e.reason }

func nonsense(reason string) error { return errNonsense{reason} }
