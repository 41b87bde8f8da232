package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestCommittedDocuments holds the committed documents against the facts where
// BREAKWATER_SHARED says where those are; they are no part of the repository.
func TestCommittedDocuments(t *testing.T) {
	shared := os.Getenv("BREAKWATER_SHARED")
	if shared == "" {
		t.Log("BREAKWATER_SHARED is not set: nothing to compare with")
		return
	}
	out := t.TempDir()
	if err := run(filepath.Join(shared, "contract"), out); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"hss.yaml", "swr.yaml"} {
		want, err := os.ReadFile(filepath.Join(out, name))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(want, got) {
			t.Errorf("api/%s is not what the generator writes", name)
		}
	}
}

func TestTightenInput(t *testing.T) {
	for _, tc := range []struct {
		name     string
		in, want field
	}{
		{"a required string is not empty", field{Type: "string", Required: true}, field{Type: "string", Required: true, MinLength: new(int64(1))}},
		{"an optional one may be", field{Type: "string"}, field{Type: "string"}},
		{"words say enough", field{Type: "string", Required: true, Enum: []any{"a"}}, field{Type: "string", Required: true, Enum: []any{"a"}}},
		{"joined words", field{Type: "string", Separator: ",", Enum: []any{"a", "b"}}, field{Type: "string", Separator: ",", Pattern: "^(?:a|b)(?:,(?:a|b))*$"}},
		{"a filter has its own grammar", field{Type: "string", FilterKeys: []string{"k"}, Enum: []any{"k"}}, field{Type: "string", FilterKeys: []string{"k"}}},
		{"numbers stay", field{Type: "integer", Required: true}, field{Type: "integer", Required: true}},
	} {
		tightenInput(&tc.in)
		if diff := cmp.Diff(tc.want, tc.in, cmp.AllowUnexported(field{})); diff != "" {
			t.Errorf("%s:\n%s", tc.name, diff)
		}
	}
}

func TestDescribe(t *testing.T) {
	f := field{Meaning: "how bad", Unit: "ms", Values: []byte(`{"2":"two","1":"one"}`), Separator: ","}
	if got, want := describe(&f), `how bad; in ms; several words may be joined by ","; 1: one; 2: two`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
