package upstream

import (
	"encoding/base64"
	"encoding/json"

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

// encode and decode make a cursor of any walk's state. Kind keeps the cursor of
// a registry whose type was changed from being misread.
func encode(kind string, state any) (string, error) {
	b, err := json.Marshal(state)
	if err != nil {
		return "", breakwater.Wrap(breakwater.KindInternal, err, "upstream: a cursor cannot be made")
	}
	return kind + "." + base64.RawURLEncoding.EncodeToString(b), nil
}

func decode(kind, cursor string, state any) error {
	if cursor == "" {
		return nil
	}
	bad := breakwater.Invalid("cursor", "the saved position does not belong to this registry")
	if len(cursor) > maxCursor || len(cursor) <= len(kind) || cursor[:len(kind)+1] != kind+"." {
		return bad
	}
	b, err := base64.RawURLEncoding.DecodeString(cursor[len(kind)+1:])
	if err != nil || json.Unmarshal(b, state) != nil {
		return bad
	}
	return nil
}
