package registry

import (
	"breakwater"
	"breakwater/internal/store"
)

// pushable is owned for a push, which makes what is missing: the repository,
// and for operators and admins the namespace. A name that another project holds
// is unknown, as for a pull.
func (r *Registry) pushable(c *call) (breakwater.Repository, error) {
	if err := r.allow(c, actionPush); err != nil {
		return breakwater.Repository{}, err
	}
	repo, err := r.db.Repository(c.ctx(), c.who.projectID, c.namespace, c.repository)
	if !breakwater.IsNotFound(err) {
		return repo, err
	}
	err = r.write(c, func(tx *store.DB) error {
		repo, err = r.ensure(c, tx)
		return err
	})
	return repo, err
}

// write is a transaction that is tried again when another request made the same
// thing first: the second time it is found.
func (r *Registry) write(c *call, f func(tx *store.DB) error) (err error) {
	for range 3 {
		if err = r.db.Tx(c.ctx(), f); breakwater.KindOf(err) != breakwater.KindConflict {
			return err
		}
	}
	return err
}

func (r *Registry) ensure(c *call, tx *store.DB) (repo breakwater.Repository, err error) {
	user, err := tx.User(c.ctx(), c.who.userID)
	if err != nil {
		return repo, err
	}
	_, err = tx.Namespace(c.ctx(), c.who.projectID, c.namespace)
	if breakwater.IsNotFound(err) {
		err = r.ensureNamespace(c, tx, user)
	}
	if err != nil {
		return repo, err
	}
	repo, err = tx.CreateRepository(c.ctx(), breakwater.Repository{
		ProjectID: c.who.projectID, Namespace: c.namespace, Name: c.repository, CreatorID: user.ID, CreatorName: user.Name,
	})
	if breakwater.KindOf(err) == breakwater.KindConflict { // another request was faster
		repo, err = tx.Repository(c.ctx(), c.who.projectID, c.namespace, c.repository)
	}
	if err == nil {
		_, err = r.catalog.Embedded(c.ctx(), tx, c.who.projectID)
	}
	return repo, err
}

func (r *Registry) ensureNamespace(c *call, tx *store.DB, user breakwater.User) error {
	role, err := r.roleOf(c.ctx(), c.who)
	if err != nil {
		return err
	}
	if !role.Allows(breakwater.RoleOperator) {
		return errNameUnknown()
	}
	_, err = tx.CreateNamespace(c.ctx(), breakwater.Namespace{
		ProjectID: c.who.projectID, Name: c.namespace, CreatorID: user.ID, CreatorName: user.Name,
	})
	if breakwater.KindOf(err) != breakwater.KindConflict {
		return err
	}
	// Ours by now, or somebody else's.
	_, err = tx.Namespace(c.ctx(), c.who.projectID, c.namespace)
	if breakwater.IsNotFound(err) {
		return errNameUnknown()
	}
	return err
}
