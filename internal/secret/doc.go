// Package secret finds credentials in text: files, environment variables, labels
// and build commands. Its rules are those of gitleaks (the text of its default
// configuration, as a dependency), rules of our own (rules/*.toml) and the
// operator's.
//
// # How data flows
//
//	rule files ─► ruleset ─► New: syntax trees ─► anchors, spans, shapes ─► engine
//	text ─► one pass of pattern.Set ─► spans by rule ─► windows ─► regexp ─► judge ─► filter ─► report (masked)
//
// # Windows
//
// gitleaks runs a rule's expression over all of a text in which a keyword of the
// rule occurs. That costs a hundred times more than reading the text, and words
// like "key" occur everywhere. Here each expression's tree is analysed once
// (analyse.go): which literals must be part of every match (anchors), which bytes
// stand at fixed distances around them, and how far a match can reach from there
// (extent, set.go). One pass finds the anchors of all rules; a place that does
// not fit costs a few comparisons, and one that fits becomes a span that holds
// every match through that anchor. The expression is run on spans alone
// (match.go says why it finds the same there). Most rules share one form, name
// operator value, which is judged by hand before any expression runs (shape.go).
//
// Nothing of this is written down by rule: it is derived from the expression, so
// it holds for new releases of gitleaks and for the operator's rules. An
// expression without anchors runs on the whole text when its keyword occurs, as
// in gitleaks; so does every rule when the text holds one of the three runes
// outside ASCII that are equal to an ASCII letter when case is ignored.
//
// A test holds the findings (rule, lines, columns, match, secret) equal to those
// of gitleaks' own detector, for planted secrets of every rule and for 200 MB of
// real text. Equal means its quirks, too: a match on a last line without line
// feed has all of the text before it as its line, so that an inline comment
// "gitleaks:allow" anywhere before silences it.
//
// # What is reported
//
// A generic finding gives way to any other on its line. Findings of our own
// password rules are dropped when they are placeholders. Severities of gitleaks'
// rules come from rules/severity.txt.
//
// A Redactor does the same for the texts of an image's configuration: it searches
// the words of a command as one line, and variables by their names, and masks what
// it found in one of them in all.
//
// A secret leaves this package masked: at most its first and last two characters,
// never its length.
//
// # Limits
//
// MaxPerFile secrets of a file, a thousand findings of one rule in it, 1 MiB and a
// thousand rules of the operator, Options.MaxFile bytes of a file. The time is
// bounded by the text's length: a text made so that spans overlap over and over
// is given to the expression whole, and Go's expressions take linear time.
package secret
