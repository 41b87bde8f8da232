package store

import (
	"context"

	"breakwater"
)

// maxLayerFacts bounds the facts of one layer as they are kept, compressed by
// their writer.
const maxLayerFacts = 64 << 20

// LayerCache keeps what the scanner found in each layer, by its own key (layer
// digest and scanner version). It is what internal/scan asks of a cache.
type LayerCache struct{ db *DB }

// LayerCache is the layer cache in this database.
func (db *DB) LayerCache() LayerCache { return LayerCache{db} }

// Get answers the facts under key; NotFound when there are none.
func (c LayerCache) Get(ctx context.Context, key string) (body []byte, err error) {
	err = c.db.queryRow(ctx, `SELECT body FROM layer_index WHERE cache_key = ?`, key).Scan(&body)
	return body, wrap(notFound(err, "layer facts"), "store.LayerCache.Get(%s)", key)
}

// Put keeps facts under key; the same key always means the same facts, so the
// first writer wins.
func (c LayerCache) Put(ctx context.Context, key string, body []byte) error {
	if len(body) > maxLayerFacts {
		return breakwater.Errorf(breakwater.KindTooLarge, "the facts of one layer are too large to keep")
	}
	_, err := c.db.exec(ctx, `INSERT INTO layer_index (cache_key, body, created_ms) VALUES (?, ?, ?) ON CONFLICT (cache_key) DO NOTHING`,
		key, body, ms(c.db.Now()))
	return wrap(err, "store.LayerCache.Put(%s)", key)
}
