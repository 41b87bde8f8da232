package history

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// sheller collects the commands of one step's scripts.
type sheller struct {
	p       *parsing
	step    *Step
	text    string            // of the script being read
	vars    map[string]string // what build arguments and the script itself set
	depth   int               // scripts inside scripts
	calls   int               // functions on the stack
	pipes   int               // pipelines so far
	refused bool
}

// place is where a command stands.
type place struct {
	pipeline, stage int // pipeline 0: it begins one of its own
	inside          int
}

// script parses the script of a step.
func (p *parsing) script(s *Step, text string, vars map[string]string) {
	sh := sheller{p: p, step: s, vars: vars}
	sh.read(text, place{})
}

// read parses one script and adds its commands. A script that is no shell to
// its end gives the commands before that place.
func (sh *sheller) read(text string, at place) {
	if sh.depth > maxScripts {
		sh.refuse("scripts inside scripts are too deep")
		return
	}
	if len(text) > sh.p.left {
		sh.refuse(tooMuch)
		return
	}
	sh.p.left -= len(text)
	if nesting(text) > maxNesting {
		sh.refuse("brackets are nested too deep")
		return
	}
	var stmts []*syntax.Stmt
	parser := syntax.NewParser(syntax.Variant(syntax.LangBash))
	for s, err := range parser.StmtsSeq(strings.NewReader(text)) {
		if err != nil {
			sh.refuse("the script could not be read to its end")
			break
		}
		if stmts = append(stmts, s); len(stmts) >= maxCommands {
			break
		}
	}
	outer := sh.text
	sh.text = text
	sh.depth++
	sh.stmts(stmts, at)
	sh.depth--
	sh.text = outer
}

func (sh *sheller) refuse(why string) {
	if sh.step.Unparsed == "" {
		sh.step.Unparsed = why
	}
	sh.refused = true
}

func (sh *sheller) stmts(list []*syntax.Stmt, at place) {
	for _, s := range list {
		sh.stmt(s, at)
	}
}

// stmt adds the commands of one statement.
func (sh *sheller) stmt(s *syntax.Stmt, at place) {
	if s == nil || len(sh.step.Commands) >= maxCommands {
		return
	}
	switch c := s.Cmd.(type) {
	case *syntax.CallExpr:
		sh.call(s, c, at)
	case *syntax.BinaryCmd:
		sh.binary(c, at)
	case *syntax.Subshell:
		sh.stmts(c.Stmts, at)
	case *syntax.Block:
		sh.stmts(c.Stmts, at)
	case *syntax.IfClause:
		for clause := c; clause != nil; clause = clause.Else {
			sh.stmts(clause.Cond, at)
			sh.stmts(clause.Then, at)
		}
	case *syntax.WhileClause:
		sh.stmts(c.Cond, at)
		sh.stmts(c.Do, at)
	case *syntax.ForClause:
		if loop, ok := c.Loop.(*syntax.WordIter); ok {
			delete(sh.vars, loop.Name.Value)
			sh.substitutions(loop.Items, at)
		}
		sh.stmts(c.Do, at)
	case *syntax.CaseClause:
		sh.substitutions([]*syntax.Word{c.Word}, at)
		for _, item := range c.Items {
			sh.stmts(item.Stmts, at)
		}
	case *syntax.FuncDecl:
		sh.stmt(c.Body, place{})
	case *syntax.TimeClause:
		sh.stmt(c.Stmt, at)
	case *syntax.CoprocClause:
		sh.stmt(c.Stmt, at)
	case *syntax.DeclClause:
		sh.assign(c.Args, at)
	}
}

// binary takes a && b, a || b and a | b apart. Chains lean to the left, so that
// they are walked in a loop.
func (sh *sheller) binary(c *syntax.BinaryCmd, at place) {
	pipe := func(op syntax.BinCmdOperator) bool { return op == syntax.Pipe || op == syntax.PipeAll }
	first := c
	chain := []*syntax.BinaryCmd{c}
	for {
		left, ok := first.X.Cmd.(*syntax.BinaryCmd)
		if !ok || pipe(left.Op) != pipe(c.Op) {
			break
		}
		first = left
		chain = append(chain, left)
	}
	if !pipe(c.Op) {
		sh.stmt(first.X, at)
		for i := len(chain) - 1; i >= 0; i-- {
			sh.stmt(chain[i].Y, at)
		}
		return
	}
	here := at
	if here.pipeline == 0 {
		sh.pipes++
		here.pipeline = sh.pipes
	}
	sh.stmt(first.X, here)
	for i := len(chain) - 1; i >= 0; i-- {
		here.stage++
		sh.stmt(chain[i].Y, here)
	}
}

// assign remembers what the script sets to a value that is known.
func (sh *sheller) assign(list []*syntax.Assign, at place) []KV {
	var out []KV
	for _, a := range list {
		if a.Name == nil || a.Value == nil || a.Index != nil {
			continue
		}
		value := strings.Join(sh.fields(a.Value, true), " ")
		out = append(out, KV{a.Name.Value, value})
		sh.substitutions([]*syntax.Word{a.Value}, at)
	}
	return out
}

