package breakwater

import "testing"

// TestChains: the chain of the example in the OCI specification's own terms.
func TestChains(t *testing.T) {
	a, b := LayerRef{Digest: "sha256:packed", DiffID: "sha256:a"}, LayerRef{Digest: "sha256:b"}
	got := Chains([]LayerRef{a, b})
	if len(got) != 2 || got[0] != "sha256:a" || got[1] == Chains([]LayerRef{b, a})[1] {
		t.Errorf("%v", got)
	}
	// printf 'sha256:a sha256:b' | sha256sum
	if want := string(DigestOf([]byte("sha256:a sha256:b"))); got[1] != want {
		t.Errorf("%s, want %s", got[1], want)
	}
	if Chains(nil) == nil || len(Chains(nil)) != 0 {
		t.Error("no layers have no chains")
	}
}
