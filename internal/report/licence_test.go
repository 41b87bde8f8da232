package report

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

func TestReadLicence(t *testing.T) {
	for words, want := range map[string]string{
		// ids, in any letter case
		"MIT": "MIT", "mit": "MIT", "apache-2.0": "Apache-2.0", "0BSD": "0BSD", "Zlib": "Zlib",
		// withdrawn ids of the GNU licences
		"GPL-2.0": "GPL-2.0-only", "GPL-2.0+": "GPL-2.0-or-later", "LGPL-2.1+": "LGPL-2.1-or-later", "AGPL-3.0": "AGPL-3.0-only",
		"GPL-2.0-only": "GPL-2.0-only", "MPL-1.1+": "MPL-1.1+",
		// expressions
		"MIT OR Apache-2.0":                               "MIT OR Apache-2.0",
		"(MIT or apache-2.0) and BSD-3-clause":            "(MIT OR Apache-2.0) AND BSD-3-Clause",
		"GPL-2.0-only WITH classpath-exception-2.0":       "GPL-2.0-only WITH Classpath-exception-2.0",
		"GPL-2.0-or-later AND LGPL-2.1-or-later":          "GPL-2.0-or-later AND LGPL-2.1-or-later",
		"MIT AND (BSD-2-Clause OR (ISC AND Zlib))":        "MIT AND (BSD-2-Clause OR (ISC AND Zlib))",
		"LicenseRef-Fedora-Public-Domain AND GPLv2+":      "LicenseRef-Fedora-Public-Domain AND GPL-2.0-or-later",
		"ASL 2.0 and GPLv3+":                              "Apache-2.0 AND GPL-3.0-or-later",
		"GPLv2+ with Classpath-exception-2.0":             "GPL-2.0-or-later WITH Classpath-exception-2.0",
		"Apache License, Version 2.0":                     "Apache-2.0",
		"The Apache Software License, Version 2.0":        "Apache-2.0",
		"GNU General Public License v2 or later (GPLv2+)": "GPL-2.0-or-later",
		"  MIT \n License ":                               "MIT",
		// Debian
		"Expat": "MIT", "GPL-2+": "GPL-2.0-or-later", "GPL-3": "GPL-3.0-only", "BSD-3-clause": "BSD-3-Clause",
		// words that leave something open stay words
		"": "", "BSD": "", "GPL": "", "LGPL": "", "Apache": "", "Artistic": "", "public-domain": "", "Public Domain": "", "LGPLv2+": "",
		"Apache Software License": "", "BSD License": "", "Python Software Foundation License": "", "UNLICENSED": "", "SEE LICENSE IN LICENSE": "",
		"MIT and": "", "(MIT": "", "MIT)": "", "MIT BSD-2-Clause": "", "MIT OR Proprietary": "", "WITH": "", "MIT WITH nothing": "", "()": "",
		"GPL-2.0-only+": "", "GPL-2+ with OpenSSL exception": "", "(MIT OR ISC) WITH GCC-exception-3.1": "", "LicenseRef-": "", "LicenseRef-a b": "",
	} {
		if got := readLicence(words).Expression; got != want {
			t.Errorf("%q: %q, want %q", words, got, want)
		}
	}
}

// TestLicenceNamesAreInTheList holds the names in use against the SPDX list.
func TestLicenceNamesAreInTheList(t *testing.T) {
	list := readLicences()
	if len(list.id) < 700 || len(list.exception) < 60 {
		t.Fatalf("%d ids, %d exceptions", len(list.id), len(list.exception))
	}
	for name, expression := range licenceNames {
		if name != strings.ToLower(name) {
			t.Errorf("%q is not in lower case", name)
		}
		p := &licenceParser{list: list, tokens: licenceTokens(expression)}
		if got, ok := p.expression(0); !ok || p.at != len(p.tokens) || got != expression {
			t.Errorf("%q: %q is no SPDX expression", name, expression)
		}
	}
}

func TestNestingIsBounded(t *testing.T) {
	deep := strings.Repeat("(", 1000) + "MIT" + strings.Repeat(")", 1000)
	if got := readLicence(deep).Expression; got != "" {
		t.Errorf("%.40q", got)
	}
	if got := readLicence("(((MIT)))").Expression; got != "(((MIT)))" {
		t.Errorf("%q", got)
	}
}

func TestJoinLicences(t *testing.T) {
	for _, test := range []struct {
		words []string
		want  string
	}{
		{nil, ""},
		{[]string{"MIT", "mit", "Expat"}, "MIT"},
		{[]string{"MIT OR ISC", "Zlib"}, "(MIT OR ISC) AND Zlib"},
		{[]string{"MIT", "BSD"}, ""},
	} {
		if got := joinLicences(test.words); got != test.want {
			t.Errorf("%q: %q, want %q", test.words, got, test.want)
		}
	}
}

func TestCycloneDXLicences(t *testing.T) {
	id := func(s string) cdx.LicenseChoice { return cdx.LicenseChoice{License: &cdx.License{ID: s}} }
	name := func(s string) cdx.LicenseChoice { return cdx.LicenseChoice{License: &cdx.License{Name: s}} }
	for _, test := range []struct {
		words []string
		want  *cdx.Licenses
	}{
		{nil, nil},
		{[]string{""}, nil},
		{[]string{"MIT", "GPL-2+"}, &cdx.Licenses{id("MIT"), id("GPL-2.0-or-later")}},
		{[]string{"MIT", "public-domain"}, &cdx.Licenses{id("MIT"), name("public-domain")}},
		{[]string{"MIT OR ISC", "Zlib"}, &cdx.Licenses{{Expression: "(MIT OR ISC) AND Zlib"}}},
		{[]string{"MIT OR ISC", "BSD"}, &cdx.Licenses{name("MIT OR ISC"), name("BSD")}},
	} {
		if diff := cmp.Diff(test.want, cdxLicences(test.words)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", test.words, diff)
		}
	}
}

func FuzzReadLicence(f *testing.F) {
	f.Add("(MIT OR Apache-2.0) AND GPL-2.0+ WITH Classpath-exception-2.0")
	f.Add(evil)
	f.Fuzz(func(t *testing.T, words string) {
		l := readLicence(words)
		if l.Expression == "" {
			return
		}
		if again := readLicence(l.Expression); again.Expression != l.Expression {
			t.Fatalf("%q is %q, and that is %q", words, l.Expression, again.Expression)
		}
	})
}