// call adds one simple command, what it wraps, and what stands in its words.
func (sh *sheller) call(s *syntax.Stmt, c *syntax.CallExpr, at place) {
	env := sh.assign(c.Assigns, at)
	if len(c.Args) == 0 {
		for _, kv := range env {
			sh.vars[kv.Name] = kv.Value
		}
		return
	}
	var fields []string
	for _, w := range c.Args[:min(len(c.Args), maxWords)] {
		fields = append(fields, sh.fields(w, false)...)
		if len(fields) > maxWords {
			fields = fields[:maxWords]
			break
		}
	}
	if len(fields) == 0 {
		return
	}
	if at.pipeline == 0 {
		sh.pipes++
		at.pipeline, at.stage = sh.pipes, 0
	}
	cmd := Command{
		Name: baseName(fields[0]), Args: fields[1:], Env: env, Text: short(sh.source(s)),
		Pipeline: at.pipeline, Stage: at.stage, Inside: at.inside,
	}
	for _, r := range s.Redirs {
		switch r.Op {
		case syntax.RdrOut, syntax.AppOut, syntax.RdrAll, syntax.AppAll, syntax.RdrClob:
			cmd.Writes = append(cmd.Writes, strings.Join(sh.fields(r.Word, true), " "))
		}
	}
	if strings.HasPrefix(fields[0], "$(") || strings.HasPrefix(fields[0], "`") {
		cmd.Name = "eval" // what the substitution prints is run
	}
	index := sh.command(cmd)
	sh.substitutions(c.Args, place{inside: index})
	for _, r := range s.Redirs {
		sh.substitutions([]*syntax.Word{r.Word}, place{inside: index})
		if r.Hdoc != nil && isShell(sh.last(index).Name) {
			sh.read(strings.Join(sh.fields(r.Hdoc, true), ""), place{})
		}
	}
}

// last is the command that the wrappers of the one at index (from 1) run in the end.
func (sh *sheller) last(index int) Command {
	c := sh.step.Commands[index-1]
	for i := index; i < len(sh.step.Commands); i++ {
		if sh.step.Commands[i].Wrapped == i {
			c = sh.step.Commands[i]
		}
	}
	return c
}

// command adds a command, and the one that it runs when it is a wrapper or a
// shell with a script. It answers its index, from 1.
func (sh *sheller) command(c Command) int {
	if c.Pipeline > sh.pipes {
		sh.pipes = c.Pipeline
	}
	sh.step.Commands = append(sh.step.Commands, c)
	index := len(sh.step.Commands)
	if index >= maxCommands {
		return index
	}
	inner, script := unwrap(c)
	if len(inner) > 0 {
		w := c
		w.Name, w.Args, w.Wrapped = baseName(inner[0]), inner[1:], index
		sh.calls++
		if sh.calls <= maxNesting {
			sh.command(w)
		}
		sh.calls--
	}
	if script != "" && !strings.Contains(script, "$(") && !strings.Contains(script, "`") {
		sh.read(script, place{pipeline: c.Pipeline, stage: c.Stage, inside: c.Inside})
	}
	return index
}

// substitutions adds the commands of $(…), `…`, <(…) in words.
func (sh *sheller) substitutions(list []*syntax.Word, at place) {
	at.pipeline, at.stage = 0, 0
	for _, w := range list {
		if w == nil {
			continue
		}
		syntax.Walk(w, func(n syntax.Node) bool {
			switch c := n.(type) {
			case *syntax.CmdSubst:
				sh.stmts(c.Stmts, at)
				return false
			case *syntax.ProcSubst:
				sh.stmts(c.Stmts, at)
				return false
			}
			return true
		})
	}
}

// source is a node as it is written.
func (sh *sheller) source(n syntax.Node) string {
	from, to := int(n.Pos().Offset()), int(n.End().Offset())
	if from < 0 || to > len(sh.text) || from > to {
		return ""
	}
	return strings.TrimRight(sh.text[from:to], "; \t\n")
}

// nesting is how deep brackets and compound commands of a text are nested at
// most. It does not know quotes: it may say too much, never too little.
func nesting(text string) int {
	deepest, depth := 0, 0
	step := func(d int) {
		depth = max(depth+d, 0)
		deepest = max(deepest, depth)
	}
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '(', '{', '[':
			step(1)
		case ')', '}', ']':
			step(-1)
		}
	}
	words := 0
	for w := range strings.FieldsFuncSeq(text, func(r rune) bool { return strings.ContainsRune(" \t\n;&|()", r) }) {
		switch w {
		case "if", "while", "until", "for", "case", "select", "function", "time", "coproc", "!":
			words++
		case "fi", "done", "esac":
			words--
		}
		deepest = max(deepest, depth+words/4)
	}
	return deepest
}
