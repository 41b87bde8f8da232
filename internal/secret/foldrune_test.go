package secret

import (
	"math/rand/v2"
	"os"
	"strings"
	"testing"
)

// TestFoldRunes puts runes that fold to ASCII into, before and after planted
// secrets, near and far, in texts long enough that windows count, and holds the
// engine equal to gitleaks' detector.
func TestFoldRunes(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 5))
	far := strings.Repeat("lorem ipsum dolor sit amet; consectetur adipiscing elit\n", 60) // farther than foldReach
	runes := []string{"\u212a", "\u017f", "\u0130"}
	found := 0
	for _, rule := range ours().rules {
		path := pathFor(rule.id)
		for _, p := range plants(r, rule, 1) {
			if underRace {
				r.Shuffle(len(runes), func(i, j int) { runes[i], runes[j] = runes[j], runes[i] })
			}
			for i, rn := range runes {
				if underRace && i > 0 {
					break
				}
				at := r.IntN(len(p) + 1)
				folded := strings.Map(func(c rune) rune {
					switch {
					case (c == 'k' || c == 'K') && rn == "\u212a", (c == 's' || c == 'S') && rn == "\u017f":
						return []rune(rn)[0]
					}
					return c
				}, p)
				texts := []string{
					rn + far + p + far, far + p + far + rn, far + p[:at] + rn + p[at:] + far + p + "\n",
					far + folded + far + "\n", far + folded + "\n" + far + p + "\n", far + rn + " " + p + " " + rn + far,
				}
				if os.Getenv(corpusVariable) == "" { // two of them, drawn; CI tries all
					r.Shuffle(len(texts), func(i, j int) { texts[i], texts[j] = texts[j], texts[i] })
					texts = texts[:2]
				}
				if underRace {
					texts = texts[:1]
				}
				for _, text := range texts {
					found += compare(t, path, text)
				}
			}
		}
		if t.Failed() {
			t.Fatalf("stopped at rule %s", rule.id)
		}
	}
	t.Logf("%d findings, equal", found)
	if found == 0 {
		t.Error("nothing was found")
	}
}
