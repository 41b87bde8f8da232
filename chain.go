package breakwater

import (
	"crypto/sha256"
	"encoding/hex"
)

// Chains names each prefix of a list of layers, bottom first: Chains(l)[k] stands
// for the first k+1 layers, whatever lies above them (OCI image spec, config.md,
// "Layer ChainID"). It is made of the digests of the decompressed layers, so that
// an image which a registry packed anew has the same chains; of a layer that was
// never read, the digest of what is stored stands in.
func Chains(layers []LayerRef) []string {
	out := make([]string, 0, len(layers))
	chain := ""
	for i, l := range layers {
		id := l.DiffID
		if id == "" {
			id = l.Digest
		}
		if i == 0 {
			chain = string(id)
		} else {
			sum := sha256.Sum256([]byte(chain + " " + string(id)))
			chain = "sha256:" + hex.EncodeToString(sum[:])
		}
		out = append(out, chain)
	}
	return out
}

// BaseImage is a known image whose layers another image begins with.
type BaseImage struct {
	Name    string // registry's namespace and name, or as the operator named it
	Version string // the tag
	Digest  Digest // of its manifest; empty when only the operator knows it
	Chain   string
	Layers  int
	Listed  bool // from the operator's list
	OS      OS   // of its last scan, if it was scanned

	// Of the image that is built on it: how many findings come from the layers
	// of the base, and how many were added above.
	Inherited int
	Added     int
	// Newest is the newest other tag of the base, if there is one, and Removes how
	// many of the inherited vulnerabilities it does not have; -1: not known.
	Newest  string
	Removes int
}

// Reference is the name and, where there is one, the tag.
func (b *BaseImage) Reference() string {
	if b.Version == "" {
		return b.Name
	}
	return b.Name + ":" + b.Version
}

// Split counts which findings the layers of the base bring and which are added
// above it, and answers the vulnerabilities that are inherited. A vulnerability
// is inherited when any place of its package lies in the base's layers.
func (b *BaseImage) Split(inv Inventory, vulnerabilities []Vulnerability, rules []Finding) (inherited []Vulnerability) {
	base := map[Digest]bool{}
	for _, l := range inv.Layers[:min(b.Layers, len(inv.Layers))] {
		base[l.Digest] = true
	}
	b.Inherited, b.Added = 0, 0
	for _, v := range vulnerabilities {
		from := false
		for _, p := range v.Found {
			from = from || base[p.Layer]
		}
		if from {
			b.Inherited++
			inherited = append(inherited, v)
		} else {
			b.Added++
		}
	}
	for _, f := range rules {
		if base[f.Layer] {
			b.Inherited++
		} else {
			b.Added++
		}
	}
	return inherited
}
