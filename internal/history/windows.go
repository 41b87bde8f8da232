package history

import "strings"

// windowsCommands splits a script of cmd or PowerShell into commands: at ;, &,
// &&, | and line ends outside quotes and brackets. It is no parser of these languages;
// rules match what it finds by name, words and text.
func windowsCommands(text string) []Command {
	if m := winShell.FindString(text); m != "" && len(m) < len(text) {
		text = unquote(strings.TrimSpace(text[len(m):])) // cmd /S /C powershell -Command …
	}
	var out []Command
	pipeline, stage := 1, 0
	for _, piece := range splitWindows(text) {
		if len(out) >= maxCommands {
			break
		}
		if fields := quotedFields(piece.text); len(fields) > 0 {
			out = append(out, Command{
				Name: strings.ToLower(baseName(fields[0])), Args: fields[1:], Text: short(strings.TrimSpace(piece.text)),
				Pipeline: pipeline, Stage: stage,
			})
		}
		if piece.end == '|' {
			stage++
		} else {
			pipeline, stage = pipeline+1, 0
		}
	}
	return out
}

type windowsPiece struct {
	text string
	end  byte // what ended it: ';', '&', '|', '\n'
}

func splitWindows(text string) []windowsPiece {
	var out []windowsPiece
	var quote byte
	depth, start := 0, 0
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '(':
			depth++
		case c == ')':
			depth = max(depth-1, 0)
		case depth > 0:
		case c == ';' || c == '&' || c == '|' || c == '\n':
			end := c
			if c == '|' && i+1 < len(text) && text[i+1] == '|' {
				end = ';'
			}
			out = append(out, windowsPiece{text[start:i], end})
			if i+1 < len(text) && text[i+1] == c {
				i++
			}
			start = i + 1
		}
	}
	return append(out, windowsPiece{text[start:], ';'})
}

// quotedFields splits at blanks outside quotes.
func quotedFields(s string) []string {
	var out []string
	var cur strings.Builder
	var quote rune
	any := false
	for _, r := range s {
		switch {
		case quote != 0:
			if r == quote {
				quote = 0
			} else {
				cur.WriteRune(r)
			}
		case r == '"' || r == '\'':
			quote, any = r, true
		case r == ' ' || r == '\t' || r == '\r' || r == '`':
			if any || cur.Len() > 0 {
				out = append(out, cur.String())
			}
			cur.Reset()
			any = false
		default:
			cur.WriteRune(r)
		}
		if len(out) >= maxWords {
			return out
		}
	}
	if any || cur.Len() > 0 {
		out = append(out, cur.String())
	}
	return out
}
