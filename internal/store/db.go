package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"breakwater"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"modernc.org/sqlite"
	sqlitelib "modernc.org/sqlite/lib"
)

// Dialect is which database is underneath.
type Dialect string

// The dialects.
const (
	SQLite     Dialect = "sqlite"
	PostgreSQL Dialect = "postgres"
)

// Options says where the database is.
type Options struct {
	Path     string           // file of the SQLite database; used when Postgres is empty
	Postgres string           // a PostgreSQL connection string
	MaxConns int              // PostgreSQL connections, or SQLite readers; 0: 4 for each core, at least 8
	Now      func() time.Time // nil: time.Now
}

// DB is the database, or one transaction of it.
type DB struct {
	*shared
	q     querier          // of a transaction; nil outside
	sqlTx *sql.Tx          // of a SQLite transaction
	pgTx  pgx.Tx           // of a PostgreSQL write transaction
	time  time.Time        // frozen in a transaction
	write bool             // a write transaction
	revs  map[string]int64 // of a write transaction: image revisions given out (imagerev.go)
}

type shared struct {
	dialect Dialect
	reader  *sql.DB
	writer  *sql.DB
	pool    *pgxpool.Pool // PostgreSQL only
	now     func() time.Time
	index   imageIndexes
	list    listStatements
	rebound sync.Map // statement → statement with $n, PostgreSQL only

	boundCount atomic.Int64 // statements kept there, about
}

type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Open connects and migrates. The caller closes the DB.
func Open(ctx context.Context, o Options) (*DB, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.MaxConns == 0 {
		o.MaxConns = max(8, 4*runtime.GOMAXPROCS(0))
	}
	s := &shared{now: o.Now}
	var err error
	if o.Postgres != "" {
		err = s.openPostgres(ctx, o)
	} else {
		err = s.openSQLite(o)
	}
	if err != nil {
		return nil, fmt.Errorf("store.Open: %w", err)
	}
	s.list.gate = make(chan struct{}, s.listsAtOnce())
	db := &DB{shared: s}
	if err := db.migrate(ctx); err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("store.Open: %w", err)
	}
	return db, nil
}

func (s *shared) openPostgres(ctx context.Context, o Options) error {
	cfg, err := pgxpool.ParseConfig(o.Postgres)
	if err != nil {
		return errors.New("the PostgreSQL connection string cannot be read") // err would repeat the password
	}
	cfg.MaxConns = int32(o.MaxConns)
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return err
	}
	s.dialect, s.pool = PostgreSQL, pool
	s.writer = stdlib.OpenDBFromPool(pool)
	s.reader = s.writer
	return s.writer.PingContext(ctx)
}

func (s *shared) openSQLite(o Options) error {
	if o.Path == "" {
		return errors.New("no database path")
	}
	s.dialect = SQLite
	dsn := func(extra ...string) string {
		v := url.Values{"_pragma": append([]string{
			"busy_timeout(20000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(ON)",
			"temp_store(MEMORY)", "cache_size(-32768)", "mmap_size(67108864)", "journal_size_limit(67108864)",
		}, extra...)}
		v.Set("_txlock", "immediate")
		return "file:" + (&url.URL{Path: o.Path}).EscapedPath() + "?" + v.Encode()
	}
	var err error
	if s.writer, err = sql.Open("sqlite", dsn()); err != nil {
		return err
	}
	s.writer.SetMaxOpenConns(1)
	if err := s.writer.Ping(); err != nil { // creates the file in WAL mode before a reader looks
		return err
	}
	readDSN := strings.Replace(dsn("query_only(ON)"), "_txlock=immediate", "_txlock=deferred", 1)
	if s.reader, err = sql.Open("sqlite", readDSN); err != nil {
		return err
	}
	s.reader.SetMaxOpenConns(o.MaxConns)
	s.reader.SetMaxIdleConns(o.MaxConns)
	return nil
}

// Close closes every connection.
func (db *DB) Close() error {
	err := db.writer.Close()
	if db.reader != db.writer && db.reader != nil {
		err = errors.Join(err, db.reader.Close())
	}
	if db.pool != nil {
		db.pool.Close()
	}
	return err
}

// Dialect tells which database is underneath.
func (db *DB) Dialect() Dialect { return db.dialect }

// Writer is the connection pool that writes; for River and tests.
func (db *DB) Writer() *sql.DB { return db.writer }

// Pool is the PostgreSQL pool; nil on SQLite.
func (db *DB) Pool() *pgxpool.Pool { return db.pool }

// SQLTx is the SQLite transaction this DB runs in; nil outside one.
func (db *DB) SQLTx() *sql.Tx { return db.sqlTx }

// PgxTx is the PostgreSQL write transaction this DB runs in; nil outside one.
func (db *DB) PgxTx() pgx.Tx { return db.pgTx }

// Now is the time, one value for a whole transaction, in UTC to the millisecond.
func (db *DB) Now() time.Time {
	if !db.time.IsZero() {
		return db.time
	}
	return db.now().UTC().Truncate(time.Millisecond)
}

// Ping answers whether the database does.
func (db *DB) Ping(ctx context.Context) error {
	var one int
	return db.queryRow(ctx, `SELECT 1`).Scan(&one)
}

// Tx runs f in one write transaction: committed when f returns nil, rolled back
// otherwise. Inside a write transaction it joins that one. On PostgreSQL a
// serialisation failure or deadlock is tried again, so f must be safe to repeat.
func (db *DB) Tx(ctx context.Context, f func(tx *DB) error) error {
	if db.q != nil {
		if !db.write {
			return errors.New("store.Tx: a write inside a read transaction")
		}
		return f(db)
	}
	if db.dialect == SQLite {
		return db.txSQLite(ctx, f)
	}
	for attempt := 0; ; attempt++ {
		err := db.txPostgres(ctx, f)
		if attempt < 4 && retryable(err) && ctx.Err() == nil {
			continue
		}
		return err
	}
}

