package baseline

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"breakwater"
)

// Setup is a check of how the image says that it runs. Test is one of the names
// in setupTests.
type Setup struct {
	Test   string   `yaml:"test"`
	Values []string `yaml:"values"`
}

type setupTest struct {
	suggest string
	// wrong are the things that are not as they should be; current is what is
	// said when nothing is.
	wrong func(v *view, c *Setup) (wrong []string, current string)
}

var setupTests = map[string]setupTest{
	"user_root": {"USER with an account that is not root", func(v *view, _ *Setup) ([]string, string) {
		user, _, _ := strings.Cut(v.inv.Setup.User, ":")
		if user == "" {
			return []string{"no user is set, which means root"}, ""
		}
		if user == "root" || strings.Trim(user, "0") == "" || v.uidOf(user) == 0 {
			return []string{"the user is " + v.inv.Setup.User}, ""
		}
		return nil, "the user is " + v.inv.Setup.User
	}},
	"user_unknown": {"a user of the passwd file, or a number", func(v *view, _ *Setup) ([]string, string) {
		user, _, _ := strings.Cut(v.inv.Setup.User, ":")
		numeric := strings.Trim(user, "0123456789") == ""
		if user != "" && !numeric && len(v.files[kindPasswd]) > 0 && v.uidOf(user) < 0 {
			return []string{"the user " + user + " is not in the passwd file"}, ""
		}
		return nil, "the user is " + v.inv.Setup.User
	}},
	"no_healthcheck": {"a HEALTHCHECK", func(v *view, _ *Setup) ([]string, string) {
		switch {
		case v.inv.Setup.Health:
			return nil, "a health check is set"
		case len(v.inv.Setup.Ports) == 0: // a base or a tool, which serves nobody
			return nil, "no port is exposed"
		}
		return []string{"no health check is set"}, ""
	}},
	"ports": {"not exposed", func(v *view, c *Setup) (wrong []string, current string) {
		for _, p := range v.inv.Setup.Ports {
			number, _, _ := strings.Cut(p, "/")
			if slices.Contains(c.Values, number) {
				wrong = append(wrong, "port "+p+" is exposed")
			}
		}
		return wrong, "exposed: " + strings.Join(v.inv.Setup.Ports, ", ")
	}},
	"volumes": {"no volume over a folder of the system", func(v *view, c *Setup) (wrong []string, current string) {
		for _, p := range v.inv.Setup.Volumes {
			if slices.Contains(c.Values, path.Clean(p)) {
				wrong = append(wrong, "volume "+p)
			}
		}
		return wrong, "volumes: " + strings.Join(v.inv.Setup.Volumes, ", ")
	}},
	"env_names": {"not set", func(v *view, c *Setup) (wrong []string, current string) {
		for _, e := range v.inv.Setup.Env {
			name, value, _ := strings.Cut(e, "=")
			if value != "" && slices.Contains(c.Values, name) {
				wrong = append(wrong, "the variable "+name+" is set")
			}
		}
		return wrong, "not set"
	}},
	"env_values": {"another value, or not set", func(v *view, c *Setup) (wrong []string, current string) {
		for _, e := range v.inv.Setup.Env {
			if slices.ContainsFunc(c.Values, func(s string) bool { return strings.EqualFold(s, e) }) {
				wrong = append(wrong, e)
			}
		}
		return wrong, "not set"
	}},
	"path_unsafe": {"a PATH of absolute folders that only root writes to", func(v *view, c *Setup) (wrong []string, current string) {
		for _, e := range v.inv.Setup.Env {
			name, value, _ := strings.Cut(e, "=")
			if name != "PATH" {
				continue
			}
			current = value
			for dir := range strings.SplitSeq(value, ":") {
				if dir == "" || dir[0] != '/' && dir[0] != '$' || slices.Contains(c.Values, path.Clean(dir)) {
					wrong = append(wrong, fmt.Sprintf("PATH has %q", dir))
				}
			}
		}
		return wrong, "PATH " + current
	}},
	"runs": {"a program of the application", func(v *view, c *Setup) (wrong []string, current string) {
		line := strings.Join(append(slices.Clone(v.inv.Setup.Entrypoint), v.inv.Setup.Cmd...), " ")
		for word := range strings.FieldsFuncSeq(line, func(r rune) bool { return strings.ContainsRune(" \t;&|", r) }) {
			if slices.Contains(c.Values, path.Base(word)) {
				wrong = append(wrong, "the image starts "+path.Base(word))
			}
		}
		return wrong, "it does not"
	}},
}

// uidOf is the id of an account, -1 when the passwd file does not have it.
func (v *view) uidOf(name string) int {
	for i := range v.users {
		if v.users[i].Name == name {
			return v.users[i].UID
		}
	}
	return -1
}

func (c *Setup) compile() error {
	if _, ok := setupTests[c.Test]; !ok {
		return breakwater.Invalid("test", "is not a test of the image's configuration")
	}
	return nil
}

func (v *view) setup(c *Setup) ([]breakwater.CheckCase, bool) {
	t := setupTests[c.Test]
	wrong, current := t.wrong(v, c)
	if len(wrong) == 0 {
		return []breakwater.CheckCase{{Current: current, Suggest: t.suggest}}, true
	}
	var cases []breakwater.CheckCase
	for _, w := range wrong {
		cases = append(cases, breakwater.CheckCase{Current: w, Suggest: t.suggest, Failed: true})
	}
	return cases, true
}
