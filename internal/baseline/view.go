package baseline

import (
	"slices"
	"strings"

	"breakwater"
)

// view is an inventory, indexed for the rules.
type view struct {
	inv    *breakwater.Inventory
	files  map[string][]*breakwater.ConfigFile // by kind, sorted by path
	joined map[string][]instance               // by kind
	users  []user                              // passwd joined with shadow, in passwd's order
	groups []breakwater.Account
}

// user is an account of the system with the files that say so.
type user struct {
	breakwater.Account                        // of passwd, with shadow's password and ageing
	passwd             *breakwater.ConfigFile // where the account is
	shadow             *breakwater.ConfigFile // where its password is; nil: nowhere
	secretLine         int                    // the line of its password
}

func newView(inv breakwater.Inventory) *view {
	v := &view{inv: &inv, files: map[string][]*breakwater.ConfigFile{}, joined: map[string][]instance{}}
	for i := range inv.Configs {
		f := &inv.Configs[i]
		v.files[f.Kind] = append(v.files[f.Kind], f)
	}
	for _, files := range v.files {
		slices.SortFunc(files, func(a, b *breakwater.ConfigFile) int { return strings.Compare(a.Path, b.Path) })
	}
	v.joinAccounts()
	return v
}

func (v *view) joinAccounts() {
	shadow, file := map[string]breakwater.Account{}, (*breakwater.ConfigFile)(nil)
	for _, f := range v.files[kindShadow] {
		file = f
		for _, a := range f.Accounts {
			if _, ok := shadow[a.Name]; !ok { // the first line of a name is the one that counts
				shadow[a.Name] = a
			}
		}
	}
	for _, f := range v.files[kindPasswd] {
		for _, a := range f.Accounts {
			u := user{Account: a, passwd: f, secretLine: a.Line}
			if s, ok := shadow[a.Name]; ok && (a.Password == passwordNone || a.Password == "") {
				u.Password, u.Scheme, u.MinDays, u.MaxDays, u.shadow, u.secretLine = s.Password, s.Scheme, s.MinDays, s.MaxDays, file, s.Line
			}
			v.users = append(v.users, u)
		}
	}
	for _, f := range v.files[kindGroup] {
		v.groups = append(v.groups, f.Accounts...)
	}
}

// has reports whether the image has a file of one of the kinds; true for no kinds.
func (v *view) has(kinds []string) bool {
	for _, k := range kinds {
		if len(v.files[k]) > 0 {
			return true
		}
	}
	return len(kinds) == 0
}

func (v *view) instancesOf(kind string) []instance {
	in, ok := v.joined[kind]
	if !ok {
		in = instances(kind, v.files[kind])
		v.joined[kind] = in
	}
	return in
}

// groupName is the name of a group id, or "".
func (v *view) groupName(gid int) string {
	if gid == 0 {
		return "root"
	}
	for _, g := range v.groups {
		if g.GID == gid {
			return g.Name
		}
	}
	return ""
}

// caseOf is a comparison about a file.
func caseOf(f *breakwater.ConfigFile, line int, failed bool, current, suggest string) breakwater.CheckCase {
	return breakwater.CheckCase{Current: current, Suggest: suggest, Path: f.Path, Line: line, Layer: f.Layer, Failed: failed}
}
