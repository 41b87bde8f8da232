package baseline

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"breakwater"
)

// Accounts is a check of the accounts and groups of the system. Test is one of
// the names in accountTests.
type Accounts struct {
	Test  string   `yaml:"test"`
	Names []string `yaml:"names"` // groups or accounts that the test speaks of, or that it passes over
	Days  int      `yaml:"days"`
}

// accountTest is false for an account, or a group, that is not as it should be,
// with the words for what it is.
type accountTest struct {
	needs   string // the kind of file without which there is nothing to say
	suggest string
	user    func(v *view, c *Accounts, u *user) (string, bool)
	group   func(v *view, c *Accounts, g *breakwater.Account) (string, bool)
}

var loginShell = regexp.MustCompile(`/(ba|da|a|k|mk|z|c|tc|fi|pwsh)?sh$`)

func canLogin(u *user) bool {
	return loginShell.MatchString(u.Shell) || u.Shell == "" // an empty shell is /bin/sh
}

var accountTests = map[string]accountTest{
	"uid0": {kindPasswd, "only root has the id 0", func(_ *view, _ *Accounts, u *user) (string, bool) {
		return u.Name + " has the id 0", u.UID != 0 || u.Name == "root"
	}, nil},
	"empty_password": {kindPasswd, "a password, or a locked account", func(_ *view, _ *Accounts, u *user) (string, bool) {
		return u.Name + " has no password", u.Password != passwordEmpty
	}, nil},
	"password_in_passwd": {kindPasswd, "x, with the hash in the shadow file", func(_ *view, _ *Accounts, u *user) (string, bool) {
		return u.Name + " has its hash in a file that everybody can read", u.shadow != nil || u.Password != passwordHash
	}, nil},
	"legacy_plus": {kindPasswd, "no line that begins with a plus", func(_ *view, _ *Accounts, u *user) (string, bool) {
		return "a line begins with a plus", !strings.HasPrefix(u.Name, "+")
	}, func(_ *view, _ *Accounts, g *breakwater.Account) (string, bool) {
		return "a line begins with a plus", !strings.HasPrefix(g.Name, "+")
	}},
	"duplicate_name": {kindPasswd, "each name once", func(v *view, _ *Accounts, u *user) (string, bool) {
		return "the name " + u.Name + " is there twice", !v.earlier(u, func(o *user) bool { return o.Name == u.Name })
	}, nil},
	"duplicate_uid": {kindPasswd, "each id once", func(v *view, _ *Accounts, u *user) (string, bool) {
		return fmt.Sprintf("%s has the id %d of another account", u.Name, u.UID), u.UID < 0 || !v.earlier(u, func(o *user) bool { return o.UID == u.UID })
	}, nil},
	"duplicate_group": {kindGroup, "each name and id once", nil, func(v *view, _ *Accounts, g *breakwater.Account) (string, bool) {
		for i := range v.groups {
			o := &v.groups[i]
			if o == g {
				break
			}
			if o.Name == g.Name || o.GID == g.GID && g.GID >= 0 {
				return fmt.Sprintf("%s (%d) has the name or id of another group", g.Name, g.GID), false
			}
		}
		return "", true
	}},
	"system_login_shell": {kindPasswd, "/usr/sbin/nologin", func(_ *view, c *Accounts, u *user) (string, bool) {
		system := u.UID > 0 && u.UID < 1000
		return u.Name + " has the shell " + u.Shell, !system || slices.Contains(c.Names, u.Name) || !canLogin(u)
	}, nil},
	"system_password": {kindPasswd, "a locked password", func(_ *view, _ *Accounts, u *user) (string, bool) {
		return u.Name + " has a password", u.UID <= 0 || u.UID >= 1000 || u.Password != passwordHash
	}, nil},
	"home_unset": {kindPasswd, "a home directory of its own", func(_ *view, _ *Accounts, u *user) (string, bool) {
		return u.Name + " has the home " + u.Home, u.UID < 1000 || u.UID >= 65534 || !canLogin(u) || u.Home != "" && u.Home != "/"
	}, nil},
	"unknown_group": {kindGroup, "a group of the group file", func(v *view, _ *Accounts, u *user) (string, bool) {
		return fmt.Sprintf("%s is in the group %d, which does not exist", u.Name, u.GID),
			u.GID < 0 || slices.ContainsFunc(v.groups, func(g breakwater.Account) bool { return g.GID == u.GID })
	}, nil},
	"root_group": {kindPasswd, "0 for root, and for nobody else", func(_ *view, c *Accounts, u *user) (string, bool) {
		return fmt.Sprintf("%s has the group %d", u.Name, u.GID), u.GID < 0 || (u.Name == "root") == (u.GID == 0) || slices.Contains(c.Names, u.Name)
	}, nil},
	"weak_scheme": {kindPasswd, "yescrypt, bcrypt, argon2 or sha512crypt", func(_ *view, _ *Accounts, u *user) (string, bool) {
		return u.Name + " has a hash of " + u.Scheme, u.Password != passwordHash ||
			!slices.Contains([]string{"md5crypt", "descrypt", "apr1", "sha1crypt", "nt", "unknown", "md5", "sha1", "sha256", "sha512"}, u.Scheme)
	}, nil},
	"root_password": {kindPasswd, "a locked password", func(_ *view, _ *Accounts, u *user) (string, bool) {
		return u.Name + " has a password", u.Name != "root" || u.Password != passwordHash
	}, nil},
	"max_days": {kindShadow, "at most the days that the rule names", func(_ *view, c *Accounts, u *user) (string, bool) {
		return fmt.Sprintf("the password of %s is good for %d days", u.Name, u.MaxDays), u.Password != passwordHash || u.MaxDays >= 1 && u.MaxDays <= c.Days
	}, nil},
	"not_in_shadow": {kindShadow, "a line in the shadow file", func(_ *view, _ *Accounts, u *user) (string, bool) {
		return u.Name + " is not in the shadow file", u.Password != passwordNone
	}, nil},
	"group_members": {kindGroup, "no members", nil, func(_ *view, c *Accounts, g *breakwater.Account) (string, bool) {
		return g.Name + " has the members " + strings.Join(g.Members[:min(len(g.Members), 20)], ", "), !slices.Contains(c.Names, g.Name) || len(g.Members) == 0
	}},
}

