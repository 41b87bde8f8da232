package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"breakwater"

	"modernc.org/sqlite"
	sqlitelib "modernc.org/sqlite/lib"
)

// Domains are all domains, oldest first.
func (db *DB) Domains(ctx context.Context) (out []breakwater.Domain, err error) {
	rows, err := db.query(ctx, `SELECT id, name, created_ms FROM domain ORDER BY created_ms, id`)
	err = each(rows, err, func(scan func(...any) error) error {
		var d breakwater.Domain
		var created int64
		err := scan(&d.ID, &d.Name, &created)
		d.Created = fromMS(created)
		out = append(out, d)
		return err
	})
	return out, wrapTenant("Domains", "", err)
}

// Domain is one domain by its id.
func (db *DB) Domain(ctx context.Context, id string) (d breakwater.Domain, err error) {
	var created int64
	err = db.queryRow(ctx, `SELECT id, name, created_ms FROM domain WHERE id = ?`, id).Scan(&d.ID, &d.Name, &created)
	d.Created = fromMS(created)
	return d, wrapTenant("Domain", "domain", err)
}

// CreateDomain adds a domain; a name that is taken is a Conflict.
func (db *DB) CreateDomain(ctx context.Context, d breakwater.Domain) error {
	_, err := db.exec(ctx, `INSERT INTO domain (id, name, created_ms) VALUES (?, ?, ?)`, d.ID, d.Name, ms(d.Created))
	return wrapTenant("CreateDomain", "domain", err)
}

const projectColumns = `p.id, p.domain_id, p.name, p.created_ms`

func scanProject(scan func(...any) error) (p breakwater.Project, err error) {
	var created int64
	err = scan(&p.ID, &p.DomainID, &p.Name, &created)
	p.Created = fromMS(created)
	return p, err
}

// Project is one project by its id.
func (db *DB) Project(ctx context.Context, id string) (breakwater.Project, error) {
	p, err := scanProject(db.queryRow(ctx, `SELECT `+projectColumns+` FROM project p WHERE p.id = ?`, id).Scan)
	return p, wrapTenant("Project", "project", err)
}

// ProjectByName is one project by its name, which is unique in the installation.
func (db *DB) ProjectByName(ctx context.Context, name string) (breakwater.Project, error) {
	p, err := scanProject(db.queryRow(ctx, `SELECT `+projectColumns+` FROM project p WHERE p.name = ?`, name).Scan)
	return p, wrapTenant("ProjectByName", "project", err)
}

// Projects are all projects by name. With a user they are those that admit the user.
func (db *DB) Projects(ctx context.Context, userID string) (out []breakwater.Project, err error) {
	statement, args := `SELECT `+projectColumns+` FROM project p ORDER BY p.name`, []any(nil)
	if userID != "" {
		statement = `SELECT ` + projectColumns + ` FROM project p JOIN member m ON m.project_id = p.id WHERE m.user_id = ? ORDER BY p.name`
		args = []any{userID}
	}
	rows, err := db.query(ctx, statement, args...)
	err = each(rows, err, func(scan func(...any) error) error {
		p, err := scanProject(scan)
		out = append(out, p)
		return err
	})
	return out, wrapTenant("Projects", "", err)
}

// CreateProject adds a project; a name that is taken is a Conflict.
func (db *DB) CreateProject(ctx context.Context, p breakwater.Project) error {
	_, err := db.exec(ctx, `INSERT INTO project (id, domain_id, name, created_ms) VALUES (?, ?, ?, ?)`, p.ID, p.DomainID, p.Name, ms(p.Created))
	return wrapTenant("CreateProject", "project", err)
}

// DeleteProject removes an empty project with its members, access keys, finished
// tasks and the row of its embedded registry; one that still holds namespaces,
// images or foreign registries is a Conflict, which the references see to.
func (db *DB) DeleteProject(ctx context.Context, id string) error {
	err := db.Tx(ctx, func(tx *DB) error {
		for _, statement := range []string{
			`DELETE FROM registry WHERE project_id = ? AND type = 'SwrPrivate'`,
			`DELETE FROM scan_task WHERE project_id = ?`,
			`DELETE FROM sync_task WHERE project_id = ?`,
			`DELETE FROM image_gone WHERE project_id = ?`,
		} {
			if _, err := tx.exec(ctx, statement, id); err != nil {
				return err
			}
		}
		n, err := tx.affected(ctx, `DELETE FROM project WHERE id = ?`, id)
		if err == nil && n == 0 {
			return breakwater.NotFound("project")
		}
		return err
	})
	switch {
	case isForeign(err):
		return breakwater.Errorf(breakwater.KindConflict, "the project still holds registries, namespaces or images")
	case breakwater.IsNotFound(err):
		return err
	}
	return wrapTenant("DeleteProject", "project", err)
}

const userColumns = `id, domain_id, name, password_hash, disabled, created_ms`

func scanUser(scan func(...any) error) (u breakwater.User, err error) {
	var created int64
	err = scan(&u.ID, &u.DomainID, &u.Name, &u.PasswordHash, &u.Disabled, &created)
	u.Created = fromMS(created)
	return u, err
}

// User is one user by its id.
func (db *DB) User(ctx context.Context, id string) (breakwater.User, error) {
	u, err := scanUser(db.queryRow(ctx, `SELECT `+userColumns+` FROM user_account WHERE id = ?`, id).Scan)
	return u, wrapTenant("User", "user", err)
}

