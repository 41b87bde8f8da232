package api_test

import (
	"context"
	"testing"

	"breakwater/api"

	"github.com/getkin/kin-openapi/openapi3"
)

// TestDocumentsAreValid holds every document against the OpenAPI 3 rules and
// counts its operations, so that none is lost.
func TestDocumentsAreValid(t *testing.T) {
	for name, want := range map[string]struct {
		doc        []byte
		operations int
	}{
		"hss.yaml": {api.HSS, 117},
		"swr.yaml": {api.SWR, 170},
		"iam.yaml": {api.IAM, 4},
	} {
		doc, err := openapi3.NewLoader().LoadFromData(want.doc)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := doc.Validate(context.Background()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		n := 0
		for _, item := range doc.Paths.Map() {
			n += len(item.Operations())
		}
		if n != want.operations {
			t.Errorf("%s has %d operations, want %d", name, n, want.operations)
		}
	}
}
