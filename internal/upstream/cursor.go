package upstream

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"breakwater"
)

const maxCursor = 16 << 10

// position is a place in one list that comes in pages. The name is that of the
// item to do next; empty means the first of the page. Total is how many items
// the registry counted when it gave the last page: fewer later means that
// items before us went away and the rest moved up past us.
type position struct {
	Page     int    `json:"p,omitempty"` // counts from 1; 0: not begun
	Name     string `json:"n,omitempty"`
	Total    int    `json:"t,omitempty"`
	Restarts int    `json:"r,omitempty"`
	Ended    bool   `json:"e,omitempty"`
}

// maxRestarts is how often one list may move under the walk before it goes on
// regardless: a registry whose count keeps falling must not hold it forever.
const maxRestarts = 3

func (p *position) restart() bool {
	if p.Restarts >= maxRestarts {
		return false
	}
	*p = position{Page: 1, Restarts: p.Restarts + 1}
	return true
}

// encode makes a cursor of any walk's state. Kind tells the walks apart.
func encode(kind string, state any) (string, error) {
	b, err := json.Marshal(state)
	if err != nil {
		return "", breakwater.Wrap(breakwater.KindInternal, err, "upstream: a cursor cannot be made")
	}
	return kind + "." + base64.RawURLEncoding.EncodeToString(b), nil
}

// decode reads a cursor back. One that is not of this walk (the registry was
// given another type meanwhile, an older version wrote it) is the start: to
// tell an image twice does no harm, to fail on every attempt would.
func decode[S any](kind, cursor string) (state S) {
	text, ok := strings.CutPrefix(cursor, kind+".")
	if !ok || len(text) > maxCursor {
		return state
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || json.Unmarshal(b, &state) != nil {
		var start S
		return start
	}
	return state
}
