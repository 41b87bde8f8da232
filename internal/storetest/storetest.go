// Package storetest opens databases for tests: every store test runs on
// SQLite, and on PostgreSQL too when BREAKWATER_TEST_POSTGRES holds a
// connection string (as it does in .ci/run).
package storetest

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"breakwater"
	"breakwater/internal/store"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver that makes the test's schema
)

// Each runs f on a fresh database of every dialect there is.
func Each(t *testing.T, f func(t *testing.T, db *store.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { f(t, SQLite(t)) })
	if dsn := os.Getenv("BREAKWATER_TEST_POSTGRES"); dsn != "" {
		t.Run("postgres", func(t *testing.T) { f(t, Postgres(t, dsn)) })
	}
}

// SQLite is a fresh SQLite database that ends with the test.
func SQLite(tb testing.TB) *store.DB {
	tb.Helper()
	return open(tb, store.Options{Path: filepath.Join(tb.TempDir(), "test.db")})
}

// Postgres is a fresh schema of the database at dsn that ends with the test.
func Postgres(tb testing.TB, dsn string) *store.DB {
	tb.Helper()
	return open(tb, store.Options{Postgres: PostgresSchema(tb, dsn), MaxConns: 8})
}

// PostgresSchema makes a schema that ends with the test and answers a
// connection string (a URL) that uses it.
func PostgresSchema(tb testing.TB, dsn string) string {
	tb.Helper()
	admin, err := sql.Open("pgx", dsn)
	if err != nil {
		tb.Fatal(err)
	}
	schema := breakwater.NewID("test_")
	if _, err := admin.Exec("CREATE SCHEMA " + schema); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if _, err := admin.Exec(fmt.Sprintf("DROP SCHEMA %s CASCADE", schema)); err != nil {
			tb.Error(err)
		}
		_ = admin.Close()
	})
	u, err := url.Parse(dsn)
	if err != nil {
		tb.Fatal("BREAKWATER_TEST_POSTGRES must be a URL")
	}
	q := u.Query()
	q.Set("search_path", schema)
	u.RawQuery = q.Encode()
	return u.String()
}

func open(tb testing.TB, o store.Options) *store.DB {
	tb.Helper()
	db, err := store.Open(context.Background(), o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = db.Close() })
	return db
}