func (v *view) earlier(u *user, same func(*user) bool) bool {
	for i := range v.users {
		o := &v.users[i]
		if o == u {
			return false
		}
		if same(o) {
			return true
		}
	}
	return false
}

func (c *Accounts) compile() error {
	if _, ok := accountTests[c.Test]; !ok {
		return breakwater.Invalid("test", "is not a test of accounts")
	}
	return nil
}

// maxQuadratic bounds the accounts that are compared with each other.
const maxQuadratic = 5_000

func (v *view) accountCheck(c *Accounts) ([]breakwater.CheckCase, bool) {
	t := accountTests[c.Test]
	if len(v.files[t.needs]) == 0 {
		return nil, false
	}
	main := v.files[t.needs][0]
	var cases []breakwater.CheckCase
	if t.user != nil {
		for i := range v.users[:min(len(v.users), maxQuadratic)] {
			u := &v.users[i]
			if current, ok := t.user(v, c, u); !ok {
				file, line := u.passwd, u.Line
				if u.shadow != nil && (c.Test == "empty_password" || c.Test == "weak_scheme" || c.Test == "max_days" || strings.HasSuffix(c.Test, "_password")) {
					file, line = u.shadow, u.secretLine
				}
				cases = append(cases, caseOf(file, line, true, current, t.suggest))
			}
		}
	}
	if t.group != nil && len(v.files[kindGroup]) > 0 {
		for i := range v.groups[:min(len(v.groups), maxQuadratic)] {
			if current, ok := t.group(v, c, &v.groups[i]); !ok {
				cases = append(cases, caseOf(v.files[kindGroup][0], v.groups[i].Line, true, current, t.suggest))
			}
		}
	}
	if len(cases) == 0 {
		cases = append(cases, caseOf(main, 0, false, "no account is different", t.suggest))
	}
	return cases, true
}
