package storebench_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"

	"breakwater/internal/store"
	"breakwater/internal/store/storebench"
	"breakwater/internal/storetest"
	"breakwater/internal/worker"
)

// A small run is true on both databases, is taken up by the next one, and a
// counter that is wrong is found.
func TestRunRematch(t *testing.T) {
	update := func(ctx context.Context, db *store.DB, dir string) (storebench.Updated, error) {
		_, err := worker.UpdateFeeds(ctx, db, http.DefaultClient, worker.FeedOptions{From: dir})
		return storebench.Updated{}, err
	}
	databases := map[string]store.Options{"sqlite": {Path: t.TempDir() + "/rematch.db"}}
	if dsn := os.Getenv("BREAKWATER_TEST_POSTGRES"); dsn != "" {
		databases["postgres"] = store.Options{Postgres: storetest.PostgresSchema(t, dsn)}
	}
	for name, o := range databases {
		t.Run(name, func(t *testing.T) {
			r := storebench.RematchOptions{Store: o, Dir: t.TempDir(), Images: 400, Packages: 3000, Records: 800, Advisories: 40, Runs: 1, Update: update}
			for range 2 {
				var out bytes.Buffer
				if err := storebench.RunRematch(t.Context(), r, &out); err != nil || !strings.Contains(out.String(), "yes") {
					t.Fatalf("%v\n%s", err, out.String())
				}
			}
			r.Update = func(ctx context.Context, db *store.DB, dir string) (storebench.Updated, error) {
				u, err := update(ctx, db, dir)
				if err == nil {
					_, err = db.Writer().ExecContext(ctx, `UPDATE image SET vul_num = vul_num + 1 WHERE id = 17`)
				}
				return u, err
			}
			if err := storebench.RunRematch(t.Context(), r, &bytes.Buffer{}); !errors.Is(err, storebench.ErrUntrue) {
				t.Errorf("a wrong counter: %v", err)
			}
		})
	}
}