func (db *DB) txSQLite(ctx context.Context, f func(tx *DB) error) error {
	tx, err := db.writer.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("store.Tx: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	if err := f(&DB{shared: db.shared, q: tx, sqlTx: tx, time: db.Now(), write: true}); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("store.Tx: %w", err)
	}
	return nil
}

// txPostgres begins with pgx on a database/sql connection, so that our
// statements and River's run in the same transaction.
func (db *DB) txPostgres(ctx context.Context, f func(tx *DB) error) error {
	conn, err := db.writer.Conn(ctx)
	if err != nil {
		return fmt.Errorf("store.Tx: %w", err)
	}
	defer func() { _ = conn.Close() }()
	var tx pgx.Tx
	err = conn.Raw(func(dc any) (err error) {
		tx, err = dc.(*stdlib.Conn).Conn().Begin(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("store.Tx: %w", err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	if err := f(&DB{shared: db.shared, q: conn, pgTx: tx, time: db.Now(), write: true}); err != nil {
		return err
	}
	if err := tx.Commit(ctx); err != nil {
		return fmt.Errorf("store.Tx: %w", err)
	}
	return nil
}

// View runs f on one consistent state of the database, read only.
func (db *DB) View(ctx context.Context, f func(tx *DB) error) error {
	if db.q != nil {
		return f(db)
	}
	opts := &sql.TxOptions{ReadOnly: true}
	if db.dialect == PostgreSQL {
		opts.Isolation = sql.LevelRepeatableRead
	}
	tx, err := db.reader.BeginTx(ctx, opts)
	if err != nil {
		return fmt.Errorf("store.View: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	return f(&DB{shared: db.shared, q: tx, time: db.Now()})
}

func (db *DB) exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if db.q != nil {
		return db.q.ExecContext(ctx, db.bind(query), args...)
	}
	return db.writer.ExecContext(ctx, db.bind(query), args...)
}

func (db *DB) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if db.q != nil {
		return db.q.QueryContext(ctx, db.bind(query), args...)
	}
	return db.reader.QueryContext(ctx, db.bind(query), args...)
}

func (db *DB) queryRow(ctx context.Context, query string, args ...any) *sql.Row {
	if db.q != nil {
		return db.q.QueryRowContext(ctx, db.bind(query), args...)
	}
	return db.reader.QueryRowContext(ctx, db.bind(query), args...)
}

// writeRow is queryRow for an INSERT or UPDATE with RETURNING.
func (db *DB) writeRow(ctx context.Context, query string, args ...any) *sql.Row {
	if db.q != nil {
		return db.q.QueryRowContext(ctx, db.bind(query), args...)
	}
	return db.writer.QueryRowContext(ctx, db.bind(query), args...)
}

// affected runs a statement and answers how many rows it changed.
func (db *DB) affected(ctx context.Context, query string, args ...any) (int64, error) {
	res, err := db.exec(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// maxBound is how many rebound statements are kept: filters make more of them
// than anybody asks for, but one who tries should not fill the memory.
const maxBound = 4096

// bind turns ? into $1, $2 … for PostgreSQL. Statements hold no ? in literals.
func (db *DB) bind(query string) string {
	if db.dialect == SQLite {
		return query
	}
	if s, ok := db.rebound.Load(query); ok {
		return s.(string)
	}
	var b strings.Builder
	n := 0
	for i := 0; i < len(query); i++ {
		if query[i] != '?' {
			b.WriteByte(query[i])
			continue
		}
		n++
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(n))
	}
	if len(query) < 4096 && db.boundCount.Add(1) <= maxBound {
		db.rebound.Store(query, b.String())
	}
	return b.String()
}

// marks is n placeholders joined by commas.
func marks(n int) string {
	if n == 0 {
		return ""
	}
	return strings.Repeat(",?", n)[1:]
}

// anys turns a slice into bind arguments.
func anys[T any](in []T) []any {
	out := make([]any, len(in))
	for i, v := range in {
		out[i] = v
	}
	return out
}

// ms is a time as the database keeps it.
func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// fromMS is the reverse of ms.
func fromMS(v int64) time.Time {
	if v == 0 {
		return time.Time{}
	}
	return time.UnixMilli(v).UTC()
}

// notFound turns "no rows" into an error of kind NotFound about what.
func notFound(err error, what string) error {
	if errors.Is(err, sql.ErrNoRows) {
		return breakwater.NotFound(what)
	}
	return err
}

// isUnique reports whether err is a broken uniqueness rule.
func isUnique(err error) bool {
	var se *sqlite.Error
	if errors.As(err, &se) {
		return se.Code() == sqlitelib.SQLITE_CONSTRAINT_UNIQUE || se.Code() == sqlitelib.SQLITE_CONSTRAINT_PRIMARYKEY
	}
	return pgCode(err) == "23505"
}

// retryable: serialisation failure or deadlock.
func retryable(err error) bool { c := pgCode(err); return c == "40001" || c == "40P01" }

func pgCode(err error) string {
	var pe interface{ SQLState() string }
	if errors.As(err, &pe) {
		return pe.SQLState()
	}
	return ""
}

// each scans every row with f and closes rows.
func each(rows *sql.Rows, err error, f func(scan func(...any) error) error) error {
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := f(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}
