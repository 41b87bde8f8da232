package detect

import (
	"context"
	"path"
	"strings"

	packageurl "github.com/package-url/packageurl-go"
)

// Bitnami's images hold software that no package manager knows. Each component
// has an SPDX document beside it, opt/bitnami/NAME/.spdx-NAME.spdx, and the image
// has one list of them. Advisories of the ecosystem Bitnami name the components.

// typeBitnami is the type of their package URLs.
const typeBitnami = "bitnami"

func isBitnami(p string) bool {
	rest, ok := strings.CutPrefix(p, "opt/bitnami/")
	if !ok {
		return false
	}
	base := path.Base(rest)
	return rest == ".bitnami_components.json" || strings.HasPrefix(base, ".spdx-") && strings.HasSuffix(base, ".spdx")
}

// readBitnami lists the components. What a document says of the libraries in a
// component is left out: programs and installed packages are read themselves.
func readBitnami(_ context.Context, _ *Detector, in input) (Facts, error) {
	if path.Base(in.Path) == ".bitnami_components.json" {
		var list map[string]struct {
			Version string `json:"version"`
		}
		if err := decode(in, &list); err != nil {
			return Facts{}, err
		}
		var f Facts
		for name, c := range list {
			f.Packages = append(f.Packages, app(typeBitnami, name, c.Version, in.Path))
		}
		return f, nil
	}
	var doc struct {
		Packages []struct {
			Licence string `json:"licenseDeclared"`
			Refs    []struct {
				Locator string `json:"referenceLocator"`
			} `json:"externalRefs"`
		} `json:"packages"`
	}
	if err := decode(in, &doc); err != nil {
		return Facts{}, err
	}
	var f Facts
	for _, p := range doc.Packages {
		for _, r := range p.Refs {
			if !strings.HasPrefix(r.Locator, "pkg:"+typeBitnami+"/") {
				continue
			}
			u, err := packageurl.FromString(r.Locator)
			if err != nil {
				continue
			}
			c := app(typeBitnami, u.Name, u.Version, in.Path)
			if p.Licence != "NOASSERTION" && p.Licence != "NONE" {
				c.Licences = licences([]string{p.Licence})
			}
			f.Packages = append(f.Packages, c)
		}
	}
	return f, nil
}
