package baseline

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"breakwater"
)

// PAM is a check of one group of modules, as the services' files stack them.
type PAM struct {
	Services []string `yaml:"services"` // names of files in pam.d; those that the image lacks do not matter
	Type     string   `yaml:"type"`     // auth, account, password or session
	Module   string   `yaml:"module"`   // a regular expression for the whole name, without ".so"
	// Want is module or no_module (a line with it must, or must not, be there),
	// arg (one of its lines must have the argument) or no_arg (none may).
	Want string `yaml:"want"`
	Arg  string `yaml:"arg"` // a regular expression for the whole argument, without "=value"
	Min  *int64 `yaml:"min"` // of the argument's value
	Max  *int64 `yaml:"max"`
	// File is where the module reads the argument from when its line has none.
	File *Directive `yaml:"file"`

	module, arg *regexp.Regexp
}

func (p *PAM) compile() (err error) {
	if len(p.Services) == 0 || p.Type == "" || p.Module == "" || !slices.Contains([]string{"module", "no_module", "arg", "no_arg"}, p.Want) {
		return breakwater.Invalid("pam", "needs services, type, module and want")
	}
	if strings.HasSuffix(p.Want, "arg") && p.Arg == "" {
		return breakwater.Invalid("pam", "needs arg")
	}
	if p.module, err = pattern("module", `^(?:`+p.Module+`)(\.so)?$`); err != nil {
		return err
	}
	if p.arg, err = pattern("arg", `^(?:`+p.Arg+`)$`); err != nil {
		return err
	}
	if p.File != nil {
		return p.File.compile(0)
	}
	return nil
}

// pamLine is one line of a stack.
type pamLine struct {
	file   *breakwater.ConfigFile
	line   int
	module string
	args   []string
}

func (l *pamLine) String() string {
	return strings.TrimSpace(l.module + " " + strings.Join(l.args, " "))
}

// pamLines are the lines of a type in the services, and whether the image has
// one of these services at all.
func (v *view) pamLines(services []string, kind string) (lines []pamLine, main *breakwater.ConfigFile) {
	for _, f := range v.files[kindPAM] {
		service := f.Path[strings.LastIndexByte(f.Path, '/')+1:]
		if !slices.Contains(services, service) {
			continue
		}
		if main == nil {
			main = f
		}
		for _, e := range f.Entries {
			if e.Key != kind {
				continue
			}
			if fields := pamFields(e.Value); len(fields) > 1 {
				lines = append(lines, pamLine{f, e.Line, fields[1], fields[2:]})
			}
		}
	}
	return lines, main
}

func (v *view) pam(p *PAM) ([]breakwater.CheckCase, bool) {
	lines, main := v.pamLines(p.Services, p.Type)
	if main == nil {
		return nil, false
	}
	lines = slices.DeleteFunc(lines, func(l pamLine) bool { return !p.module.MatchString(l.module) })
	suggest := p.suggest()
	switch {
	case p.Want == "arg":
		return v.pamArg(p, lines)
	case p.Want == "module" && len(lines) == 0:
		return []breakwater.CheckCase{caseOf(main, 0, true, p.Type+" has no such module", suggest)}, true
	case p.Want == "module":
		return []breakwater.CheckCase{caseOf(lines[0].file, lines[0].line, false, lines[0].String(), suggest)}, true
	case len(lines) == 0:
		return []breakwater.CheckCase{caseOf(main, 0, false, p.Type+" has no such module", suggest)}, true
	}
	var cases []breakwater.CheckCase
	for _, l := range lines {
		cases = append(cases, caseOf(l.file, l.line, p.Want == "no_module" || p.has(l), l.String(), suggest))
	}
	return cases, true
}

// pamArg wants one of the lines, or the module's file where no line names the
// argument, to have it. It is not applicable without a line.
func (v *view) pamArg(p *PAM, lines []pamLine) ([]breakwater.CheckCase, bool) {
	var cases []breakwater.CheckCase
	named := false
	for _, l := range lines {
		failed := !p.has(l)
		cases = append(cases, caseOf(l.file, l.line, failed, l.String(), p.suggest()))
		if !failed {
			return cases[len(cases)-1:], true
		}
		named = named || slices.ContainsFunc(l.args, p.named)
	}
	if p.File != nil && !named && len(lines) > 0 {
		if other, ok := v.directive(p.File); ok {
			return other, true
		}
	}
	return cases, len(cases) > 0
}

func (p *PAM) named(arg string) bool {
	name, _, _ := strings.Cut(arg, "=")
	return p.arg.MatchString(name)
}

// has reports whether a line has the argument, with a value in the range.
func (p *PAM) has(l pamLine) bool {
	for _, a := range l.args {
		if !p.named(a) {
			continue
		}
		_, value, _ := strings.Cut(a, "=")
		if w := (Want{Min: p.Min, Max: p.Max}); w.holds(value) {
			return true
		}
	}
	return false
}

func (p *PAM) suggest() string {
	name := strings.ReplaceAll(p.Module, "|", " or ")
	switch p.Want {
	case "module":
		return fmt.Sprintf("%s in the %s stack", name, p.Type)
	case "no_module":
		return fmt.Sprintf("no %s in the %s stack", name, p.Type)
	case "no_arg":
		return name + " without " + p.Arg
	}
	w := Want{Min: p.Min, Max: p.Max}
	return strings.TrimSpace(name + " with " + strings.ReplaceAll(p.Arg, "|", " or ") + " " + w.say())
}
