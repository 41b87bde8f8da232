package history

import (
	"fmt"
	"testing"

	"breakwater"

	"github.com/google/go-cmp/cmp"
)

// TestOfficialImagesAreNotDrownedInAlarms lists every finding of images that
// are built with care, and there must be no other.
func TestOfficialImagesAreNotDrownedInAlarms(t *testing.T) {
	r := mustRules(t, "")
	for name, c := range map[string]struct {
		history []breakwater.History
		setup   breakwater.Setup
		want    []string
	}{
		"debian":          {debianSteps, breakwater.Setup{}, []string{"0 BW-BUILD-060 medium"}},
		"debian classic":  {debianClassic, breakwater.Setup{}, []string{"0 BW-BUILD-060 medium"}},
		"nginx":           {nginxSteps, breakwater.Setup{Ports: []string{"80/tcp"}}, []string{"0 BW-BUILD-060 medium", "0 BW-BUILD-074 low", "8 BW-BUILD-040 low"}},
		"python":          {pythonSteps, breakwater.Setup{}, []string{"0 BW-BUILD-060 medium", "5 BW-BUILD-040 low"}},
		"nginx on alpine": {nginxAlpineSteps, breakwater.Setup{Ports: []string{"80/tcp"}}, []string{"0 BW-BUILD-060 medium", "0 BW-BUILD-074 low", "6 BW-BUILD-040 low"}},
		"redis":           {redisSteps, breakwater.Setup{Ports: []string{"6379/tcp"}}, []string{"0 BW-BUILD-060 medium", "0 BW-BUILD-074 low"}},
		"node":            {nodeSteps, breakwater.Setup{}, []string{"0 BW-BUILD-060 medium"}},
		"postgres": {postgresSteps, breakwater.Setup{Ports: []string{"5432/tcp"}}, []string{
			"0 BW-BUILD-060 medium", "0 BW-BUILD-074 low", "3 BW-BUILD-040 low", "6 BW-BUILD-040 low", "11 BW-BUILD-040 low",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			inv := breakwater.Inventory{History: c.history, Setup: c.setup}
			var got []string
			for _, f := range Check(inv, r) {
				got = append(got, fmt.Sprintf("%d %s %s", f.Line, f.Rule, f.Severity))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
				for _, f := range Check(inv, r) {
					t.Logf("%s | %s | %s", f.Title, f.Current, f.Suggest)
				}
			}
			for _, s := range Skipped(inv) {
				t.Errorf("%s: %s", s.Path, s.Reason)
			}
		})
	}
}

func mustRules(t testing.TB, own string) *Rules {
	t.Helper()
	r, err := LoadRules([]byte(own))
	if err != nil {
		t.Fatal(err)
	}
	return r
}
