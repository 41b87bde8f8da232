package store

import (
	"testing"

	"breakwater"
)

// A platform of a multi-arch image shows its own counters, not the image's.
func TestDressKeepsTheCountersOfPlatforms(t *testing.T) {
	parent := breakwater.Image{Namespace: "team", Name: "app", Version: "1", VulNum: 9, UnsafeSettingNum: 9, MaliciousFileNum: 9}
	child := breakwater.Image{VulNum: 1, UnsafeSettingNum: 2, MaliciousFileNum: 3}
	got := dress(parent, []ImageChild{{Image: child}})[0]
	if got.VulNum != 1 || got.UnsafeSettingNum != 2 || got.MaliciousFileNum != 3 || !got.Risky || got.Name != "app" {
		t.Errorf("%+v", got.Image)
	}
}
