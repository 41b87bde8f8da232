package store

import (
	"context"
	"time"

	"breakwater"
)

const feedColumns = `name, url, etag, newest_ms, dated_ms, imported_ms, checked_ms, records, starter, last_error`

func scanFeed(scan func(...any) error) (f breakwater.Feed, err error) {
	var newest, dated, imported, checked int64
	err = scan(&f.Name, &f.URL, &f.ETag, &newest, &dated, &imported, &checked, &f.Records, &f.Starter, &f.LastError)
	f.Newest, f.Dated, f.Imported, f.Checked = fromMS(newest), fromMS(dated), fromMS(imported), fromMS(checked)
	return f, err
}

// Feeds is every feed that was ever imported or tried, by name. A feed without
// records has only failed so far.
func (db *DB) Feeds(ctx context.Context) (out []breakwater.Feed, err error) {
	rows, err := db.query(ctx, `SELECT `+feedColumns+` FROM feed ORDER BY name`)
	err = each(rows, err, func(scan func(...any) error) error {
		f, err := scanFeed(scan)
		out = append(out, f)
		return err
	})
	return out, wrap(err, "store.Feeds")
}

// Feed is one feed; NotFound when it was never tried.
func (db *DB) Feed(ctx context.Context, name string) (breakwater.Feed, error) {
	f, err := scanFeed(db.queryRow(ctx, `SELECT `+feedColumns+` FROM feed WHERE name = ?`, name).Scan)
	return f, wrap(notFound(err, "feed"), "store.Feed(%s)", name)
}

// PutFeedCheck remembers that a feed's source was asked and brought nothing new:
// it is unchanged, or it failed for a reason that can be shown to people.
func (db *DB) PutFeedCheck(ctx context.Context, name, failure string) error {
	_, err := db.exec(ctx, `INSERT INTO feed (name, checked_ms, last_error) VALUES (?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET checked_ms = excluded.checked_ms, last_error = excluded.last_error`, name, ms(db.Now()), failure)
	return wrap(err, "store.PutFeedCheck(%s)", name)
}

// FeedsDue reports whether no source of feeds was asked since then.
func (db *DB) FeedsDue(ctx context.Context, since time.Time) (due bool, err error) {
	var last int64
	err = db.queryRow(ctx, `SELECT COALESCE(max(checked_ms), 0) FROM feed`).Scan(&last)
	return last <= ms(since), wrap(err, "store.FeedsDue")
}

// claimFeed begins an import: it answers the generation to write under, above
// every generation that an earlier import may have written. Whoever claimed
// before and still writes finds out and stops (holdFeed).
func (db *DB) claimFeed(ctx context.Context, name string) (visible, claim int64, err error) {
	err = db.Tx(ctx, func(tx *DB) error {
		_, err := tx.exec(ctx, `INSERT INTO feed (name) VALUES (?) ON CONFLICT (name) DO NOTHING`, name)
		if err != nil {
			return err
		}
		return tx.writeRow(ctx, `UPDATE feed SET claim = CASE WHEN claim > generation THEN claim ELSE generation END + 1
			WHERE name = ? RETURNING generation, claim`, name).Scan(&visible, &claim)
	})
	return visible, claim, err
}

// holdFeed makes sure, at the head of each transaction of an import, that no
// other import has begun since.
func (db *DB) holdFeed(ctx context.Context, name string, claim int64) error {
	n, err := db.affected(ctx, `UPDATE feed SET claim = claim WHERE name = ? AND claim = ?`, name, claim)
	if err == nil && n == 0 {
		err = breakwater.Errorf(breakwater.KindConflict, "another import of feed %s has begun", name)
	}
	return err
}

// showFeed makes what an import wrote visible, all at once.
func (db *DB) showFeed(ctx context.Context, f breakwater.Feed, claim int64) error {
	if err := db.lockMatching(ctx, true); err != nil {
		return err
	}
	if err := db.holdFeed(ctx, f.Name, claim); err != nil {
		return err
	}
	checked := ms(db.Now())
	if f.Starter {
		checked = 0 // no source was asked
	}
	_, err := db.exec(ctx, `UPDATE feed SET url = ?, etag = ?, newest_ms = ?, dated_ms = ?, imported_ms = ?, checked_ms = ?, records = ?,
		starter = ?, last_error = '', generation = ? WHERE name = ?`,
		f.URL, f.ETag, ms(f.Newest), ms(f.Dated), ms(db.Now()), checked, f.Records, f.Starter, claim, f.Name)
	return err
}

// matchingLock is the key of a PostgreSQL advisory lock: matching holds it
// shared, showing a new generation holds it alone. So every package version
// that was matched with the old generation is committed, and found by the
// re-match, when the new one shows.
const matchingLock = 0x62776b72

// lockMatching takes the lock until the end of the transaction. SQLite has one
// writer, and needs none.
func (db *DB) lockMatching(ctx context.Context, alone bool) error {
	if db.dialect == SQLite {
		return nil
	}
	lock := `SELECT pg_advisory_xact_lock_shared(?)`
	if alone {
		lock = `SELECT pg_advisory_xact_lock(?)`
	}
	_, err := db.exec(ctx, lock, matchingLock)
	return err
}
