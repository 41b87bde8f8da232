package scan

import (
	"crypto/sha256"
	"slices"
	"sync"

	"breakwater"
)

// The bounds of a memo, half of each for a generation. Findings weigh what
// FileFact.weight says: the files of a hostile image may have hundreds each.
const (
	memoSize   = 1 << 16 // files remembered; about 14 MiB of them without findings
	memoWeight = 16 << 20
)

// memo remembers what a file was found to hold, so that one which occurs again,
// in another layer or in another image, is not looked at twice. The whole path
// belongs to the key: rules of secrets and of malicious files speak of
// directories (.docker/config.json, etc/cron.d), so the same content may be a
// finding in one place and none in another.
type memo struct {
	mu     sync.Mutex
	now    map[memoKey]remembered
	last   map[memoKey]remembered // the generation before; what is asked for moves up
	weight int                    // of now
}

type memoKey struct {
	sum  [sha256.Size]byte
	path string
}

// remembered is the facts that depend on content and path alone.
type remembered struct {
	secrets []breakwater.Secret
	malware []breakwater.Malware
	missed  []Miss
}

func newMemo() *memo { return &memo{now: map[memoKey]remembered{}} }

func (m *memo) get(k memoKey) (remembered, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r, ok := m.now[k]; ok {
		return r, true
	}
	r, ok := m.last[k]
	if ok {
		m.set(k, r)
	}
	return r, ok
}

func (m *memo) put(k memoKey, f FileFact) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.set(k, remembered{f.Secrets, f.Malware, f.Missed})
}

func (m *memo) set(k memoKey, r remembered) {
	fact := FileFact{Secrets: r.secrets, Malware: r.malware, Missed: r.missed}
	w := len(k.path) + fact.weight()
	if len(m.now) >= memoSize/2 || m.weight+w > memoWeight/2 {
		m.last, m.now, m.weight = m.now, map[memoKey]remembered{}, 0
	}
	m.now[k] = r
	m.weight += w
}

// into gives the file the facts.
func (r remembered) into(f *FileFact) {
	f.Secrets, f.Malware, f.Missed = slices.Clone(r.secrets), slices.Clone(r.malware), slices.Clone(r.missed)
}
