package history

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// clause is one way to match a rule: every key that is set must hold. Without
// Command it is about the instruction, with it about one command of a step.
//
// Patterns are RE2 expressions; names of commands are globs (path.Match).
type clause struct {
	Instruction []string `yaml:"instruction"` // one of these
	NotFirst    bool     `yaml:"not_first"`   // not the step that makes the first layer: a base's own root file system
	Command     []string `yaml:"command"`     // one of these commands
	Sub         []string `yaml:"sub"`         // its subcommand, one of these ("install", "config set")
	Flag        []string `yaml:"flag"`        // has one of these flags
	NoFlag      []string `yaml:"no_flag"`     // has none of these
	Arg         pattern  `yaml:"arg"`         // a word matches
	NoArg       pattern  `yaml:"no_arg"`      // no word matches
	Text        pattern  `yaml:"text"`        // the command, or the instruction, as written
	NoText      pattern  `yaml:"no_text"`
	Writes      pattern  `yaml:"writes"`     // a file that its output is sent to
	PipesInto   []string `yaml:"pipes_into"` // one of these is next in its pipeline
	Inside      []string `yaml:"inside"`     // it stands in the words of one of these
	Env         pattern  `yaml:"env"`        // the name of a variable of ENV, ARG, a build argument, or set in front of a command
	NoEnv       pattern  `yaml:"no_env"`     // and the name does not match this
	Value       pattern  `yaml:"value"`      // and its value matches
	NoValue     pattern  `yaml:"no_value"`   // and its value does not match
	Operand     string   `yaml:"operand"`    // one of its operands is … (operand.go)
	Image       string   `yaml:"image"`      // the image as a whole is … (image.go); no other key but arg
	NoMount     pattern  `yaml:"no_mount"`   // the step mounts nothing (--mount) that matches
	Unset       pattern  `yaml:"unset"`      // no earlier ENV or ARG sets a variable of this name
	With        []clause `yaml:"with"`       // the step has a command for each of these, too
	Without     []clause `yaml:"without"`    // the step has a command for none of these
}

// pattern is an RE2 expression; the zero pattern is not set.
type pattern struct{ re *regexp.Regexp }

// maxPattern bounds one expression of a rule file.
const maxPattern = 2048

// UnmarshalText compiles the expression; it makes no backtracking matcher.
func (p *pattern) UnmarshalText(b []byte) error {
	if len(b) > maxPattern {
		return fmt.Errorf("a pattern is longer than %d bytes", maxPattern)
	}
	re, err := regexp.Compile(string(b))
	if err != nil {
		return err
	}
	p.re = re
	return nil
}

func (p pattern) set() bool           { return p.re != nil }
func (p pattern) match(s string) bool { return p.re.MatchString(s) }

func (p pattern) any(list []string) bool { return slices.ContainsFunc(list, p.match) }

// compile says what is wrong with a clause.
func (c *clause) compile(depth int) error {
	if depth > 2 {
		return errors.New("with and without are nested too deep")
	}
	for _, list := range [][]string{c.Command, c.PipesInto, c.Inside} {
		for _, glob := range list {
			if _, err := path.Match(glob, ""); err != nil {
				return errors.New("a command is no glob")
			}
		}
	}
	for _, i := range c.Instruction {
		if !instructions[i] {
			return errors.New("an instruction is none of Dockerfile's")
		}
	}
	if c.Operand != "" && operandChecks[c.Operand] == nil {
		return errors.New("there is no such operand check")
	}
	if c.Image != "" && imageChecks[c.Image] == nil {
		return errors.New("there is no such image check")
	}
	if len(c.Command) == 0 && (len(c.Sub)+len(c.PipesInto)+len(c.Inside) > 0 || c.Operand != "" || c.Writes.set()) {
		return errors.New("sub, pipes_into, inside, operand and writes need a command")
	}
	if len(c.Instruction) == 0 && len(c.Command) == 0 && c.Image == "" && !c.Env.set() && !c.Text.set() {
		return errors.New("nothing is matched")
	}
	for _, list := range [][]clause{c.With, c.Without} {
		if len(list) > 50 {
			return errors.New("more than 50 clauses")
		}
		for i := range list {
			if err := list[i].compile(depth + 1); err != nil {
				return err
			}
		}
	}
	return nil
}

// hit is what matched: a command (from 1) or, with 0, the instruction; the word
// or variable that decided, when one did.
type hit struct {
	command int
	arg     string
	name    string
}

// step matches the clause with one step.
func (c *clause) step(s *Step, k *context) (hit, bool) {
	if c.Image != "" || len(c.Instruction) > 0 && !slices.Contains(c.Instruction, s.Instruction) {
		return hit{}, false
	}
	if c.NotFirst && s.Index <= k.first {
		return hit{}, false
	}
	if c.NoMount.set() && c.NoMount.any(s.Flags) {
		return hit{}, false
	}
	if c.Unset.set() && k.isSet(c.Unset, s.Index) {
		return hit{}, false
	}
	if len(c.Command) == 0 {
		h, ok := c.instruction(s)
		return h, ok && c.others(s, 0)
	}
	for i := range s.Commands {
		if h, ok := c.command(s, i); ok && c.others(s, i+1) {
			return h, true
		}
	}
	return hit{}, false
}

// others holds With against the other commands of the step, and Without against all.
func (c *clause) others(s *Step, but int) bool {
	has := func(one *clause, but int) bool {
		for i := range s.Commands {
			if _, ok := one.command(s, i); ok && i+1 != but {
				return true
			}
		}
		return false
	}
	for i := range c.With {
		if !has(&c.With[i], but) {
			return false
		}
	}
	for i := range c.Without {
		if has(&c.Without[i], 0) {
			return false
		}
	}
	return true
}

