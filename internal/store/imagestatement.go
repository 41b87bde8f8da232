package store

import (
	"context"
	"database/sql"
	"runtime"
	"sync"
)

// listStatements keeps the statements of the list prepared on SQLite's readers:
// preparing them anew took a third of a request's time. PostgreSQL's driver
// keeps its own.
type listStatements struct {
	mu   sync.Mutex
	by   map[string]*sql.Stmt
	gate chan struct{} // a token for each list that runs
}

// listsAtOnce is how many lists run at the same time; more wait in the order in
// which they came. A list is nearly all computing (or, on PostgreSQL, waiting for
// one other process that is), so that running more at once makes each slower and
// the unlucky much slower.
func (s *shared) listsAtOnce() int {
	if s.dialect == SQLite {
		return max(2, runtime.GOMAXPROCS(0))
	}
	return max(4, 2*runtime.GOMAXPROCS(0))
}

// enter waits for a place among the lists that run; leave gives it back.
func (s *listStatements) enter(ctx context.Context) error {
	select {
	case s.gate <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *listStatements) leave() { <-s.gate }

// prepareList prepares once. It takes a connection, so it comes before View.
func (db *DB) prepareList(ctx context.Context) error {
	if db.dialect != SQLite {
		return nil
	}
	s := &db.list
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.by != nil {
		return nil
	}
	by := map[string]*sql.Stmt{}
	for _, query := range []string{revQuery, db.pageQuery(), db.childrenQuery(), loadQuery, db.deltaQuery()} {
		stmt, err := db.reader.PrepareContext(ctx, query)
		if err != nil {
			return err
		}
		by[query] = stmt
	}
	s.by = by
	return nil
}

// queryList is query by a prepared statement where there is one.
func (db *DB) queryList(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	tx, ok := db.q.(*sql.Tx)
	if !ok || db.write {
		return db.query(ctx, query, args...)
	}
	db.list.mu.Lock()
	stmt := db.list.by[query]
	db.list.mu.Unlock()
	if stmt == nil {
		return db.query(ctx, query, args...)
	}
	return tx.StmtContext(ctx, stmt).QueryContext(ctx, args...)
}
