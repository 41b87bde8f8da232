package storebench_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"breakwater/internal/store"
	"breakwater/internal/store/storebench"
)

// A small run shows that every kind of request is asked and answered, and that a
// filled database is used again.
func TestRun(t *testing.T) {
	o := storebench.Options{Store: store.Options{Path: t.TempDir() + "/bench.db"}, Rows: 3000, Projects: 3, Clients: 4, Requests: 200, Writes: 100}
	for range 2 {
		var out bytes.Buffer
		if err := storebench.Run(context.Background(), o, &out); err != nil {
			t.Fatal(err)
		}
		for _, k := range storebench.Kinds() {
			if !strings.Contains(out.String(), k.Name) {
				t.Errorf("the table lacks %q", k.Name)
			}
		}
	}
}
