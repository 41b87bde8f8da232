package iam

import (
	"context"
	"regexp"

	"breakwater"
	"breakwater/internal/auth"
	"breakwater/internal/store"
)

// namePattern is what users and projects may be called; a project's name is part
// of docker user names and is looked up by the SDK as a region id.
const namePattern = `^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$`

func checkName(what, name string) error {
	if ok, err := regexp.MatchString(namePattern, name); err != nil || !ok {
		return breakwater.Invalid(what, "must be 1 to 64 letters, digits, dots, hyphens or underscores, a letter or digit first and last")
	}
	return nil
}

// The functions of this file are the command line's: people name users and
// projects, the database has ids.

// Users are the users of the installation by name.
func (s *Server) Users(ctx context.Context) ([]breakwater.User, error) {
	d, err := s.findDomain(ctx, nameOrID{})
	if err != nil {
		return nil, err
	}
	return s.db.Users(ctx, d.ID)
}

// CreateUser makes a user who is in no project yet.
func (s *Server) CreateUser(ctx context.Context, name, password string) (breakwater.User, error) {
	if err := checkName("user", name); err != nil {
		return breakwater.User{}, err
	}
	hash, err := auth.HashPassword(password)
	if err != nil {
		return breakwater.User{}, err
	}
	d, err := s.findDomain(ctx, nameOrID{})
	if err != nil {
		return breakwater.User{}, err
	}
	u := breakwater.User{ID: breakwater.NewID(breakwater.PrefixUser), DomainID: d.ID, Name: name, PasswordHash: hash, Created: s.db.Now()}
	return u, s.db.CreateUser(ctx, u)
}

// SetPassword changes a password; the user's tokens end, access keys stay.
func (s *Server) SetPassword(ctx context.Context, name, password string) error {
	hash, err := auth.HashPassword(password)
	if err != nil {
		return err
	}
	u, err := s.user(ctx, name)
	if err != nil {
		return err
	}
	return s.db.SetPasswordHash(ctx, u.ID, hash)
}

// DisableUser shuts a user out with all keys and tokens, or lets them in again.
func (s *Server) DisableUser(ctx context.Context, name string, disabled bool) error {
	u, err := s.user(ctx, name)
	if err != nil {
		return err
	}
	return s.db.DisableUser(ctx, u.ID, disabled)
}

// DeleteUser removes a user with memberships and access keys.
func (s *Server) DeleteUser(ctx context.Context, name string) error {
	u, err := s.user(ctx, name)
	if err != nil {
		return err
	}
	return s.db.DeleteUser(ctx, u.ID)
}

// SetRole admits a user to a project in a role, in the place of an older role.
func (s *Server) SetRole(ctx context.Context, user, project string, role breakwater.Role) error {
	if _, err := breakwater.ParseRole(string(role)); err != nil {
		return err
	}
	u, p, err := s.pair(ctx, user, project)
	if err != nil {
		return err
	}
	return s.db.PutMember(ctx, breakwater.Member{ProjectID: p.ID, UserID: u.ID, Role: role})
}

// RemoveRole takes a user out of a project, with the access keys they have for it.
func (s *Server) RemoveRole(ctx context.Context, user, project string) error {
	u, p, err := s.pair(ctx, user, project)
	if err != nil {
		return err
	}
	return s.db.DeleteMember(ctx, p.ID, u.ID)
}

// Projects are all projects by name.
func (s *Server) Projects(ctx context.Context) ([]breakwater.Project, error) {
	return s.db.Projects(ctx, "")
}

// Members are the users of a project with their roles.
func (s *Server) Members(ctx context.Context, project string) ([]breakwater.Member, error) {
	p, err := s.db.ProjectByName(ctx, project)
	if err != nil {
		return nil, err
	}
	return s.db.Members(ctx, p.ID)
}

// CreateProject makes an empty project without members.
func (s *Server) CreateProject(ctx context.Context, name string) (breakwater.Project, error) {
	if err := checkName("project", name); err != nil {
		return breakwater.Project{}, err
	}
	d, err := s.findDomain(ctx, nameOrID{})
	if err != nil {
		return breakwater.Project{}, err
	}
	p := breakwater.Project{ID: breakwater.NewID(breakwater.PrefixProject), DomainID: d.ID, Name: name, Created: s.db.Now()}
	return p, s.db.CreateProject(ctx, p)
}

// DeleteProject removes an empty project; Conflict when it still holds anything.
func (s *Server) DeleteProject(ctx context.Context, name string) error {
	p, err := s.db.ProjectByName(ctx, name)
	if err != nil {
		return err
	}
	return s.db.DeleteProject(ctx, p.ID)
}

// CreateAccessKey makes a key for a member of a project; sk is shown this once.
func (s *Server) CreateAccessKey(ctx context.Context, user, project string) (ak, sk string, err error) {
	u, p, err := s.pair(ctx, user, project)
	if err != nil {
		return "", "", err
	}
	err = s.db.Tx(ctx, func(tx *store.DB) error {
		members, err := tx.Projects(ctx, u.ID)
		if err != nil {
			return err
		}
		for _, m := range members {
			if m.ID == p.ID {
				ak, sk, err = newAccessKey(ctx, tx, s.ring, u.ID, p.ID)
				return err
			}
		}
		return breakwater.Errorf(breakwater.KindForbidden, "the project does not admit the user; give them a role first")
	})
	return ak, sk, err
}

// AccessKeys are a user's keys, without secrets.
func (s *Server) AccessKeys(ctx context.Context, user string) ([]breakwater.AccessKey, error) {
	u, err := s.user(ctx, user)
	if err != nil {
		return nil, err
	}
	return s.db.AccessKeys(ctx, u.ID)
}

// DeleteAccessKey ends a key at once.
func (s *Server) DeleteAccessKey(ctx context.Context, ak string) error {
	return s.db.DeleteAccessKey(ctx, ak)
}

func (s *Server) user(ctx context.Context, name string) (breakwater.User, error) {
	d, err := s.findDomain(ctx, nameOrID{})
	if err != nil {
		return breakwater.User{}, err
	}
	return s.db.UserByName(ctx, d.ID, name)
}

func (s *Server) pair(ctx context.Context, user, project string) (u breakwater.User, p breakwater.Project, err error) {
	if u, err = s.user(ctx, user); err != nil {
		return u, p, err
	}
	p, err = s.db.ProjectByName(ctx, project)
	return u, p, err
}
