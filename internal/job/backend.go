package job

import (
	"context"
	"errors"
	"log/slog"

	"breakwater/internal/store"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"

	"database/sql"
)

// backend is a River client without its transaction type.
type backend interface {
	insertMany(ctx context.Context, tx *store.DB, params []river.InsertManyParams) error
	start(ctx context.Context) error
	stop(ctx context.Context) error
	stopAndCancel(ctx context.Context) error
}

var errNoTx = errors.New("jobs are enqueued and closed inside a write transaction")

func open(db *store.DB, cfg *river.Config) (backend, error) {
	if db.Dialect() == store.PostgreSQL {
		c, err := river.NewClient(riverpgxv5.New(db.Pool()), cfg)
		return client[pgx.Tx]{c, func(tx *store.DB) (pgx.Tx, bool) { return tx.PgxTx(), tx.PgxTx() != nil }}, err
	}
	c, err := river.NewClient(riversqlite.New(db.Writer()), cfg)
	return client[*sql.Tx]{c, func(tx *store.DB) (*sql.Tx, bool) { return tx.SQLTx(), tx.SQLTx() != nil }}, err
}

type client[T any] struct {
	c  *river.Client[T]
	tx func(*store.DB) (T, bool)
}

func (c client[T]) insertMany(ctx context.Context, tx *store.DB, params []river.InsertManyParams) error {
	t, ok := c.tx(tx)
	if !ok {
		return errNoTx
	}
	_, err := c.c.InsertManyTx(ctx, t, params)
	return err
}

func (c client[T]) start(ctx context.Context) error         { return c.c.Start(ctx) }
func (c client[T]) stop(ctx context.Context) error          { return c.c.Stop(ctx) }
func (c client[T]) stopAndCancel(ctx context.Context) error { return c.c.StopAndCancel(ctx) }

// complete closes j in tx.
func complete[A river.JobArgs](ctx context.Context, tx *store.DB, j *river.Job[A]) error {
	var err error
	switch {
	case tx.PgxTx() != nil:
		_, err = river.JobCompleteTx[*riverpgxv5.Driver](ctx, tx.PgxTx(), j)
	case tx.SQLTx() != nil:
		_, err = river.JobCompleteTx[*riversqlite.Driver](ctx, tx.SQLTx(), j)
	default:
		err = errNoTx
	}
	return err
}

func migrate(ctx context.Context, db *store.DB) error {
	if db.Dialect() == store.PostgreSQL {
		return up(ctx, riverpgxv5.New(db.Pool()))
	}
	return up(ctx, riversqlite.New(db.Writer()))
}

func up[T any](ctx context.Context, driver riverdriver.Driver[T]) error {
	m, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	_, err = m.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
}

// recover puts jobs that a crash of this instance left running back in line.
// A SQLite database has one process, so there every running job is lost.
func (q *Queue) recover(ctx context.Context) error {
	if q.db.Dialect() == store.PostgreSQL {
		_, err := q.db.Writer().ExecContext(ctx, `UPDATE river_job SET state = 'available', scheduled_at = now()
			WHERE state = 'running' AND attempted_by[array_length(attempted_by, 1)] = $1`, q.opts.Instance)
		return err
	}
	_, err := q.db.Writer().ExecContext(ctx, `UPDATE river_job SET state = 'available' WHERE state = 'running'`)
	return err
}
