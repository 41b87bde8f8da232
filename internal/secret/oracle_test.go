package secret

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"regexp/syntax"
	"slices"
	"strings"
	"sync"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/spf13/viper"
	"github.com/zricethezav/gitleaks/v8/config"
	"github.com/zricethezav/gitleaks/v8/detect"
	gitleaks "github.com/zricethezav/gitleaks/v8/report"
)

// same is what must be equal between the oracle and us.
type same struct {
	Rule                                       string
	StartLine, EndLine, StartColumn, EndColumn int
	Match, Secret                              string
}

func sortSame(list []same) []same {
	slices.SortFunc(list, func(a, b same) int {
		return cmp.Or(a.StartLine-b.StartLine, a.StartColumn-b.StartColumn, strings.Compare(a.Rule, b.Rule), strings.Compare(a.Match, b.Match))
	})
	return list
}

// oracle is gitleaks' own detector with its own rules, read by its own loader.
var oracle = sync.OnceValue(func() *detect.Detector {
	v := viper.New()
	v.SetConfigType("toml")
	if err := v.ReadConfig(strings.NewReader(config.DefaultConfig)); err != nil {
		panic(err)
	}
	var vc config.ViperConfig
	if err := v.Unmarshal(&vc); err != nil {
		panic(err)
	}
	cfg, err := vc.Translate()
	if err != nil {
		panic(err)
	}
	return detect.NewDetector(cfg)
})

// ours is the engine with gitleaks' rules alone.
var ours = sync.OnceValue(func() *engine {
	rs := &ruleset{}
	if err := rs.readRules([]byte(config.DefaultConfig)); err != nil {
		panic(err)
	}
	e, err := newEngine(rs)
	if err != nil {
		panic(err)
	}
	return e
})

// callDetect makes the argument of a detector's function without naming its
// type, which gitleaks means to move.
func callDetect[F any](detect func(F) []gitleaks.Finding, path, text string) []gitleaks.Finding {
	var fragment F
	v := reflect.ValueOf(&fragment).Elem()
	v.FieldByName("Raw").SetString(text)
	v.FieldByName("FilePath").SetString(path)
	return detect(fragment)
}

func fromOracle(path, text string) []same {
	var out []same
	for _, f := range callDetect(oracle().Detect, path, text) {
		out = append(out, same{f.RuleID, f.StartLine, f.EndLine, f.StartColumn, f.EndColumn, f.Match, f.Secret})
	}
	return sortSame(out)
}

func fromOurs(path string, text []byte) []same {
	e := ours()
	if e.skips(path) {
		return nil
	}
	var out []same
	for _, f := range filter(e.scan(path, text)) {
		l := f.loc
		out = append(out, same{f.rule.id, l.startLine, l.endLine, l.startColumn, l.endColumn, f.match, f.secret})
	}
	return sortSame(out)
}

func compare(t *testing.T, path, text string) int {
	t.Helper()
	want, got := fromOracle(path, text), fromOurs(path, []byte(text))
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("%s (%.300q): (-gitleaks +ours):\n%s", path, text, diff)
	}
	return len(want)
}

// TestWindows lists what the analysis proved (with -v), and fails when a rule of
// gitleaks that had windows has none any more.
func TestWindows(t *testing.T) {
	e := ours()
	var whole, anyKeyword []string
	shaped := 0
	for _, r := range e.rules {
		if r.re == nil {
			t.Logf("%-45s path only", r.id)
			continue
		}
		if !r.sure {
			anyKeyword = append(anyKeyword, r.id)
		}
		if len(r.alts) == 0 {
			whole = append(whole, r.id)
			t.Logf("%-45s whole text", r.id)
			continue
		}
		if r.alts[0].shape != nil {
			shaped++
		}
		var anchors []string
		for _, a := range r.alts {
			anchors = append(anchors, fmt.Sprintf("%q of %d bytes, %d before, %d after", a.literals[0], len(a.seq), a.left.fixed, a.right.fixed))
		}
		t.Logf("%-45s assignment: %v; %s", r.id, r.alts[0].shape != nil, strings.Join(anchors, " | "))
	}
	t.Logf("%d rules, %d of them of the assignment shape", len(e.rules), shaped)
	if diff := gocmp.Diff([]string{"facebook-access-token", "sourcegraph-access-token"}, whole); diff != "" {
		t.Errorf("rules that run on the whole text (-want +got):\n%s", diff)
	}
	known := []string{"airtable-personnal-access-token", "facebook-access-token", "kubernetes-secret-yaml", "sidekiq-sensitive-url", "slack-config-access-token",
		"slack-webhook-url", "sourcegraph-access-token"}
	for _, id := range anyKeyword {
		if !slices.Contains(known, id) {
			t.Errorf("%s: its matches need not contain its keywords", id)
		}
	}
	if shaped < 85 {
		t.Errorf("only %d rules have the assignment shape", shaped)
	}
}

