package breakwater_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// mayImport is the import table of ARCHITECTURE.md: a room imports lower
// floors, and only those on its line. The root package (the vocabulary) is open
// to every room but layer and pattern.
var mayImport = map[string][]string{
	"layer":      {},
	"pattern":    {},
	"netguard":   {},
	"keyring":    {},
	"rulefile":   {},
	"blob":       {},
	"osv":        {},
	"auth":       {},
	"detect":     {},
	"password":   {},
	"history":    {"rulefile"},
	"report":     {},
	"store":      {},
	"secret":     {"pattern"},
	"malware":    {"pattern", "rulefile"},
	"baseline":   {"password", "rulefile"},
	"oci":        {"netguard"},
	"match":      {},
	"compliance": {"match", "rulefile"},
	"audit":      {"baseline", "history", "compliance"},
	"job":        {"store"},
	"scan":       {"oci", "layer", "detect", "secret", "malware", "password", "baseline", "history"},
	"child":      {"oci", "scan"},
	"upstream":   {"oci", "netguard"},
	"catalog":    {"oci", "store", "job", "upstream"},
	"registry":   {"oci", "blob", "auth", "store", "catalog"},
	"worker":     {"oci", "osv", "scan", "match", "audit", "store", "job", "catalog", "keyring", "upstream"},
	"door":       {"auth"},
	"iam":        {"door", "auth", "store", "job", "catalog", "keyring"},
	"swr":        {"door", "auth", "store", "job", "catalog", "keyring"},
	"hss":        {"door", "auth", "store", "job", "catalog", "keyring", "audit", "report", "match"},
}

// TestImportTable fails with every edge between rooms that is not in the table.
func TestImportTable(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}}:{{join .Imports " "}}`, "./...").CombinedOutput()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, out)
	}
	rooms := 0
	for line := range strings.Lines(string(out)) {
		pkg, imports, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok || !strings.HasPrefix(pkg, "breakwater") {
			continue
		}
		if pkg == "breakwater" {
			checkVocabulary(t, strings.Fields(imports))
			continue
		}
		if strings.HasSuffix(pkg, "test") {
			continue // helps tests only; checkEdge sees that nothing else imports it
		}
		room := roomOf(pkg)
		allowed, known := mayImport[room]
		if !known {
			if strings.HasPrefix(pkg, "breakwater/internal/") {
				t.Errorf("%s is not in the import table", pkg)
			}
			continue
		}
		rooms++
		for imported := range strings.FieldsSeq(imports) {
			checkEdge(t, pkg, room, imported, allowed)
		}
	}
	if rooms == 0 {
		t.Fatal("go list named no room")
	}
}

func checkVocabulary(t *testing.T, imports []string) {
	t.Helper()
	for _, i := range imports {
		if first, _, _ := strings.Cut(i, "/"); strings.Contains(first, ".") || strings.HasPrefix(i, "breakwater") {
			t.Errorf("the vocabulary imports %s; it imports the standard library only", i)
		}
	}
}

func checkEdge(t *testing.T, pkg, room, imported string, allowed []string) {
	t.Helper()
	if imported == "breakwater" && (room == "layer" || room == "pattern") {
		t.Errorf("%s imports the vocabulary; %s imports nothing of ours", pkg, room)
	}
	if strings.HasPrefix(imported, "breakwater/cmd") || strings.HasSuffix(imported, "test") && strings.HasPrefix(imported, "breakwater/internal/") {
		t.Errorf("%s imports %s", pkg, imported)
		return
	}
	if !strings.HasPrefix(imported, "breakwater/internal/") {
		return
	}
	if other := roomOf(imported); other != room && !slices.Contains(allowed, other) {
		t.Errorf("%s imports %s: %q may import %v", pkg, imported, room, allowed)
	}
}

func roomOf(pkg string) string {
	room, _, _ := strings.Cut(strings.TrimPrefix(pkg, "breakwater/internal/"), "/")
	return room
}
