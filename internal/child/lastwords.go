package child

import (
	"fmt"
	"io"
	"log"
	"sync"
)

// lastWords keeps the first and the last maxDetail/2 bytes of what is written:
// a crash of a Go program says first why, then at length where.
type lastWords struct {
	mu    sync.Mutex
	first []byte
	last  []byte
	lost  int64 // bytes between the two
}

// Write implements io.Writer. It never fails, so that a child never waits.
func (l *lastWords) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(p)
	if room := maxDetail/2 - len(l.first); room > 0 {
		take := min(room, len(p))
		l.first, p = append(l.first, p[:take]...), p[take:]
	}
	l.last = append(l.last, p...)
	if over := len(l.last) - maxDetail/2; over > 0 {
		l.lost += int64(over)
		l.last = append(l.last[:0], l.last[over:]...)
	}
	return n, nil
}

func (l *lastWords) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.first, l.last, l.lost = l.first[:0], l.last[:0], 0
}

func (l *lastWords) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	middle := ""
	if l.lost > 0 {
		middle = fmt.Sprintf("\n… %d bytes …\n", l.lost)
	}
	return clean(string(l.first)+middle+string(l.last), 2*maxDetail)
}

// quiet is for net/http, which would complain about a child that was killed.
func quiet() *log.Logger { return log.New(io.Discard, "", 0) }