// sample makes a text that the node matches, choosing at random.
func sample(r *rand.Rand, n *syntax.Regexp) string {
	switch n.Op {
	case syntax.OpLiteral:
		s := string(n.Rune)
		if n.Flags&syntax.FoldCase != 0 && r.IntN(2) == 0 {
			s = strings.ToUpper(s)
		} else if n.Flags&syntax.FoldCase != 0 {
			s = strings.ToLower(s)
		}
		return s
	case syntax.OpCharClass:
		for range 50 {
			i := 2 * r.IntN(len(n.Rune)/2)
			lo, hi := n.Rune[i], min(n.Rune[i+1], 0x2000)
			if c := lo + rune(r.IntN(int(max(hi-lo, 0))+1)); c < 0x7f || r.IntN(30) == 0 {
				return string(c)
			}
		}
		return string(n.Rune[0])
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return string(rune(' ' + r.IntN(95)))
	case syntax.OpAlternate:
		return sample(r, n.Sub[r.IntN(len(n.Sub))])
	case syntax.OpStar, syntax.OpPlus, syntax.OpQuest, syntax.OpRepeat:
		lo, hi := n.Min, n.Max
		switch n.Op {
		case syntax.OpStar:
			lo, hi = 0, 20
		case syntax.OpPlus:
			lo, hi = 1, 20
		case syntax.OpQuest:
			lo, hi = 0, 1
		}
		if hi < 0 {
			hi = lo + 40
		}
		var sb strings.Builder
		for range lo + r.IntN(hi-lo+1) {
			sb.WriteString(sample(r, n.Sub[0]))
		}
		return sb.String()
	}
	var sb strings.Builder
	for _, sub := range n.Sub {
		sb.WriteString(sample(r, sub))
	}
	return sb.String()
}

// plants makes n texts that a rule's expression matches, its keyword with them.
func plants(r *rand.Rand, rule *rule, n int) []string {
	if rule.re == nil {
		return nil
	}
	tree := rule.re.tree()
	var out []string
	for range n {
		s := sample(r, tree)
		if !rule.sure && len(rule.keywords) > 0 {
			s = rule.keywords[r.IntN(len(rule.keywords))] + "\n" + s
		}
		out = append(out, s)
	}
	return out
}

func pathFor(id string) string {
	switch id {
	case "freemius-secret-key":
		return "srv/a.php"
	case "hashicorp-tf-password":
		return "srv/main.tf"
	case "kubernetes-secret-yaml":
		return "srv/a.yaml"
	case "nuget-config-password":
		return "srv/nuget.config"
	}
	return "srv/app.conf"
}

// TestSameAsGitleaks plants secrets of every rule in places that are hard for
// windows, and holds the engine equal to gitleaks' detector.
func TestSameAsGitleaks(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 13))
	each := 2
	if os.Getenv(corpusVariable) != "" {
		each = 10
	}
	mixed := 300
	if underRace {
		each, mixed = 1, 20
	}
	found, perRule := 0, map[string]int{}
	var all []string
	for _, rule := range ours().rules {
		path := pathFor(rule.id)
		for _, p := range plants(r, rule, each) {
			all = append(all, p)
			places := placed(r, p)
			if underRace {
				r.Shuffle(len(places), func(i, j int) { places[i], places[j] = places[j], places[i] })
				places = places[:2]
			}
			for _, text := range places {
				found += compare(t, path, text)
			}
			for _, s := range fromOurs(path, []byte("x\n"+p+"\n")) {
				perRule[s.Rule]++
			}
		}
		if t.Failed() {
			t.Fatalf("stopped at rule %s", rule.id)
		}
	}
	found += compare(t, "etc/cert.p12", "")
	for range mixed {
		var sb strings.Builder
		for range 1 + r.IntN(12) {
			sb.WriteString(all[r.IntN(len(all))])
			sb.WriteString([]string{"", " ", "\n", "\r\n", "\"", "=", ": ", "\n---\n", "\x80", "# gitleaks:allow\n"}[r.IntN(10)])
		}
		text := []byte(sb.String())
		for range r.IntN(4) {
			text[r.IntN(len(text))] = "\n =\"'x\x00\xe2;"[r.IntN(9)]
		}
		found += compare(t, []string{"a.yaml", "b.php", "c.tf", "nuget.config", "d"}[r.IntN(5)], string(text))
	}
	var without []string
	for _, rule := range ours().rules {
		if rule.re != nil && perRule[rule.id] == 0 {
			without = append(without, rule.id)
		}
	}
	t.Logf("%d findings, equal; rules that planting did not reach: %v", found, without)
	if len(without) > 25 {
		t.Errorf("%d rules were not reached", len(without))
	}
}

// placed puts a planted text into hard surroundings.
func placed(r *rand.Rand, p string) []string {
	half := len(p) / 2
	long := strings.Repeat("lorem key ipsum, token dolor; ", 40)
	return []string{
		p, p + "\n", "\n" + p, "k = " + p + " ", p + p, p + "\r\n" + p + "\r\n",
		p[:half], p[half:], p[1:], p[:len(p)-1], "x" + p + "x", "\xff" + p + "\xff", "\xe2\x84" + p + "\xaa\x80\x80",
		"\xac\xac\xac\xac" + p + "\xac", long + p + long, "api_key=" + p, p + " # gitleaks:allow\n" + p + "\nlast",
		strings.ReplaceAll(p, "k", "\u212a") + "\n" + p, "\u0130 api " + p, strings.ToUpper(p) + "\n" + strings.ToLower(p),
		"\"" + p + "\":\"" + p + "\"", p + "\\n" + p, strings.Repeat(p[:min(len(p), 200)]+"\n", 5),
	}
}
