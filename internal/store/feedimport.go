package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"iter"
	"strings"
	"time"

	"breakwater"
)

// ImportOptions tunes an import.
type ImportOptions struct {
	Force    bool              // take a dump that looks older or much smaller than what is there
	Progress func(done, n int) // records read so far, and how many are expected (0: unknown); may be nil
}

// Changes is what an import did.
type Changes struct {
	Added, Updated, Removed, Unchanged int
	// Names is how many (ecosystem, name) pairs wait to be matched again.
	Names int
}

// Changed reports whether anything is different from before.
func (c Changes) Changed() bool { return c.Added+c.Updated+c.Removed > 0 }

// ImportFeed replaces the records of a feed by those of the sequence, all at
// once: until the last moment readers see the old ones, and a process that is
// killed leaves the old ones. Records whose facts have not changed are not
// written. The names that changed are left in the rematch table, from which
// Rematch takes them.
//
// A record that is Unread stands for the one that is here with the same Raw
// (KnownRecords).
//
// feed.Newest and feed.Records must be true by the time the sequence ends. A
// dump is refused, and the old one stays, when the sequence fails, when it has
// no record, when its newest record is older than what is there, or when it has
// less than half as many; the starter set gives way to anything.
func (db *DB) ImportFeed(ctx context.Context, feed *breakwater.Feed, records iter.Seq2[breakwater.Advisory, error], o ImportOptions) (Changes, error) {
	in := &feedImport{db: db, feed: feed.Name}
	err := in.run(ctx, feed, records, o)
	if err != nil && in.claim > 0 {
		// What is left is unseen, and the next import would remove it too.
		_ = in.clean(context.WithoutCancel(ctx))
	}
	return in.changes, wrap(err, "store.ImportFeed(%s)", feed.Name)
}

func (in *feedImport) run(ctx context.Context, feed *breakwater.Feed, records iter.Seq2[breakwater.Advisory, error], o ImportOptions) error {
	visible, claim, err := in.db.claimFeed(ctx, feed.Name)
	if err != nil {
		return err
	}
	in.visible, in.claim = visible, claim
	previous, err := in.db.Feed(ctx, feed.Name)
	if err != nil {
		return err
	}
	if err := in.clean(ctx); err != nil {
		return err
	}
	if err := in.loadKnown(ctx); err != nil {
		return err
	}
	done := 0
	for a, err := range records {
		if err == nil {
			err = in.add(ctx, a)
		}
		if err != nil {
			return err
		}
		if done++; o.Progress != nil && done%importBatch == 0 {
			o.Progress(done, previous.Records)
		}
	}
	if err := in.flush(ctx); err != nil {
		return err
	}
	if err := in.flushRepacked(ctx); err != nil {
		return err
	}
	if err := refuse(*feed, previous, done, o.Force); err != nil {
		return err
	}
	if err := in.removeRest(ctx); err != nil {
		return err
	}
	err = in.db.Tx(ctx, func(tx *DB) error {
		if visible == 0 { // packages that no feed spoke of are known from now on
			if err := tx.putRematch(ctx, feed.Name, claim, "*", "*"); err != nil {
				return err
			}
		} else if err := tx.rematchUnknown(ctx, feed.Name, claim); err != nil {
			return err
		}
		return tx.showFeed(ctx, *feed, claim)
	})
	if err != nil {
		return err
	}
	err = in.db.queryRow(ctx, `SELECT COUNT(*) FROM rematch WHERE feed = ? AND generation = ?`, feed.Name, claim).Scan(&in.changes.Names)
	return err
}

// refuse tells a dump that must not replace what is there.
func refuse(feed, previous breakwater.Feed, records int, force bool) error {
	refused := func(why string) error {
		return breakwater.Errorf(breakwater.KindUnavailable, "the feed %s was refused: %s", feed.Name, why)
	}
	switch {
	case records == 0 || feed.Records == 0:
		return refused("it holds no record")
	case force || previous.Records == 0 || previous.Starter && !feed.Starter:
		return nil
	case feed.Newest.Before(previous.Newest):
		return refused("its newest record is older than the newest one here")
	case feed.Records*2 < previous.Records:
		return refused("it holds less than half of the records that are here")
	}
	return nil
}

// feedImport is an import under way.
type feedImport struct {
	db             *DB
	feed           string
	visible, claim int64
	known          map[string]knownRecord
	batch          []stagedRecord
	repacked       []repackedRecord
	changes        Changes
}

type knownRecord struct {
	id   int64
	hash string
	raw  string
}

// repackedRecord is a row whose record came in other bytes and says the same.
type repackedRecord struct {
	id  int64
	raw string
}

// stagedRecord is a record to write; old is the row it replaces, 0 for none.
type stagedRecord struct {
	advisory breakwater.Advisory
	hash     string
	old      int64
}

// importBatch is how many records one transaction writes: small enough that
// requests never wait long for the one writer of SQLite.
const importBatch = 250

// clean removes what an import that did not finish has left, unseen: its rows,
// its end marks and its names.
func (in *feedImport) clean(ctx context.Context) error {
	for {
		var n int
		err := in.db.Tx(ctx, func(tx *DB) error {
			if err := tx.holdFeed(ctx, in.feed, in.claim); err != nil {
				return err
			}
			ids, err := tx.ids(ctx, `SELECT id FROM advisory WHERE feed = ? AND since > ? LIMIT 2000`, in.feed, in.visible)
			if err != nil {
				return err
			}
			if n = len(ids); n > 0 {
				return tx.deleteAdvisories(ctx, ids)
			}
			if _, err := tx.exec(ctx, `UPDATE advisory SET until = 0 WHERE feed = ? AND until > ?`, in.feed, in.visible); err != nil {
				return err
			}
			_, err = tx.exec(ctx, `DELETE FROM rematch WHERE feed = ? AND generation > ?`, in.feed, in.visible)
			return err
		})
		if err != nil || n == 0 {
			return err
		}
	}
}

