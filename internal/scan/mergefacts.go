package scan

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"breakwater"
	"breakwater/internal/detect"
	"breakwater/internal/malware"
)

// misses adds what was not looked at of the files that are still there. What an
// OS package brought is judged by that package, so nothing is missed there as
// far as packages go.
func (im *image) misses(out missed, owners map[string]string) {
	for key, l := range im.files {
		if l.fact.Skipped != "" && owners[key] == "" {
			out.add(breakwater.CheckSoftware, breakwater.Skip{Layer: l.layer, Path: l.fact.Path, Reason: l.fact.Skipped})
		}
		if l.fact.Skipped != "" && len(l.fact.Packages) == 0 && detect.Database(key) {
			out.broken(key + " " + l.fact.Skipped)
		}
		for _, m := range l.fact.Missed {
			out.add(m.Check, breakwater.Skip{Layer: l.layer, Path: l.fact.Path, Reason: m.Reason})
			out.fail(m)
		}
		if c := l.fact.Config; c != nil {
			if c.Cut {
				out.add(breakwater.CheckBaseline, breakwater.Skip{Layer: l.layer, Path: c.Path, Reason: "longer than is read of a configuration file"})
			}
			if c.Untried != "" {
				out.add(breakwater.CheckBaseline, breakwater.Skip{Layer: l.layer, Path: c.Path, Reason: c.Untried})
			}
		}
	}
}

// licences are what the copyright files say, by package.
func (im *image) licences() map[string][]string {
	out := map[string][]string{}
	for _, l := range im.files {
		if l.fact.Licence != nil {
			out[l.fact.Licence.Package] = l.fact.Licence.Names
		}
	}
	// A documentation directory is often a link to that of another package of
	// the same source.
	for p, l := range im.links {
		if dir, name := path.Split(p); dir == "usr/share/doc/" {
			if names, ok := out[path.Base(l.target)]; ok && out[name] == nil {
				out[name] = names
			}
		}
	}
	return out
}

// configs are the configuration files that a container would see.
func (im *image) configs() []breakwater.ConfigFile {
	var out []breakwater.ConfigFile
	for _, l := range im.files {
		if l.fact.Config == nil {
			continue
		}
		c := *l.fact.Config
		c.Layer = l.layer
		c.Weak = slices.Clone(c.Weak)
		for i := range c.Weak {
			c.Weak[i].Layer = l.layer
		}
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b breakwater.ConfigFile) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Path, b.Path))
	})
	return out
}

// secrets are those of the files that are there, but for what the distribution
// itself put there and published, and of those that a later layer hides.
func (im *image) secrets() []breakwater.Secret {
	var out []breakwater.Secret
	published := im.published()
	add := func(l *live, by breakwater.Digest) {
		if len(l.fact.Secrets) == 0 || published(l) {
			return
		}
		for _, s := range l.fact.Secrets {
			s.Layer, s.Deleted = l.from(), by
			out = append(out, s)
		}
	}
	for _, l := range im.files {
		add(l, "")
	}
	for _, g := range im.deleted {
		add(&g.live, g.by)
	}
	slices.SortFunc(out, func(a, b breakwater.Secret) int {
		return cmp.Or(cmp.Compare(a.Where, b.Where), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Layer, b.Layer), cmp.Compare(a.Deleted, b.Deleted), cmp.Compare(a.Masked, b.Masked))
	})
	return out
}

// published tells the files that an OS package put there: they are owned, lie
// where packages put what nobody edits, and come from a layer in which a package
// manager ran. Their content is in everybody's copy of the distribution, so
// nothing in them is a secret. A file that a later layer wrote over is not one of
// them, and neither is configuration.
func (im *image) published() func(*live) bool {
	var owns []detect.Ownership
	for _, l := range im.files {
		owns = append(owns, l.fact.Owns...)
	}
	return func(l *live) bool {
		rest, usr := strings.CutPrefix(l.fact.Path, "usr/")
		if !im.packaged[l.from()] || !usr && !strings.HasPrefix(im.resolve(l.fact.Path), "usr/") {
			return false
		}
		names := []string{l.fact.Path, im.resolve(l.fact.Path)}
		if usr {
			names = append(names, rest) // packages from before /usr was merged
		}
		return slices.ContainsFunc(owns, func(o detect.Ownership) bool { return slices.ContainsFunc(names, o.Owns) })
	}
}

// malware are the malicious files that are there, and those that a later layer
// hides.
func (im *image) malware() []breakwater.Malware {
	var out []breakwater.Malware
	add := func(l *live, by breakwater.Digest) {
		for _, m := range l.fact.Malware {
			m.Layer, m.Deleted = l.from(), by
			out = append(out, m)
		}
	}
	for _, l := range im.files {
		add(l, "")
	}
	for _, g := range im.deleted {
		add(&g.live, g.by)
	}
	compare := func(a, b breakwater.Malware) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Inside, b.Inside), cmp.Compare(a.Layer, b.Layer), cmp.Compare(a.Engine, b.Engine), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Deleted, b.Deleted))
	}
	slices.SortFunc(out, compare)
	out = slices.CompactFunc(out, func(a, b breakwater.Malware) bool { return compare(a, b) == 0 })
	return once(out)
}

// once drops what a hash says of a file that a signature or clamd has a name for.
// The list is sorted by file.
func once(list []breakwater.Malware) []breakwater.Malware {
	type place struct {
		path, inside string
		layer        breakwater.Digest
	}
	named := map[place]bool{}
	for _, m := range list {
		if m.Engine != malware.EngineHash {
			named[place{m.Path, m.Inside, m.Layer}] = true
		}
	}
	return slices.DeleteFunc(list, func(m breakwater.Malware) bool {
		return m.Engine == malware.EngineHash && m.Rule != malware.RuleOwnHash && named[place{m.Path, m.Inside, m.Layer}]
	})
}
