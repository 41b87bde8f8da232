package store

import (
	"context"
	"time"

	"breakwater"
)

const accessKeyColumns = `k.ak, k.user_id, k.project_id, k.sealed_sk, k.temporary, k.expires_ms, k.created_ms`

func scanAccessKey(scan func(...any) error, more ...any) (k breakwater.AccessKey, err error) {
	var expires, created int64
	err = scan(append([]any{&k.AK, &k.UserID, &k.ProjectID, &k.SealedSK, &k.Temporary, &expires, &created}, more...)...)
	k.Expires, k.Created = fromMS(expires), fromMS(created)
	return k, err
}

// AccessKey is a key with the caller it stands for, in one read: every signed
// request makes it. NotFound when there is no such key, its user is disabled, or
// the project no longer admits them. Expiry is the reader's to judge.
func (db *DB) AccessKey(ctx context.Context, ak string) (k breakwater.AccessKey, c breakwater.Caller, err error) {
	k, err = scanAccessKey(db.queryRow(ctx, `SELECT `+accessKeyColumns+`, d.id, d.name, p.id, p.name, u.id, u.name, m.role
		FROM access_key k JOIN user_account u ON u.id = k.user_id JOIN project p ON p.id = k.project_id
		JOIN member m ON m.user_id = k.user_id AND m.project_id = k.project_id JOIN domain d ON d.id = u.domain_id
		WHERE k.ak = ? AND NOT u.disabled`, ak).Scan,
		&c.DomainID, &c.DomainName, &c.ProjectID, &c.ProjectName, &c.UserID, &c.UserName, &c.Role)
	c.AK = k.AK
	return k, c, wrapTenant("AccessKey", "access key", err)
}

// AccessKeys are a user's lasting keys, oldest first.
func (db *DB) AccessKeys(ctx context.Context, userID string) (out []breakwater.AccessKey, err error) {
	rows, err := db.query(ctx, `SELECT `+accessKeyColumns+` FROM access_key k WHERE k.user_id = ? AND NOT k.temporary ORDER BY k.created_ms, k.ak`, userID)
	err = each(rows, err, func(scan func(...any) error) error {
		k, err := scanAccessKey(scan)
		out = append(out, k)
		return err
	})
	return out, wrapTenant("AccessKeys", "", err)
}

// CreateAccessKey adds a key; its SK is sealed already.
func (db *DB) CreateAccessKey(ctx context.Context, k breakwater.AccessKey) error {
	_, err := db.exec(ctx, `INSERT INTO access_key (ak, user_id, project_id, sealed_sk, temporary, expires_ms, created_ms) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		k.AK, k.UserID, k.ProjectID, k.SealedSK, k.Temporary, ms(k.Expires), ms(k.Created))
	return wrapTenant("CreateAccessKey", "access key", err)
}

// DeleteAccessKey removes a key.
func (db *DB) DeleteAccessKey(ctx context.Context, ak string) error {
	n, err := db.affected(ctx, `DELETE FROM access_key WHERE ak = ?`, ak)
	return gone("DeleteAccessKey", "access key", n, err)
}

// DeleteExpiredKeys removes the temporary keys that ended before t and says how many.
func (db *DB) DeleteExpiredKeys(ctx context.Context, t time.Time) (int64, error) {
	n, err := db.affected(ctx, `DELETE FROM access_key WHERE temporary AND expires_ms > 0 AND expires_ms < ?`, ms(t))
	return n, wrapTenant("DeleteExpiredKeys", "", err)
}