func (in *feedImport) loadKnown(ctx context.Context) error {
	in.known = map[string]knownRecord{}
	rows, err := in.db.query(ctx, `SELECT id, osv_id, hash, raw FROM advisory WHERE feed = ? AND until = 0`, in.feed)
	return each(rows, err, func(scan func(...any) error) error {
		var id string
		var k knownRecord
		err := scan(&k.id, &id, &k.hash, &k.raw)
		in.known[id] = k
		return err
	})
}

// KnownRecord is a stored record as far as it is needed to know it again.
type KnownRecord struct {
	ID       string
	Modified time.Time // to the millisecond
}

// KnownRecords is the visible records of a feed, by their Raw. Those of unknown bytes
// are left out.
func (db *DB) KnownRecords(ctx context.Context, feed string) (map[string]KnownRecord, error) {
	out := map[string]KnownRecord{}
	rows, err := db.query(ctx, `SELECT a.osv_id, a.raw, a.modified_ms FROM advisory a JOIN feed f ON f.name = a.feed
		WHERE a.feed = ? AND a.since <= f.generation AND (a.until = 0 OR a.until > f.generation) AND a.raw <> ''`, feed)
	err = each(rows, err, func(scan func(...any) error) error {
		var k KnownRecord
		var raw string
		var modified int64
		err := scan(&k.ID, &raw, &modified)
		k.Modified = fromMS(modified)
		out[raw] = k
		return err
	})
	return out, wrap(err, "store.KnownRecords(%s)", feed)
}

// add takes the next record: nothing to do when it is known just so.
func (in *feedImport) add(ctx context.Context, a breakwater.Advisory) error {
	known, ok := in.known[a.ID]
	delete(in.known, a.ID)
	if a.Raw != "" && known.raw == a.Raw {
		in.changes.Unchanged++
		return nil
	}
	if a.Unread() { // it was known when reading began
		return breakwater.Errorf(breakwater.KindConflict, "another import of feed %s has begun", in.feed)
	}
	hash, err := hashAdvisory(a)
	if err != nil {
		return err
	}
	switch {
	case ok && known.hash == hash:
		in.changes.Unchanged++
		return in.repack(ctx, known.id, a.Raw)
	case ok:
		in.changes.Updated++
	default:
		in.changes.Added++
	}
	in.batch = append(in.batch, stagedRecord{advisory: a, hash: hash, old: known.id})
	if len(in.batch) < importBatch {
		return nil
	}
	return in.flush(ctx)
}

// repack notes that a row's record is known by other bytes now.
func (in *feedImport) repack(ctx context.Context, id int64, raw string) error {
	if raw == "" {
		return nil
	}
	if in.repacked = append(in.repacked, repackedRecord{id, raw}); len(in.repacked) < 4*importBatch {
		return nil
	}
	return in.flushRepacked(ctx)
}

func (in *feedImport) flushRepacked(ctx context.Context) error {
	if len(in.repacked) == 0 {
		return nil
	}
	args := make([]any, 0, 2*len(in.repacked))
	for _, r := range in.repacked {
		args = append(args, r.id, r.raw)
	}
	err := in.db.Tx(ctx, func(tx *DB) error {
		if err := tx.holdFeed(ctx, in.feed, in.claim); err != nil {
			return err
		}
		_, err := tx.exec(ctx, `UPDATE advisory SET raw = v.column2 FROM (VALUES `+strings.Repeat(",(CAST(? AS BIGINT),?)", len(in.repacked))[1:]+`) AS v
			WHERE advisory.id = v.column1`, args...)
		return err
	})
	in.repacked = in.repacked[:0]
	return err
}

func hashAdvisory(a breakwater.Advisory) (string, error) {
	body, err := json.Marshal(a)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:16]), nil
}

// flush writes the batch under the claimed generation and ends what it replaces.
func (in *feedImport) flush(ctx context.Context) error {
	if len(in.batch) == 0 {
		return nil
	}
	err := in.db.Tx(ctx, func(tx *DB) error {
		if err := tx.holdFeed(ctx, in.feed, in.claim); err != nil {
			return err
		}
		var old []int64
		for _, r := range in.batch {
			if r.old != 0 {
				old = append(old, r.old)
			}
		}
		if err := tx.endAdvisories(ctx, in.feed, in.claim, old); err != nil {
			return err
		}
		return tx.insertAdvisories(ctx, in.feed, in.claim, in.batch)
	})
	in.batch = in.batch[:0]
	return err
}

// removeRest ends the records that the dump no longer has.
func (in *feedImport) removeRest(ctx context.Context) error {
	var gone []int64
	for _, k := range in.known {
		gone = append(gone, k.id)
	}
	in.changes.Removed = len(gone)
	for part := range chunks(gone, 2000) {
		err := in.db.Tx(ctx, func(tx *DB) error {
			if err := tx.holdFeed(ctx, in.feed, in.claim); err != nil {
				return err
			}
			return tx.endAdvisories(ctx, in.feed, in.claim, part)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
