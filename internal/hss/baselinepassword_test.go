package hss_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"breakwater"
	"breakwater/internal/store"
)

// guessed puts n weak passwords, user0 and so on, into what a digest's scan found.
func (w *world) guessed(word string, n int) {
	w.t.Helper()
	ctx := context.Background()
	w.must(w.db.Tx(ctx, func(tx *store.DB) error {
		id, _, err := tx.PutInventory(ctx, breakwater.Inventory{Digest: digest(word), Scanner: "test"})
		if err != nil {
			return err
		}
		var found []breakwater.Finding
		for i := range n {
			found = append(found, breakwater.Finding{Check: breakwater.CheckBaseline, Rule: "BW-PWD-001", Severity: breakwater.SeverityHigh,
				Path: "etc/shadow", Line: i + 1, Subject: fmt.Sprintf("user%d", i), Current: "p***d", Service: "system"})
		}
		return tx.PutFindings(ctx, id, breakwater.Checks(), found, "test")
	}))
}

// TestWeakPasswordsOfManyImages selects by every parameter, over more accounts
// than are read at once, and pages through the rest.
func TestWeakPasswordsOfManyImages(t *testing.T) {
	w := newWorld(t)
	own, harbor := w.own("prj1"), w.registry("prj1", "harbor", breakwater.RegistryHarbor)
	w.image(own, "team/app:v1", artifact("one"))
	w.image(own, "team/app:v2", artifact("two"))
	w.image(harbor, "other/app:v1", artifact("three"))
	w.scanned("prj1", "one")
	w.scanned("prj1", "two")
	w.scanned("prj1", "three")
	w.guessed("one", 1200)
	w.guessed("two", 3)
	w.guessed("three", 2)
	for _, tc := range []struct {
		query       string
		total, rows int
		first       string
	}{
		{"image_type=registry", 1205, 10, "v1 user0"},
		{"image_type=private_image", 1203, 10, "v1 user0"},
		{"image_type=private_image&offset=1195", 1203, 8, "v1 user1195"},
		{"image_type=private_image&offset=1200&limit=10", 1203, 3, "v2 user0"},
		{"image_type=private_image&offset=1203", 1203, 0, ""},
		{"image_type=private_image&namespace=team&image_name=app", 1203, 10, "v1 user0"},
		{"image_type=registry&tag_name=v2", 3, 3, "v2 user0"},
		{"image_type=registry&namespace=other", 2, 2, "v1 user0"},
		{"image_type=registry&namespace=none", 0, 0, ""},
		{"image_type=shared_image", 0, 0, ""},
		{"image_type=registry&user_name=user1", 3, 3, "v1 user1"},
		{"image_type=private_image&namespace=team&image_name=app&tag_name=v2", 3, 3, "v2 user0"},
	} {
		var out struct {
			Total int `json:"total_num"`
			List  []struct {
				Version string `json:"image_version"`
				User    string `json:"user_name"`
			} `json:"data_list"`
		}
		body := w.ok("vic", http.MethodGet, "/image/baseline/weak-password-users?"+tc.query, "")
		if err := json.Unmarshal([]byte(body), &out); err != nil {
			t.Fatal(err)
		}
		first := ""
		if len(out.List) > 0 {
			first = out.List[0].Version + " " + out.List[0].User
		}
		if out.Total != tc.total || len(out.List) != tc.rows || first != tc.first {
			t.Errorf("%s: total %d, %d rows from %q; want %d, %d from %q", tc.query, out.Total, len(out.List), first, tc.total, tc.rows, tc.first)
		}
	}
}
