package detect

import (
	"bytes"
	"context"
	"errors"
	"io"
	"path"
	"regexp"
	"strings"

	"breakwater"

	packageurl "github.com/package-url/packageurl-go"
)

// Programs that no package manager installed, as the official images of Python,
// Node.js or Redis have them, say themselves what they are: with -v, so that the
// words are in the file. A row of programs.go knows where. The file's name only
// chooses the row; a file that has not the words is not listed.
//
// Where the advisories of the ecosystem Bitnami speak of the program as its makers
// release it, the package is of that ecosystem, and else of none. A program that
// an OS package installed is that package, not one more: the scan leaves it out,
// unless the package is the makers' own, which no distribution judges.

// TypeProgram is the type of package URLs of programs, "generic" in the
// specification of package URLs: what no package manager has a name for.
const TypeProgram = "generic"

// program is one row.
type program struct {
	name   string // of the package; as Bitnami calls it, where judged
	judged bool   // the ecosystem Bitnami has advisories of it
	// version finds the version in a file of that base name; empty: it is something else.
	version func(t *telling, base string) (string, error)
}

// telling is a program that is searched for what it says.
type telling struct {
	in    input
	tries int
}

// Bounds on the search in one file. Every mark of the table is a handful of times
// in the program that it is of.
const (
	maxTries = 20_000
	around   = 160 // bytes that are looked at before and after a mark
	window   = 1 << 20
)

var errTries = errors.New("it says too often what it is")

// each calls fn with every place where mark stands: what is around it, and where
// in that the mark begins, until fn is done.
func (t *telling) each(mark string, fn func(text []byte, at int) (done bool)) error {
	m := []byte(mark)
	buf := make([]byte, min(t.in.Size, window+2*around+int64(len(m))))
	for start := int64(0); start < t.in.Size; start += window {
		from := max(0, start-around)
		n, err := t.in.r.ReadAt(buf, from)
		if err != nil && err != io.EOF {
			return err
		}
		text := buf[:n]
		for at := int(start - from); ; at++ {
			i := bytes.Index(text[min(at, n):], m)
			if i < 0 || int64(at+i) >= start-from+window {
				break
			}
			if t.tries++; t.tries > maxTries {
				return errTries
			}
			at += i
			lo := max(0, at-around)
			if fn(text[lo:min(n, at+len(m)+around)], at-lo) {
				return nil
			}
		}
	}
	return nil
}

// has reports whether the file has the bytes.
func (t *telling) has(word string) (found bool, err error) {
	err = t.each(word, func([]byte, int) bool { found = true; return true })
	return found, err
}

// told is a version whose surroundings have a form; the first group of form is the
// version.
func told(mark, form string) func(*telling, string) (string, error) {
	re := regexp.MustCompile(form)
	return func(t *telling, _ string) (version string, err error) {
		err = t.each(mark, func(text []byte, _ int) bool {
			if m := re.FindSubmatch(text); m != nil {
				version = string(m[1])
			}
			return version != ""
		})
		return version, err
	}
}

// readProgram lists the program that the file is, and what any program may have
// in it.
func readProgram(ctx context.Context, d *Detector, in input) (Facts, error) {
	f, err := readBinary(ctx, d, in)
	base := path.Base(in.Path)
	t := &telling{in: in}
	for _, p := range programs[stem(base)] {
		version, bad := p.version(t, base)
		if bad != nil {
			return f, errors.Join(err, bad)
		}
		if version != "" {
			f.Packages = append(f.Packages, p.pkg(version, in.Path))
		}
	}
	return f, err
}

// pkg is the package that a program is.
func (p program) pkg(version, path string) breakwater.Package {
	out := breakwater.Package{
		Name: p.name, Version: version, Kind: breakwater.PackageApp, Type: TypeProgram, Path: path,
		PURL: packageurl.NewPackageURL(TypeProgram, "", p.name, version, nil, "").String(),
	}
	if p.judged {
		out.Ecosystem, _ = ecosystem(typeBitnami)
		if v := compared(version); v != version {
			out.SourceName, out.SourceVersion = p.name, v
		}
	}
	return out
}

// makers are the marks that the packages of a program's makers, or of who packages
// their releases as they are, have in name or version. The distribution's
// advisories say nothing of such a package, and those of the makers do.
var makers = map[string]*regexp.Regexp{
	"nginx":      regexp.MustCompile(`^nginx (\d+:)?\d+\.\d+\.\d+-\d+(~[a-z]+|\.el\d+\.ngx|\.amzn\d+\.ngx)$`),
	"node":       regexp.MustCompile(` .*nodesource`),
	"postgresql": regexp.MustCompile(` .*(pgdg|PGDG)`),
	"mariadb":    regexp.MustCompile(` .*\+maria~|^MariaDB-`),
	"php":        regexp.MustCompile(` .*(\+0~20\d{6}|\.remi)`),
	"redis":      regexp.MustCompile(` .*-\d+rl\d+~`),
}

// FromMakers reports whether the OS package of that name and version, which
// installed the program, is its makers' own and not the distribution's.
func FromMakers(program, name, version string) bool {
	mark := makers[program]
	return mark != nil && mark.MatchString(name+" "+version)
}

// compared is the version that advisories can be compared with: they write three
// numbers, and a fourth would count as what comes before the third.
func compared(version string) string {
	if old := java8.FindStringSubmatch(version); old != nil {
		return strings.TrimSuffix(old[1]+"."+old[2]+"."+old[3], ".")
	}
	if p := strings.SplitN(version, ".", 4); len(p) == 4 {
		return strings.Join(p[:3], ".")
	}
	return version
}

// java8 is the old way to write Java's eighth release and those before: 1.8.0_392.
var java8 = regexp.MustCompile(`^1\.([5-8])\.(0)(?:_(\d+))?`)

// isProgram reports whether a file of this path may be a known program. What lies
// in Bitnami's directory has a document beside it that names it.
func isProgram(p string) bool {
	base := path.Base(p)
	s := stem(base)
	return s != "" && programs[s] != nil && !strings.HasPrefix(p, "opt/bitnami/")
}

// stem is a program's or a library's name without its version: python of
// python3.11, libpython of libpython3.6m.so.1.0; empty when what follows the name
// is no version.
func stem(base string) string {
	i := strings.IndexAny(base, ".0123456789")
	if i < 0 {
		return base
	}
	rest := base[i:]
	if strings.HasPrefix(base, "lib") {
		rest = strings.Replace(rest, ".so", "", 1)
	}
	if strings.Trim(rest, ".0123456789m-") != "" {
		return ""
	}
	return strings.TrimSuffix(base[:i], "-")
}
