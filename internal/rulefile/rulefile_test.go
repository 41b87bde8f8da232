package rulefile_test

import (
	"strings"
	"testing"

	"breakwater"
	"breakwater/internal/rulefile"
)

type file struct {
	Names []string `yaml:"names"`
}

func TestDecode(t *testing.T) {
	for text, want := range map[string]string{
		"names: [a, b]":        "",
		"---\nnames: [a, b]\n": "",
		strings.Repeat("- a\n", 9) + strings.Repeat("x: 1\n", 9): "no YAML",
		"":                                       "",
		"# nothing\n":                            "",
		"{":                                      "no YAML",
		"nmes: [a]":                              "another form",
		"names: 1":                               "another form",
		"names: &a [b]\nmore: *a":                "aliases",
		"names: [a]\n---\nnames: [b]\n":          "one YAML document",
		"names: [a]\n--- {\n":                    "one YAML document",
		strings.Repeat("#", rulefile.MaxBytes+1): "larger than",
		"names: [" + strings.Repeat("[", 20_000): "no YAML",
		"names: " + strings.Repeat("{a: ", 20_000): "no YAML",
		"names: [a]\nnames: [b]\n":                 "another form",
		strings.Repeat("#", rulefile.MaxBytes):     "",
	} {
		var f file
		err := rulefile.Decode([]byte(text), &f)
		switch {
		case want == "" && err != nil:
			t.Errorf("%.30q: %v", text, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want) || breakwater.KindOf(err) != breakwater.KindInvalid):
			t.Errorf("%.30q: %v, want %q", text, err, want)
		case want == "" && strings.Contains(text, "names") && strings.Join(f.Names, " ") != "a b":
			t.Errorf("%.30q: %v", text, f.Names)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{"names: [a]", "names: &a [b]\nmore: *a", "--- {}\n--- {}", "names: !!binary x"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var v file
		if err := rulefile.Decode(b, &v); err != nil && breakwater.KindOf(err) != breakwater.KindInvalid {
			t.Errorf("%v", err)
		}
	})
}
