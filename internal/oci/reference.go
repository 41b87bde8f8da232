package oci

import (
	"strings"

	"breakwater"
)

// Lengths of names. The distribution spec gives tags 128; repository names
// have no limit of their own, but clients hold host and name together to 255.
const (
	MaxRepository = 255
	MaxTag        = 128
)

// Reference names a manifest inside a registry: at least one of Tag and Digest
// is set.
type Reference struct {
	Repository string
	Tag        string
	Digest     breakwater.Digest
}

// Version is what a registry is asked for: the digest when there is one.
func (r Reference) Version() string {
	if r.Digest != "" {
		return string(r.Digest)
	}
	return r.Tag
}

func (r Reference) String() string {
	s := r.Repository
	if r.Tag != "" {
		s += ":" + r.Tag
	}
	if r.Digest != "" {
		s += "@" + string(r.Digest)
	}
	return s
}

// ParseReference reads repository[:tag][@digest], without a registry host. No
// default tag is filled in: a text naming neither tag nor digest is refused.
func ParseReference(s string) (Reference, error) {
	var r Reference
	rest, digest, hasDigest := strings.Cut(s, "@")
	if hasDigest {
		d, err := breakwater.ParseDigest(digest)
		if err != nil {
			return Reference{}, err
		}
		r.Digest = d
	}
	repository, tag, hasTag := strings.Cut(rest, ":")
	if hasTag {
		if err := CheckTag(tag); err != nil {
			return Reference{}, err
		}
		r.Tag = tag
	}
	if err := CheckRepository(repository); err != nil {
		return Reference{}, err
	}
	if !hasTag && !hasDigest {
		return Reference{}, breakwater.Invalid("reference", "the reference names neither a tag nor a digest")
	}
	r.Repository = repository
	return r, nil
}

// CheckRepository holds a name to the distribution spec: path components of
// lower-case letters and digits, joined inside by one '.', one or two '_', or
// any number of '-', and separated by '/'.
func CheckRepository(name string) error {
	if name == "" || len(name) > MaxRepository {
		return breakwater.Invalid("repository", "the repository name must have 1 to %d characters", MaxRepository)
	}
	for component := range strings.SplitSeq(name, "/") {
		if !validComponent(component) {
			return breakwater.Invalid("repository", "the repository name must be lower-case path components of letters, digits and single separators")
		}
	}
	return nil
}

func validComponent(s string) bool {
	for i := 0; i < len(s); {
		if !alphanumeric(s[i]) {
			return false
		}
		for i < len(s) && alphanumeric(s[i]) {
			i++
		}
		if i == len(s) {
			return true
		}
		// A separator must be followed by another run of letters and digits.
		start := i
		for i < len(s) && s[i] == s[start] {
			i++
		}
		switch run := i - start; {
		case s[start] == '-', s[start] == '.' && run == 1, s[start] == '_' && run <= 2:
		default:
			return false
		}
		if i == len(s) {
			return false
		}
	}
	return false
}

func alphanumeric(c byte) bool { return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' }

// CheckTag holds a tag to the distribution spec: a word character, then up to
// 127 of word characters, '.' and '-'.
func CheckTag(tag string) error {
	if tag == "" || len(tag) > MaxTag {
		return breakwater.Invalid("tag", "the tag must have 1 to %d characters", MaxTag)
	}
	for i := 0; i < len(tag); i++ {
		c := tag[i]
		word := alphanumeric(c) || c >= 'A' && c <= 'Z' || c == '_'
		if !word && (i == 0 || c != '.' && c != '-') {
			return breakwater.Invalid("tag", "the tag must be letters, digits, '_', '.' and '-', not starting with '.' or '-'")
		}
	}
	return nil
}

// checkVersion admits what may stand after /manifests/ in a path.
func checkVersion(ref string) (digest breakwater.Digest, err error) {
	if strings.Contains(ref, ":") {
		return breakwater.ParseDigest(ref)
	}
	return "", CheckTag(ref)
}
