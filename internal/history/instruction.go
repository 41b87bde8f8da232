package history

import (
	"fmt"
	"strings"

	"breakwater"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// Parse parses the first MaxSteps entries. layers[i] is the layer of the i-th
// step that made one; when the counts disagree, no step has a layer, because
// any choice could be wrong. It never fails and never panics: a step says
// itself what of it was not understood.
func Parse(h []breakwater.History, layers []breakwater.LayerRef) []Step {
	made := 0
	for _, one := range h {
		if !one.Empty {
			made++
		}
	}
	p := parsing{left: maxTotal, commands: maxAll, env: map[string]string{}}
	steps := make([]Step, 0, min(len(h), MaxSteps))
	next := 0
	for i, one := range h[:min(len(h), MaxSteps)] {
		s := p.step(one.CreatedBy)
		s.Index = i + 1
		if !one.Empty {
			if made == len(layers) {
				s.Layer = layers[next].Digest
			}
			next++
		}
		steps = append(steps, s)
	}
	return steps
}

// parsing is what the steps of one image share.
type parsing struct {
	left     int               // bytes that may still be parsed
	commands int               // and commands
	env      map[string]string // ENV and ARG so far
}

// step parses one entry and contains what the parsers do with hostile text.
func (p *parsing) step(text string) (s Step) {
	defer func() {
		if r := recover(); r != nil {
			s = Step{Raw: s.Raw, Builder: BuilderOther, Unparsed: "the parser failed"}
		}
	}()
	cut := len(text) > MaxText
	if cut {
		text = text[:MaxText]
	}
	text = strings.ToValidUTF8(text, "?")
	s.Raw = text
	e := dialect(text)
	s.Builder, s.Instruction, s.Shell = e.builder, e.instruction, e.shell
	if s.Instruction == "" {
		s.Raw = e.rest
		if e.rest != "" && !strings.HasPrefix(e.rest, "#") {
			s.Unparsed = "not an instruction"
		}
		return s
	}
	if len(e.rest) > p.left || p.commands <= 0 {
		s.Raw = strings.TrimSpace(e.instruction + " " + e.rest)
		s.Unparsed = tooMuch
		return s
	}
	p.fill(&s, e)
	p.commands -= len(s.Commands)
	if cut {
		s.Unparsed = fmt.Sprintf("longer than %d bytes; the rest was not read", MaxText)
	}
	return s
}

const tooMuch = "the history is longer than is parsed"

// fill parses what follows the instruction.
func (p *parsing) fill(s *Step, e entry) {
	s.Raw = strings.TrimSpace(e.instruction + " " + e.rest)
	switch s.Instruction {
	case "RUN":
		s.Env = e.args
		p.run(s, e)
		return
	}
	p.left -= len(e.rest)
	switch s.Instruction {
	case "COPY", "ADD":
		if src, dst, ok := strings.Cut(e.rest, " in "); ok && e.builder == BuilderClassic {
			s.Args = append(strings.Fields(src), strings.TrimSpace(dst)) // "file:<hash> in /dst"
			return
		}
	case "CMD", "ENTRYPOINT":
		if list, ok := classicList(e.rest); ok { // CMD ["a" "b"]: classic docker leaves out the commas
			s.Args = list
			p.exec(s)
			return
		}
	case "VOLUME", "EXPOSE":
		if list, ok := mapKeys(e.rest); ok { // EXPOSE map[80/tcp:{}]
			s.Args = list
			return
		}
	}
	node, err := parseLine(s.Instruction, e.rest)
	if kv := unquotedPairs(e.rest); err != nil && len(kv) > 0 && (s.Instruction == "ENV" || s.Instruction == "LABEL" || s.Instruction == "ARG") {
		s.Env = kv
		if s.Instruction != "LABEL" {
			p.remember(kv)
		}
		return
	}
	if err != nil {
		s.Args, s.Unparsed = strings.Fields(e.rest), "not in the instruction's grammar"
		return
	}
	s.Flags = node.Flags
	s.Args = words(node)
	switch s.Instruction {
	case "ENV":
		s.Env = triples(node)
		if kv := unquotedPairs(e.rest); kv != nil && len(kv) < len(s.Env) {
			s.Env = kv // "ARGS=--with-a --with-b=c" is one value that lost its quotes
		}
		p.remember(s.Env)
	case "ARG":
		s.Env = argPairs(s.Args)
		p.remember(s.Env)
	case "LABEL":
		s.Env = triples(node)
	case "CMD", "ENTRYPOINT":
		p.exec(s)
	}
}

func (p *parsing) remember(env []KV) {
	for _, kv := range env {
		if kv.Value != "" && len(kv.Value) <= maxValue && len(p.env) < MaxSteps*4 {
			p.env[kv.Name] = p.expandDollar(kv.Value)
		}
	}
}

// expandDollar replaces $NAME and ${NAME} that are known, once.
func (p *parsing) expandDollar(s string) string {
	if !strings.Contains(s, "$") {
		return s
	}
	out := dollar.ReplaceAllStringFunc(s, func(m string) string {
		if v, ok := p.env[strings.Trim(m, "${}")]; ok {
			return v
		}
		return m
	})
	if len(out) > maxValue {
		return s
	}
	return out
}

// run parses the commands of a RUN, whose exec form is a JSON list.
func (p *parsing) run(s *Step, e entry) {
	flags, text := runFlags(e.rest)
	s.Flags = strings.Fields(flags)
	s.Raw = strings.TrimSpace("RUN " + e.rest)
	if e.shell == "" && strings.HasPrefix(text, "[") {
		if node, err := parseLine("RUN", text); err == nil && node.Attributes["json"] {
			s.Args = words(node)
			p.exec(s)
			return
		}
	}
	s.Args = []string{text}
	if s.Shell == "cmd" || s.Shell == "powershell" || s.Shell == "pwsh" {
		s.Commands = windowsCommands(text)
		return
	}
	if e.shell == "" {
		s.Shell = "sh" // as written, the Dockerfile's default shell runs it
		if e.builder == BuilderBuildKit {
			s.Shell = "" // BuildKit names the shell when there was one
		}
		if body, ok := heredocBody(text); ok {
			text = body
		}
	}
	env := map[string]string{}
	for _, kv := range s.Env {
		env[kv.Name] = kv.Value
	}
	p.script(s, text, env)
}

// exec looks into an exec form: ["sh", "-c", "script"] is a script, anything
// else one command.
func (p *parsing) exec(s *Step) {
	if len(s.Args) == 0 {
		return
	}
	sh := sheller{p: p, step: s, vars: map[string]string{}}
	sh.command(Command{Name: baseName(s.Args[0]), Args: s.Args[1:], Text: short(strings.Join(s.Args, " ")), Pipeline: 1})
}

// parseLine hands one line to BuildKit's parser.
func parseLine(instruction, rest string) (*parser.Node, error) {
	res, err := parser.Parse(strings.NewReader(instruction + " " + rest + "\n"))
	if err != nil {
		return nil, err
	}
	if len(res.AST.Children) == 0 {
		return nil, fmt.Errorf("no instruction")
	}
	return res.AST.Children[0], nil
}

// words are the values that follow the instruction in BuildKit's chain of nodes.
func words(n *parser.Node) []string {
	var out []string
	for n = n.Next; n != nil && len(out) < maxWords; n = n.Next {
		out = append(out, n.Value)
	}
	return out
}

// triples reads the name, value, separator nodes of ENV and LABEL.
func triples(n *parser.Node) []KV {
	var out []KV
	for n = n.Next; n != nil && n.Next != nil; {
		out = append(out, KV{unquote(n.Value), unquote(n.Next.Value)})
		n = n.Next.Next
		if n != nil {
			n = n.Next // the separator
		}
	}
	return out
}

func argPairs(args []string) []KV {
	var out []KV
	for _, a := range args {
		name, value, _ := strings.Cut(a, "=")
		out = append(out, KV{name, unquote(value)})
	}
	return out
}

func unquote(s string) string {
	if len(s) >= 2 && (s[0] == '"' || s[0] == '\'') && s[len(s)-1] == s[0] {
		return s[1 : len(s)-1]
	}
	return s
}
