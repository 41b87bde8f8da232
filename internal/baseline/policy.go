package baseline

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"breakwater"
)

// leastLength is how many characters a new password must have at least for a
// policy to count as one.
const leastLength = 8

// passwordServices are the files of pam.d that govern new passwords.
var passwordServices = []string{"common-password", "system-auth", "password-auth", "system-password", "passwd", "base-password"}

var (
	qualityModule = regexp.MustCompile(`^pam_(pwquality|cracklib)(\.so)?$`)
	unixModule    = regexp.MustCompile(`^pam_unix2?(\.so)?$`)
)

// Policy is what the image demands of a new password. PAM decides where the
// image has it: pam_pwquality or pam_cracklib with their arguments and
// pwquality.conf, or pam_unix with its own least length. PASS_MIN_LEN of
// login.defs counts only where PAM has no password stack, as passwd(1) has it.
func Policy(inv breakwater.Inventory) breakwater.PasswordPolicy {
	return newView(inv).passwordPolicy()
}

func (v *view) passwordPolicy() breakwater.PasswordPolicy {
	var p breakwater.PasswordPolicy
	lines, main := v.pamLines(passwordServices, "password")
	p.Present = main != nil && len(lines) > 0
	for _, l := range lines {
		switch {
		case qualityModule.MatchString(l.module):
			v.quality(&p, l)
		case unixModule.MatchString(l.module):
			if n, ok := settingOf(l.args)["minlen"]; ok && n >= leastLength {
				p.MinLength = true
			}
		}
	}
	if !p.Present {
		for _, in := range v.instancesOf(kindLoginDefs) {
			p.Present = true
			for _, it := range in.items {
				if it.entry.Key == "PASS_MIN_LEN" {
					n, _ := strconv.Atoi(it.entry.Value)
					p.MinLength = n >= leastLength
				}
			}
		}
	}
	if p.Present {
		p.Suggest = suggestPolicy(p)
	}
	return p
}

// quality takes the settings of pam_pwquality: those of its line over those of
// its file. A credit below zero demands that many characters of a kind;
// minclass 4 demands every kind (pwquality.conf(5)).
func (v *view) quality(p *breakwater.PasswordPolicy, l pamLine) {
	set := map[string]int{"minlen": leastLength}
	if strings.HasPrefix(l.module, "pam_cracklib") {
		set["minlen"] = 9
	} else {
		for _, in := range v.instancesOf(kindPwquality) {
			for _, it := range in.items {
				if n, err := strconv.Atoi(it.entry.Value); err == nil {
					set[it.entry.Key] = n
				}
			}
		}
	}
	for k, n := range settingOf(l.args) {
		set[k] = n
	}
	every := set["minclass"] >= 4
	p.MinLength = p.MinLength || set["minlen"] >= leastLength
	p.Upper = p.Upper || every || set["ucredit"] < 0
	p.Lower = p.Lower || every || set["lcredit"] < 0
	p.Digit = p.Digit || every || set["dcredit"] < 0
	p.Special = p.Special || every || set["ocredit"] < 0
}

func settingOf(args []string) map[string]int {
	out := map[string]int{}
	for _, a := range args {
		k, value, ok := strings.Cut(a, "=")
		if n, err := strconv.Atoi(value); ok && err == nil {
			out[k] = n
		}
	}
	return out
}

func suggestPolicy(p breakwater.PasswordPolicy) string {
	var add []string
	for _, s := range []struct {
		met bool
		say string
	}{{p.MinLength, "minlen=8"}, {p.Upper, "ucredit=-1"}, {p.Lower, "lcredit=-1"}, {p.Digit, "dcredit=-1"}, {p.Special, "ocredit=-1"}} {
		if !s.met {
			add = append(add, s.say)
		}
	}
	if len(add) == 0 {
		return ""
	}
	return "Put pam_pwquality.so into the password stack of PAM and add " + strings.Join(add, " ") + " to its line, or to /etc/security/pwquality.conf."
}

// PolicyRule is a check of one demand: min_length, upper, lower, digit or special.
type PolicyRule struct {
	Demand string `yaml:"demand"`
}

func (p *PolicyRule) compile() error {
	if !slices.Contains([]string{"min_length", "upper", "lower", "digit", "special"}, p.Demand) {
		return breakwater.Invalid("demand", "must be min_length, upper, lower, digit or special")
	}
	return nil
}

func (v *view) policy(p *PolicyRule) ([]breakwater.CheckCase, bool) {
	have := v.passwordPolicy()
	if !have.Present {
		return nil, false
	}
	met := map[string]bool{"min_length": have.MinLength, "upper": have.Upper, "lower": have.Lower, "digit": have.Digit, "special": have.Special}[p.Demand]
	file := &breakwater.ConfigFile{}
	for _, kind := range []string{kindPwquality, kindPAM, kindLoginDefs} {
		for _, f := range v.files[kind] {
			if file.Path == "" && (kind != kindPAM || slices.Contains(passwordServices, f.Path[strings.LastIndexByte(f.Path, '/')+1:])) {
				file = f
			}
		}
	}
	current := map[bool]string{true: "demanded", false: "not demanded"}[met]
	return []breakwater.CheckCase{caseOf(file, 0, !met, p.Demand+" is "+current, "demanded")}, true
}
