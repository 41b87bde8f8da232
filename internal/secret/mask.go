package secret

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// stars stands for what is left out; always as many, so that the length of a
// secret cannot be told.
const stars = "******"

// shortest is how many characters a secret must have for four of them to be shown.
const shortest = 12

// mask shows at most the first and the last two characters of a secret, nothing
// of a short one or of one that spans lines, and of a private key its heading.
func mask(secret string) string {
	if secret == "" {
		return ""
	}
	if i := strings.Index(secret, "-----BEGIN"); i >= 0 {
		if h := secret[i:]; len(h) > 10 {
			if end := strings.Index(h[10:], "-----"); end >= 0 && end < 60 && isHeading(h[10:10+end]) {
				return h[:10+end+5] + " ***"
			}
		}
		return stars
	}
	secret = strings.Trim(secret, `"'`)
	if utf8.RuneCountInString(secret) < shortest || !isOneLine(secret) {
		return stars
	}
	runes := []rune(secret)
	return string(runes[:2]) + stars + string(runes[len(runes)-2:])
}

func isHeading(s string) bool {
	for _, c := range []byte(s) {
		if c != ' ' && (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

func isOneLine(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if !unicode.IsPrint(r) && r != '\t' {
			return false
		}
	}
	return true
}
