package store

import (
	"context"
	"fmt"
)

// Setting is a value of the installation itself; NotFound when it was never set.
func (db *DB) Setting(ctx context.Context, name string) (value string, err error) {
	err = db.queryRow(ctx, `SELECT value FROM setting WHERE name = ?`, name).Scan(&value)
	return value, notFound(err, "setting")
}

// PutSetting sets a value of the installation.
func (db *DB) PutSetting(ctx context.Context, name, value string) error {
	_, err := db.exec(ctx, `INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
	if err != nil {
		return fmt.Errorf("store.PutSetting(%s): %w", name, err)
	}
	return nil
}
