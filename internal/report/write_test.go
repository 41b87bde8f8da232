package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"breakwater"
)

func TestUnknownFormat(t *testing.T) {
	var b bytes.Buffer
	err := Write(&b, "xml", debian(), Options{})
	if breakwater.KindOf(err) != breakwater.KindInvalid || b.Len() > 0 {
		t.Errorf("got %v and %d bytes, want an error of kind invalid and none", err, b.Len())
	}
}

// TestSameReportSameBytes shuffles every list of a report.
func TestSameReportSameBytes(t *testing.T) {
	for name, r := range fixtures() {
		for _, format := range Formats() {
			want := write(t, format, r, Options{})
			if len(want) == 0 {
				t.Errorf("%s %s: nothing written", name, format)
			}
			for seed := range uint64(3) {
				if diff := cmp.Diff(string(want), string(write(t, format, shuffled(r, seed), Options{}))); diff != "" {
					t.Fatalf("%s %s: another order of the lists gives other bytes:\n%s", name, format, diff)
				}
			}
		}
	}
}

// TestReportIsNotChanged holds the report after all formats against a fresh one.
func TestReportIsNotChanged(t *testing.T) {
	for name, r := range fixtures() {
		for _, format := range Formats() {
			write(t, format, r, Options{})
		}
		if diff := cmp.Diff(fixtures()[name], r); diff != "" {
			t.Errorf("%s: writing changed the report:\n%s", name, diff)
		}
	}
}

// TestGapsAreInEveryFormat looks for what was not looked at.
func TestGapsAreInEveryFormat(t *testing.T) {
	for _, format := range Formats() {
		out := write(t, format, debian(), Options{Width: 200})
		for _, want := range []string{"opt/b.zip", "encrypted", string(breakwater.CodeCompliance), "the rules could not be read"} {
			if !bytes.Contains(out, []byte(want)) {
				t.Errorf("%s does not say %q", format, want)
			}
		}
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestWriterError(t *testing.T) {
	for _, format := range Formats() {
		if err := Write(brokenWriter{}, format, debian(), Options{}); err == nil {
			t.Errorf("%s: the writer's error was lost", format)
		}
	}
}

// TestWriteFiles leaves all formats of all fixtures in a directory, for the
// judges that test/report.sh calls.
func TestWriteFiles(t *testing.T) {
	dir := os.Getenv("BREAKWATER_REPORTS")
	if dir == "" {
		t.Skip("BREAKWATER_REPORTS is not set; test/report.sh sets it")
	}
	for name, r := range fixtures() {
		for _, format := range Formats() {
			if err := os.WriteFile(filepath.Join(dir, name+"."+format), write(t, format, r, Options{}), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// validator compiles one of the given schemas, each under its own id.
func validator(t *testing.T, id string, schemas map[string][]byte) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	for url, text := range schemas {
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatalf("%s: %v", url, err)
		}
		if err := c.AddResource(url, doc); err != nil {
			t.Fatalf("%s: %v", url, err)
		}
	}
	s, err := c.Compile(id)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// validate holds bytes against a schema.
func validate(t *testing.T, s *jsonschema.Schema, name string, b []byte) {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if err := s.Validate(doc); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

func decode[T any](t *testing.T, b []byte) (out T) {
	t.Helper()
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	return out
}
