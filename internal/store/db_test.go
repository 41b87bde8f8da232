package store_test

import (
	"context"
	"errors"
	"testing"

	"breakwater"
	"breakwater/internal/store"
	"breakwater/internal/storetest"
)

func TestTx(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		boom := errors.New("boom")
		err := db.Tx(ctx, func(tx *store.DB) error {
			if err := tx.PutSetting(ctx, "a", "1"); err != nil {
				return err
			}
			return boom
		})
		if !errors.Is(err, boom) {
			t.Fatalf("Tx = %v, want the callback's error", err)
		}
		if _, err := db.Setting(ctx, "a"); !breakwater.IsNotFound(err) {
			t.Fatalf("after a rollback: %v, want NotFound", err)
		}
		err = db.Tx(ctx, func(tx *store.DB) error {
			if err := tx.PutSetting(ctx, "a", "2"); err != nil {
				return err
			}
			return tx.Tx(ctx, func(inner *store.DB) error { return inner.PutSetting(ctx, "a", "3") })
		})
		if err != nil {
			t.Fatal(err)
		}
		if v, err := db.Setting(ctx, "a"); err != nil || v != "3" {
			t.Fatalf("Setting = %q, %v", v, err)
		}
		err = db.View(ctx, func(tx *store.DB) error {
			return tx.Tx(ctx, func(*store.DB) error { return nil })
		})
		if err == nil {
			t.Fatal("a write transaction inside View must be refused")
		}
	})
}
