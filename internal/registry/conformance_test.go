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
// registry on a real listener. OCI_RESULTS_DIR keeps the report.
func TestConformance(t *testing.T) {
	w := registrytest.Start(t, storetest.SQLite(t), nil)
	results := os.Getenv("OCI_RESULTS_DIR")
	if results == "" {
		results = t.TempDir()
	}
	cmd := exec.Command("go", "tool", "conformance")
	cmd.Env = append(os.Environ(),
		"OCI_REGISTRY="+w.Host, "OCI_TLS=disabled", "OCI_RESULTS_DIR="+results,
		"OCI_REPO1=conformance/repo1", "OCI_REPO2=conformance/repo2",
		"OCI_USERNAME=alpha@admin", "OCI_PASSWORD="+registrytest.Password,
	)
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatal(err)
	}
}
