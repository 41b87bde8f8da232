package password

import (
	"iter"
	"strconv"
	"strings"
)

// Reasons why a password is weak.
const (
	ReasonEmpty    = "empty"
	ReasonAccount  = "account_name"
	ReasonOwn      = "own_list"
	ReasonBuiltIn  = "built_in_list"
	ReasonContext  = "service_name" // a word of the host or the service
	ReasonTooShort = "too_short"    // Plain only: less than 8 characters
	ReasonTooPlain = "too_simple"   // Plain only: one kind of character, or one character again and again
)

// maxExtra bounds the words of the host and the service that are tried.
const maxExtra = 32

// The years that people put after a name.
const (
	firstYear = 2015
	lastYear  = 2027
)

type guess struct {
	word   string
	reason string
}

// guesses are all guesses for an account, the likeliest first, each once.
func (j *Judge) guesses(account string, extra []string) iter.Seq[guess] {
	return func(yield func(guess) bool) {
		if !yield(guess{"", ReasonEmpty}) {
			return
		}
		seen := map[string]bool{"": true}
		each := func(words []string, reason string) bool {
			for _, w := range words {
				if w == "" || len(w) > maxWord || seen[w] {
					continue
				}
				seen[w] = true
				if !yield(guess{w, reason}) {
					return false
				}
			}
			return true
		}
		if len(extra) > maxExtra {
			extra = extra[:maxExtra]
		}
		// A dear hash pays for some dozens of guesses only, so the commonest words
		// come before what few people make of their name.
		plain, elaborate := variants(account)
		common := min(len(j.builtIn), commonWords)
		_ = each(plain, ReasonAccount) &&
			each(j.builtIn[:common], ReasonBuiltIn) &&
			each(extra, ReasonContext) &&
			each(j.own, ReasonOwn) &&
			each(elaborate, ReasonAccount) &&
			each(j.builtIn[common:], ReasonBuiltIn)
	}
}

// commonWords are so many of the built-in list, the commonest, that they are
// tried first.
const commonWords = 32

// variants are what people make of an account's name: often, and now and then.
func variants(name string) (plain, elaborate []string) {
	if name == "" || len(name) > 64 {
		return nil, nil
	}
	lower := strings.ToLower(name)
	title := strings.ToUpper(lower[:1]) + lower[1:]
	plain = []string{name, lower, title, strings.ToUpper(name), name + "123", name + "@123", title + "123", title + "@123", name + "1"}
	elaborate = []string{
		name + "12", name + "1234", name + "123456", name + name, reverse(name), name + "!", title + "!", title + "1", "123" + name, name + "#123", name + "_123", name + "pass", name + "password",
	}
	for year := lastYear; year >= firstYear; year-- {
		y := strconv.Itoa(year)
		elaborate = append(elaborate, name+y, title+y, name+"@"+y, title+"@"+y)
	}
	return plain, elaborate
}

func reverse(s string) string {
	r := []rune(s)
	for i, k := 0, len(r)-1; i < k; i, k = i+1, k-1 {
		r[i], r[k] = r[k], r[i]
	}
	return string(r)
}
