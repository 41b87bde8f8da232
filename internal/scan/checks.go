package scan

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"sync/atomic"

	"breakwater"
	"breakwater/internal/baseline"
)

// checks are those that cost something and are therefore looked for only when
// the scope asks for them. Packages, files and permissions come along always; the
// sums of files are part of looking for malicious ones.
type checks struct {
	secrets, malware, config bool
	// clamd is what the daemon says of itself and its signatures; empty when there
	// is none, or when it did not answer, which absent says.
	clamd  string
	absent string
	silent *atomic.Int32 // files of this scan that clamd left unanswered
}

// wanted is what the scope asks for of what this scanner can do.
func (s *Scanner) wanted(scope breakwater.Scope) checks {
	return checks{
		secrets: s.opts.Secrets != nil && scope.Has(breakwater.CheckSecret),
		malware: s.opts.Malware != nil && scope.Has(breakwater.CheckFile),
		config:  s.opts.Passwords != nil && scope.Has(breakwater.CheckBaseline),
	}
}

func (s *Scanner) looker(want checks) *looker {
	l := &looker{detect: s.detect, memo: s.memo, texts: &s.texts, clamd: want.clamd != "", silent: want.silent}
	if want.secrets {
		l.secrets = s.opts.Secrets
	}
	if want.malware {
		l.malware = s.opts.Malware
	}
	if !want.secrets || !want.malware || s.opts.Malware.Clamd() {
		l.memo = newMemo() // what this scan does not look for is not remembered as absent
	}
	return l
}

// version is what writes the facts of these checks: the form of the facts, and
// the rules of each check that is asked for.
func (s *Scanner) version(want checks) string {
	h := sha256.New()
	if want.secrets {
		h.Write([]byte("secrets " + s.opts.Secrets.Fingerprint() + "\n"))
	}
	if want.malware {
		h.Write([]byte("malware " + s.opts.Malware.Fingerprint() + " " + want.clamd + "\n"))
	}
	if want.config {
		h.Write([]byte("config " + baseline.Version + " " + s.opts.Passwords.Fingerprint() + "\n"))
	}
	return Version + "+" + hex.EncodeToString(h.Sum(nil)[:6])
}

// greet asks clamd, when one is configured, whether it is there. New signatures
// of the daemon are another version of facts; a daemon that is not there fails
// the check once, and not again for each file.
func (s *Scanner) greet(ctx context.Context, want checks) checks {
	if !want.malware || !s.opts.Malware.Clamd() {
		return want
	}
	version, err := s.opts.Malware.Ping(ctx)
	if err != nil {
		want.absent = "clamd did not answer: " + message(err)
	}
	want.clamd, want.silent = version, new(atomic.Int32)
	return want
}

// Version is what writes the facts of a scan with this scope; see CacheKey.
func (s *Scanner) Version(scope breakwater.Scope) string { return s.version(s.wanted(scope)) }

// answering are the versions whose cached facts hold what is asked for: exactly
// that, or everything, of which only takes what was asked for.
func (s *Scanner) answering(want checks) []string {
	if s.cache == nil {
		return nil
	}
	all := s.wanted(breakwater.ScopeAll)
	all.clamd, all.absent, all.silent = want.clamd, want.absent, want.silent
	if want == all {
		return []string{s.version(all)}
	}
	return []string{s.version(all), s.version(want)}
}

// only leaves out what was not asked for: facts that another scan kept may hold it.
func (want checks) only(inv *breakwater.Inventory) {
	if !want.secrets {
		inv.Secrets = nil
	}
	if !want.malware {
		inv.Malware, inv.FileList = nil, inv.FileList.WithoutSums()
	}
	if !want.config {
		inv.Configs = nil
	}
}
