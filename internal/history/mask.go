package history

import (
	"regexp"
	"slices"
	"strings"

	"breakwater"
)

// masked stands for a credential.
const masked = "***"

// Mask answers the history with every credential replaced that a rule of the
// kind secret recognises by its place: the value of a variable named like one,
// the password in a URL or on a command line, the pair that goes to chpasswd.
// It is for what a search by the look of credentials cannot see; Check does the
// same to what it quotes. Rules that were switched off mask all the same.
func (r *Rules) Mask(h []breakwater.History) []breakwater.History {
	out := slices.Clone(h)
	for i, s := range Parse(h, nil) {
		out[i].CreatedBy = hide(out[i].CreatedBy, r.credentials(&s))
	}
	return out
}

// hide replaces values in a text, the longest first.
func hide(text string, values []string) string {
	for _, v := range values {
		text = strings.ReplaceAll(text, v, masked)
	}
	return text
}

// credentials are the values in a step that secret rules recognise, longest first.
func (r *Rules) credentials(s *Step) []string {
	var out []string
	add := func(v string) {
		if v != "" && !strings.Contains(v, masked) && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	k := &context{}
	for i := range r.secrets {
		for j := range r.secrets[i].Match {
			c := &r.secrets[i].Match[j]
			if _, ok := c.step(s, k); !ok {
				continue
			}
			for _, kv := range s.Env {
				if _, ok := c.variable([]KV{kv}); c.Env.set() && ok {
					add(kv.Value)
				}
			}
			for n := range s.Commands {
				if h, ok := c.command(s, n); ok && len(c.Command) > 0 {
					for _, v := range secretWords(&s.Commands[n], h) {
						add(v)
					}
				}
			}
		}
	}
	slices.SortStableFunc(out, func(a, b string) int { return len(b) - len(a) })
	return out
}

var userinfo = regexp.MustCompile(`://([^/\s@]+)@`)

// bareWords are what echo prints, and of other commands the word after -p.
func bareWords(c *Command) []string {
	var out []string
	for i, w := range c.Args {
		flag := strings.HasPrefix(w, "-")
		if (c.Name == "echo" || c.Name == "printf") && !flag && len(w) > 1 || i > 0 && (c.Args[i-1] == "-p" || c.Args[i-1] == "--password") {
			out = append(out, w)
		}
	}
	return out
}

// secretWords are the parts of a command that a secret rule means: of the word
// that decided what stands behind its name.
func secretWords(c *Command, h hit) []string {
	if h.arg == "" {
		return bareWords(c)
	}
	if c.Name == "net" && len(c.Args) > 2 {
		return c.Args[2:3] // net user NAME PASSWORD /add
	}
	w := h.arg
	if m := userinfo.FindStringSubmatch(w); m != nil {
		if _, password, ok := strings.Cut(m[1], ":"); ok {
			return []string{password}
		}
		return []string{m[1]}
	}
	if fields := strings.Fields(w); len(fields) > 1 { // Authorization: Bearer …
		return fields[len(fields)-1:]
	}
	if strings.HasPrefix(w, "-p") && len(w) > 2 && !strings.Contains(w, "=") {
		return []string{w[2:]}
	}
	if at := strings.IndexAny(w, ":="); at >= 0 {
		return []string{w[at+1:]}
	}
	var out []string // "-p", "aws_secret_access_key": the next word
	for i, a := range c.Args {
		if a == w && i+1 < len(c.Args) {
			out = append(out, c.Args[i+1])
		}
	}
	return out
}
