package history

import (
	"errors"
	"regexp"
	"strings"
)

// suggestion says how to write this very instruction better: the offending
// command (or the whole instruction) with flags dropped and text replaced.
type suggestion struct {
	Drop    []string  `yaml:"drop"`
	Replace []rewrite `yaml:"replace"`
	// Text is a template around the result: {text} is the rewritten command,
	// {arg} the word and {name} the variable that decided, {args} the
	// instruction's words. Empty: the result as it is, when it changed.
	Text string `yaml:"text"`

	drops []*regexp.Regexp
}

// rewrite replaces what a pattern matches; To may use $1.
type rewrite struct {
	From pattern `yaml:"from"`
	To   string  `yaml:"to"`
}

// maxSuggest bounds a suggestion.
const maxSuggest = 512

func (g *suggestion) compile() error {
	if len(g.Drop)+len(g.Replace) > 50 || len(g.Text) > maxSuggest {
		return errors.New("too long")
	}
	for _, flag := range g.Drop {
		if !strings.HasPrefix(flag, "-") || len(flag) < 2 {
			return errors.New("a flag to drop begins with -")
		}
		q := regexp.QuoteMeta(flag)
		g.drops = append(g.drops, regexp.MustCompile(`\s`+q+`(\s|$)`))
		if len(flag) == 2 {
			letter := regexp.QuoteMeta(flag[1:])
			g.drops = append(g.drops, regexp.MustCompile(`(\s-[A-Za-z]+)`+letter+`([A-Za-z]*(?:\s|$))`), regexp.MustCompile(`(\s-)`+letter+`([A-Za-z]+(?:\s|$))`))
		} else {
			g.drops = append(g.drops, regexp.MustCompile(`\s`+q+`=\S+(\s|$)`))
		}
	}
	for _, r := range g.Replace {
		if !r.From.set() {
			return errors.New("replace needs from")
		}
	}
	return nil
}

// write makes the suggestion for one hit.
func (g *suggestion) write(s *Step, h hit) string {
	text := s.Raw
	if h.command > 0 {
		text = strings.TrimSpace(s.Commands[h.command-1].Text)
	}
	before := text
	for _, re := range g.drops {
		text = re.ReplaceAllString(text, "$1$2")
	}
	for _, r := range g.Replace {
		text = r.From.re.ReplaceAllString(text, r.To)
	}
	if g.Text != "" {
		text = strings.NewReplacer("{text}", text, "{arg}", strings.TrimSuffix(h.arg, "@latest"), "{name}", h.name, "{args}", strings.Join(s.Args, " ")).Replace(g.Text)
	} else if text == before {
		return ""
	}
	return clip(strings.Join(strings.Fields(text), " "), maxSuggest)
}