// UserByName is one user of a domain by its name.
func (db *DB) UserByName(ctx context.Context, domainID, name string) (breakwater.User, error) {
	u, err := scanUser(db.queryRow(ctx, `SELECT `+userColumns+` FROM user_account WHERE domain_id = ? AND name = ?`, domainID, name).Scan)
	return u, wrapTenant("UserByName", "user", err)
}

// Users are the users of a domain by name.
func (db *DB) Users(ctx context.Context, domainID string) (out []breakwater.User, err error) {
	rows, err := db.query(ctx, `SELECT `+userColumns+` FROM user_account WHERE domain_id = ? ORDER BY name`, domainID)
	err = each(rows, err, func(scan func(...any) error) error {
		u, err := scanUser(scan)
		out = append(out, u)
		return err
	})
	return out, wrapTenant("Users", "", err)
}

// CreateUser adds a user; a name that is taken in the domain is a Conflict.
func (db *DB) CreateUser(ctx context.Context, u breakwater.User) error {
	_, err := db.exec(ctx, `INSERT INTO user_account (`+userColumns+`) VALUES (?, ?, ?, ?, ?, ?)`,
		u.ID, u.DomainID, u.Name, u.PasswordHash, u.Disabled, ms(u.Created))
	return wrapTenant("CreateUser", "user", err)
}

// SetPasswordHash replaces a user's password.
func (db *DB) SetPasswordHash(ctx context.Context, userID, hash string) error {
	n, err := db.affected(ctx, `UPDATE user_account SET password_hash = ? WHERE id = ?`, hash, userID)
	return gone("SetPasswordHash", "user", n, err)
}

// DisableUser shuts a user out, or lets them in again.
func (db *DB) DisableUser(ctx context.Context, userID string, disabled bool) error {
	n, err := db.affected(ctx, `UPDATE user_account SET disabled = ? WHERE id = ?`, disabled, userID)
	return gone("DisableUser", "user", n, err)
}

// DeleteUser removes a user with their memberships and access keys.
func (db *DB) DeleteUser(ctx context.Context, userID string) error {
	n, err := db.affected(ctx, `DELETE FROM user_account WHERE id = ?`, userID)
	return gone("DeleteUser", "user", n, err)
}

// Members are the users of a project with their roles, by user id.
func (db *DB) Members(ctx context.Context, projectID string) (out []breakwater.Member, err error) {
	rows, err := db.query(ctx, `SELECT project_id, user_id, role FROM member WHERE project_id = ? ORDER BY user_id`, projectID)
	err = each(rows, err, func(scan func(...any) error) error {
		var m breakwater.Member
		err := scan(&m.ProjectID, &m.UserID, &m.Role)
		out = append(out, m)
		return err
	})
	return out, wrapTenant("Members", "", err)
}

// PutMember gives a user a role in a project, in the place of an older one.
func (db *DB) PutMember(ctx context.Context, m breakwater.Member) error {
	_, err := db.exec(ctx, `INSERT INTO member (project_id, user_id, role) VALUES (?, ?, ?)
		ON CONFLICT (project_id, user_id) DO UPDATE SET role = excluded.role`, m.ProjectID, m.UserID, string(m.Role))
	return wrapTenant("PutMember", "user or project", err)
}

// DeleteMember takes a user out of a project; their access keys for it go too.
func (db *DB) DeleteMember(ctx context.Context, projectID, userID string) error {
	return db.Tx(ctx, func(tx *DB) error {
		if _, err := tx.exec(ctx, `DELETE FROM access_key WHERE project_id = ? AND user_id = ?`, projectID, userID); err != nil {
			return wrapTenant("DeleteMember", "", err)
		}
		n, err := tx.affected(ctx, `DELETE FROM member WHERE project_id = ? AND user_id = ?`, projectID, userID)
		return gone("DeleteMember", "member", n, err)
	})
}

// Caller is what a user is in a project, as sign-in needs it: names and role in
// one read. NotFound when there is no such user, the user is disabled, or the
// project does not admit them.
func (db *DB) Caller(ctx context.Context, userID, projectID string) (c breakwater.Caller, err error) {
	err = db.queryRow(ctx, `SELECT d.id, d.name, p.id, p.name, u.id, u.name, m.role
		FROM member m JOIN user_account u ON u.id = m.user_id JOIN project p ON p.id = m.project_id JOIN domain d ON d.id = u.domain_id
		WHERE m.user_id = ? AND m.project_id = ? AND NOT u.disabled`, userID, projectID).
		Scan(&c.DomainID, &c.DomainName, &c.ProjectID, &c.ProjectName, &c.UserID, &c.UserName, &c.Role)
	return c, wrapTenant("Caller", "caller", err)
}

// wrapTenant names the operation, once; absence and taken names become kinds.
func wrapTenant(op, what string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sql.ErrNoRows):
		return breakwater.NotFound(what)
	case isUnique(err):
		return breakwater.Errorf(breakwater.KindConflict, "the %s exists already", what)
	case isForeign(err):
		return breakwater.NotFound(what)
	}
	return fmt.Errorf("store.%s: %w", op, err)
}

// gone turns "changed no row" into NotFound.
func gone(op, what string, n int64, err error) error {
	if err == nil && n == 0 {
		return breakwater.NotFound(what)
	}
	return wrapTenant(op, what, err)
}

// isForeign reports whether err is a reference to a row that is not there, or
// the removal of one that is still referred to.
func isForeign(err error) bool {
	var se *sqlite.Error
	if errors.As(err, &se) {
		return se.Code() == sqlitelib.SQLITE_CONSTRAINT_FOREIGNKEY
	}
	return pgCode(err) == "23503"
}
