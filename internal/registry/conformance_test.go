//go:build conformance

package registry_test

import (
	"os"
	"os/exec"
	"testing"

	"breakwater/internal/registry/registrytest"
	"breakwater/internal/storetest"
)

// TestConformance runs the OCI distribution conformance suite against a
// registry on a real listener: go test -tags conformance. OCI_RESULTS_DIR keeps
// the report.
func TestConformance(t *testing.T) {
	w := registrytest.Start(t, storetest.SQLite(t), nil)
	cmd := exec.Command("../../test/oci/run.sh", w.Host, "alpha@admin", registrytest.Password, os.Getenv("OCI_RESULTS_DIR"))
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatal(err)
	}
}