// instruction matches the keys that are about an instruction.
func (c *clause) instruction(s *Step) (hit, bool) {
	h := hit{}
	if !flags(c, s.Flags) || !c.texts(s.Raw) {
		return h, false
	}
	if c.NoArg.set() && c.NoArg.any(s.Args) {
		return h, false
	}
	if c.Arg.set() {
		at := slices.IndexFunc(s.Args, c.Arg.match)
		if at < 0 {
			return h, false
		}
		h.arg = s.Args[at]
	}
	if c.Env.set() {
		kv, ok := c.variable(s.Env)
		if !ok {
			return h, false
		}
		h.name = kv.Name
	}
	return h, true
}

func (c *clause) texts(s string) bool {
	return (!c.Text.set() || c.Text.match(s)) && (!c.NoText.set() || !c.NoText.match(s))
}

func (c *clause) variable(env []KV) (KV, bool) {
	for _, kv := range env {
		if c.Env.match(kv.Name) &&
			(!c.NoEnv.set() || !c.NoEnv.match(kv.Name)) &&
			(!c.Value.set() || c.Value.match(kv.Value)) &&
			(!c.NoValue.set() || !c.NoValue.match(kv.Value)) {
			return kv, true
		}
	}
	return KV{}, false
}

// command matches the keys that are about the i-th command of a step.
func (c *clause) command(s *Step, i int) (hit, bool) {
	cmd := &s.Commands[i]
	h := hit{command: i + 1}
	if !named(c.Command, cmd.Name) || !flags(c, cmd.Args) || !c.texts(cmd.Text) {
		return h, false
	}
	rest, ok := subcommand(cmd.Args, c.Sub)
	if !ok || c.NoArg.set() && c.NoArg.any(cmd.Args) || c.Writes.set() && !c.Writes.any(cmd.Writes) {
		return h, false
	}
	if c.Arg.set() {
		at := slices.IndexFunc(cmd.Args, c.Arg.match)
		if at < 0 {
			return h, false
		}
		h.arg = cmd.Args[at]
	}
	if c.Env.set() {
		kv, ok := c.variable(cmd.Env)
		if !ok {
			return h, false
		}
		h.name = kv.Name
	}
	if len(c.PipesInto) > 0 && !pipes(s, cmd, c.PipesInto) {
		return h, false
	}
	if len(c.Inside) > 0 && !inside(s, cmd, c.Inside) {
		return h, false
	}
	if c.Operand != "" {
		arg, ok := operandChecks[c.Operand](s, cmd, rest)
		if !ok {
			return h, false
		}
		h.arg = arg
	}
	return h, true
}

// named matches a command's name with globs.
func named(globs []string, name string) bool {
	for _, g := range globs {
		if g == name {
			return true
		}
		if strings.ContainsAny(g, "*?[") {
			if ok, _ := path.Match(g, name); ok {
				return true
			}
		}
	}
	return false
}

func flags(c *clause, args []string) bool {
	has := func(flag string) bool {
		return slices.ContainsFunc(args, func(a string) bool { return hasFlag(a, flag) })
	}
	return (len(c.Flag) == 0 || slices.ContainsFunc(c.Flag, has)) && !slices.ContainsFunc(c.NoFlag, has)
}

// hasFlag reports whether a word is the flag: --flag, --flag=value, or for one
// letter -fsSLk.
func hasFlag(arg, flag string) bool {
	if arg == flag {
		return true
	}
	if strings.HasPrefix(flag, "--") {
		return strings.HasPrefix(arg, flag) && len(arg) > len(flag) && arg[len(flag)] == '='
	}
	return len(flag) == 2 && len(arg) > 2 && len(arg) <= 10 && arg[0] == '-' && word.MatchString(arg[1:]) && strings.IndexByte(arg, flag[1]) > 0
}

// subcommand finds one of the subcommands among the first words that are no
// flags, and answers the words after it.
func subcommand(args, subs []string) ([]string, bool) {
	if len(subs) == 0 {
		return args, true
	}
	for i, seen := 0, 0; i < len(args) && seen < 4; i++ {
		if strings.HasPrefix(args[i], "-") {
			continue
		}
		seen++
		for _, sub := range subs {
			words := strings.Fields(sub)
			if len(words) <= len(args)-i && slices.Equal(words, args[i:i+len(words)]) {
				return args[i+len(words):], true
			}
		}
	}
	return nil, false
}

// filters hand on what they read, more or less.
var filters = []string{"tee", "cat", "sed", "tr", "gunzip", "zcat", "base64", "dos2unix", "envsubst", "head", "tail", "grep"}

// pipes reports whether a command of these names is next in cmd's pipeline,
// filters between them left out.
func pipes(s *Step, cmd *Command, names []string) bool {
	stage := cmd.Stage + 1
	for i := range s.Commands {
		o := &s.Commands[i]
		if o.Pipeline != cmd.Pipeline || o.Stage != stage {
			continue
		}
		if named(names, o.Name) {
			return true
		}
		if named(filters, o.Name) {
			stage++
		}
	}
	return false
}

func inside(s *Step, cmd *Command, names []string) bool {
	for at, n := cmd.Inside, 0; at > 0 && at <= len(s.Commands) && n < maxScripts*2; n++ {
		outer := &s.Commands[at-1]
		if named(names, outer.Name) {
			return true
		}
		for i := at; i < len(s.Commands); i++ { // sudo bash -c "$(curl …)": the shell is what sudo runs
			if s.Commands[i].Wrapped == at && named(names, s.Commands[i].Name) {
				return true
			}
		}
		at = outer.Inside
	}
	return false
}
