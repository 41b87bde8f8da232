package hss

import (
	"context"
	"fmt"

	"breakwater"
	"breakwater/internal/keyring"
	"breakwater/internal/store"
)

// changePassword keeps a registry's new password, before its row changes: a
// probe of the new row must find the new password. restore puts the old one
// back when the row could not be changed.
func (s *Server) changePassword(ctx context.Context, id string, password *string) (restore func(), err error) {
	if password == nil {
		return func() {}, nil
	}
	old, err := s.keys.Get(ctx, id)
	lost := breakwater.IsNotFound(err)
	if err != nil && !lost {
		return nil, err
	}
	if err := s.keys.Put(ctx, id, *password); err != nil {
		return nil, err
	}
	return func() {
		ctx := context.WithoutCancel(ctx)
		if lost {
			_ = s.keys.Delete(ctx, id)
			return
		}
		_ = s.keys.Put(ctx, id, old)
	}, nil
}

// SweepPasswords forgets the passwords that no registry names: what a crash
// left between keyring and database. One that was put within the last hour is left
// alone, for its registry may be about to be added.
func SweepPasswords(ctx context.Context, db *store.DB, keys *keyring.Keyring) error {
	ids, err := keys.Settled(ctx)
	if err != nil {
		return fmt.Errorf("hss.SweepPasswords: %w", err)
	}
	for _, id := range ids {
		_, err := db.RegistryByID(ctx, id)
		if breakwater.IsNotFound(err) {
			err = keys.Delete(ctx, id)
		}
		if err != nil {
			return fmt.Errorf("hss.SweepPasswords(%s): %w", id, err)
		}
	}
	return nil
}
