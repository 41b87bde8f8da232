package password

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"

	"breakwater"
)

//go:embed rules/passwords.txt
var passwords []byte

// maxWord bounds a guess, in bytes: longer ones are nobody's common password.
const maxWord = 128

// comment begins a line of a list that is no password, as in the lists of John
// the Ripper. A mere # does not: passwords begin with it.
const comment = "#!comment"

// ParseWords reads a list of passwords, one a line, as the tools that guess them
// write it: a mark of UTF-8 at its beginning and the line ends of Windows are no
// part of a password, a line of blanks is none, and neither is one that begins
// with "#!comment". Anything else is a password to the byte, with its blanks and
// in any encoding that has no zero bytes. Each is answered once. It refuses a list
// in UTF-16 or with zero bytes, a password over 128 bytes and more than MaxWords
// of them, and names the line, not what is in it.
func ParseWords(list []byte) ([]string, error) {
	if bytes.HasPrefix(list, []byte("\xff\xfe")) || bytes.HasPrefix(list, []byte("\xfe\xff")) {
		return nil, breakwater.Errorf(breakwater.KindInvalid, "the list is UTF-16: save it as UTF-8")
	}
	list = bytes.TrimPrefix(list, []byte("\ufeff"))
	var words []string
	seen := map[string]bool{}
	n := 0
	for line := range bytes.Lines(list) {
		n++
		line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
		switch {
		case len(bytes.TrimSpace(line)) == 0, bytes.HasPrefix(line, []byte(comment)):
			continue
		case bytes.IndexByte(line, 0) >= 0:
			return nil, breakwater.Errorf(breakwater.KindInvalid, "line %d holds a zero byte: the list is no text", n)
		case len(line) > maxWord:
			return nil, breakwater.Errorf(breakwater.KindInvalid, "line %d is longer than %d bytes", n, maxWord)
		}
		w := string(line)
		if seen[w] {
			continue
		}
		if len(words) == MaxWords {
			return nil, breakwater.Errorf(breakwater.KindInvalid, "more than %d passwords", MaxWords)
		}
		seen[w] = true
		words = append(words, w)
	}
	return words, nil
}

// distinct are the words that can be guesses, each once, in their order.
func distinct(words []string) []string {
	seen := make(map[string]bool, len(words))
	out := make([]string, 0, len(words))
	for _, w := range words {
		if w == "" || len(w) > maxWord || seen[w] {
			continue
		}
		seen[w] = true
		out = append(out, w)
	}
	return out
}

// digestOf is a short digest of lists, each word and each list delimited.
func digestOf(lists ...[]string) string {
	h := sha256.New()
	for _, list := range lists {
		for _, w := range list {
			h.Write([]byte(w))
			h.Write([]byte{0})
		}
		h.Write([]byte{1})
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}
