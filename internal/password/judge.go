package password

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"breakwater"
)

// Version names the rules by which passwords are judged: the built-in list, the
// variants of a name, the schemes and their costs. Raise it when any changes.
const Version = "2"

// The limits of Options.
const (
	MaxWords   = 10_000
	defaultAll = 20 * time.Second
	defaultOne = 5 * time.Second
	keptMost   = 20_000 // verdicts kept in memory
)

// Options are the operator's wishes; the zero value is fine.
type Options struct {
	Words   []string      // the operator's own list of weak passwords, at most MaxWords of at most 128 bytes
	Budget  time.Duration // CPU time for the hashes of one image; 20 s when zero
	PerHash time.Duration // CPU time for one hash; 5 s when zero
}

// Judge judges passwords. Its methods may be called from several goroutines.
type Judge struct {
	own, builtIn []string
	known        map[string]string // word → reason, for Plain
	all, one     time.Duration
	fingerprint  string
	heavy        chan struct{} // held while guesses take much memory

	mu   sync.Mutex
	kept map[[sha256.Size]byte]Verdict // by the digest of the question
}

// Verdict is what is known of a password.
type Verdict struct {
	Weak   bool
	Reason string // one of the Reason constants, when Weak
	Masked string // the password as it may be shown, when Weak
	Scheme string // as Scheme says it; "plain" for a password that was in the open
	Tried  int    // guesses made
	// Untried says why not every guess was made of a hash that is not known to
	// be weak; empty when all were.
	Untried string
	CPU     time.Duration // that the guesses cost, by the cost table
}

// New makes a judge. It refuses a list over MaxWords, a word over 128 bytes and a
// negative budget.
func New(o Options) (*Judge, error) {
	if len(o.Words) > MaxWords {
		return nil, breakwater.Invalid("words", "at most %d passwords", MaxWords)
	}
	if i := slices.IndexFunc(o.Words, func(w string) bool { return len(w) > maxWord }); i >= 0 {
		return nil, breakwater.Invalid("words", "word %d is longer than %d bytes", i+1, maxWord)
	}
	if o.Budget < 0 || o.PerHash < 0 {
		return nil, breakwater.Invalid("budget", "must not be negative")
	}
	builtIn, err := ParseWords(passwords)
	if err != nil {
		return nil, err
	}
	j := &Judge{
		own: distinct(o.Words), builtIn: builtIn,
		all: cmp.Or(o.Budget, defaultAll), one: cmp.Or(o.PerHash, defaultOne),
		heavy: make(chan struct{}, 1), kept: map[[sha256.Size]byte]Verdict{}, known: map[string]string{},
	}
	for _, w := range j.builtIn {
		j.known[strings.ToLower(w)] = ReasonBuiltIn
	}
	for _, w := range j.own {
		j.known[strings.ToLower(w)] = ReasonOwn
	}
	j.fingerprint = fmt.Sprintf("%s-%s-%s-%s", Version, digestOf(j.own, j.builtIn), j.all, j.one)
	return j, nil
}

// Fingerprint changes when the judge could come to other verdicts: with the
// version, the lists and the budgets. It does not give the lists away.
func (j *Judge) Fingerprint() string { return j.fingerprint }

// Budget is a fresh budget for one image.
func (j *Judge) Budget() *Budget { return NewBudget(j.all) }

// Question is one hash to be judged.
type Question struct {
	Account string
	Hash    string
	Extra   []string // words of the host and the service, at most 32
}

// Hash guesses the password of one hash: see Hashes.
func (j *Judge) Hash(ctx context.Context, b *Budget, account, hash string, extra ...string) Verdict {
	return j.Hashes(ctx, b, []Question{{account, hash, extra}})[0]
}

// Hashes guesses the passwords of hashes and answers in their order. They share
// what b has left in equal parts, so that the first does not starve the last;
// what one does not need goes to the next. A cancelled ctx ends it, and the
// verdicts say so.
func (j *Judge) Hashes(ctx context.Context, b *Budget, questions []Question) []Verdict {
	verdicts := make([]Verdict, len(questions))
	for i, q := range questions {
		share := b.Left() / time.Duration(len(questions)-i)
		verdicts[i] = j.hash(ctx, b, q, min(share, j.one))
	}
	return verdicts
}

func (j *Judge) hash(ctx context.Context, b *Budget, q Question, share time.Duration) Verdict {
	t, refused := parse(q.Hash, q.Account)
	v := Verdict{Scheme: t.scheme}
	if refused != "" {
		v.Untried = refused
		return v
	}
	if t.memory > maxMemory {
		v.Untried = fmt.Sprintf("one guess takes %d MiB of memory, more than %d", t.memory>>20, maxMemory>>20)
		return v
	}
	if t.cost > j.one {
		v.Untried = "one guess costs more CPU time than the budget of a hash, " + j.one.String()
		return v
	}
	most := int(share / t.cost)
	if most < 1 {
		v.Untried = "the CPU budget of the image is spent"
		return v
	}
	key := sha256.Sum256(fmt.Appendf(nil, "%d\x00%s\x00%s\x00%s", most, q.Hash, q.Account, strings.Join(q.Extra, "\x00")))
	kept, ok := j.recall(key)
	if !ok {
		kept, ok = j.crack(ctx, b, t, j.guesses(q.Account, q.Extra), most)
		if ok {
			j.keep(key, kept)
		}
	}
	b.spend(kept.CPU)
	return kept
}

func (j *Judge) recall(key [sha256.Size]byte) (Verdict, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	v, ok := j.kept[key]
	return v, ok
}

func (j *Judge) keep(key [sha256.Size]byte, v Verdict) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.kept) >= keptMost {
		clear(j.kept)
	}
	j.kept[key] = v
}

// Plain judges a password that a file has in the open. Letter case does not
// make a listed one strong.
func (j *Judge) Plain(account, password string) Verdict {
	v := Verdict{Scheme: "plain", Tried: 1, Weak: true, Masked: Mask(password)}
	folded := strings.ToLower(password)
	switch {
	case password == "":
		v.Reason = ReasonEmpty
	case isVariant(account, folded):
		v.Reason = ReasonAccount
	case j.known[folded] != "":
		v.Reason = j.known[folded]
	case utf8.RuneCountInString(password) < 8:
		v.Reason = ReasonTooShort
	case simple(password):
		v.Reason = ReasonTooPlain
	default:
		return Verdict{Scheme: "plain", Tried: 1}
	}
	return v
}

func isVariant(account, folded string) bool {
	plain, elaborate := variants(account)
	for _, w := range slices.Concat(plain, elaborate) {
		if strings.ToLower(w) == folded {
			return true
		}
	}
	return false
}

// simple reports whether a password has four different characters or fewer, or
// less than twelve characters all of one kind.
func simple(password string) bool {
	different := map[rune]bool{}
	kinds := map[string]bool{}
	n := 0
	for _, r := range password {
		different[r] = true
		n++
		switch {
		case unicode.IsDigit(r):
			kinds["digit"] = true
		case unicode.IsLower(r):
			kinds["lower"] = true
		case unicode.IsUpper(r):
			kinds["upper"] = true
		default:
			kinds["other"] = true
		}
	}
	return len(different) <= 4 || len(kinds) == 1 && n < 12
}
