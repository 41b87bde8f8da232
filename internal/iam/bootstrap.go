package iam

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"breakwater"
	"breakwater/internal/auth"
	"breakwater/internal/keyring"
	"breakwater/internal/store"
)

// Credentials are what a first start makes, in the form of credentials.json.
type Credentials struct {
	Endpoint    string `json:"endpoint"`
	DomainID    string `json:"domain_id"`
	ProjectID   string `json:"project_id"`
	ProjectName string `json:"project_name"`
	User        string `json:"user"`
	Password    string `json:"password"`
	AccessKey   string `json:"access_key"`
	SecretKey   string `json:"secret_key"`
}

// BootstrapOptions name what a first start makes; empty names take the defaults.
type BootstrapOptions struct {
	Endpoint string // URL that clients use, for credentials.json
	Domain   string // default "breakwater"
	Project  string // default "default"
	User     string // default "admin"
	Password string // default: a random one
	// File is where the credentials are written (0600) before the database
	// commits: whoever finds the installation made finds the file too. Empty
	// writes none.
	File string
}

// Bootstrap makes domain, project, admin user and one access key in an empty
// database. On one that is in use it does nothing: created is false and the
// credentials are empty, since nobody can know them any more.
func Bootstrap(ctx context.Context, db *store.DB, ring *keyring.Keyring, opts BootstrapOptions) (c Credentials, created bool, err error) {
	if domains, err := db.Domains(ctx); err != nil || len(domains) > 0 {
		return Credentials{}, false, err
	}
	c = Credentials{
		Endpoint: opts.Endpoint, DomainID: breakwater.NewID(breakwater.PrefixDomain), ProjectID: breakwater.NewID(breakwater.PrefixProject),
		ProjectName: or(opts.Project, "default"), User: or(opts.User, "admin"), Password: or(opts.Password, breakwater.NewSecret(12)),
	}
	if err := errors.Join(checkName("project", c.ProjectName), checkName("user", c.User)); err != nil {
		return Credentials{}, false, err
	}
	hash, err := auth.HashPassword(c.Password)
	if err != nil {
		return Credentials{}, false, err
	}
	err = db.Tx(ctx, func(tx *store.DB) error {
		created = false
		if domains, err := tx.Domains(ctx); err != nil || len(domains) > 0 {
			return err // another process was first
		}
		if err := c.insert(ctx, tx, ring, or(opts.Domain, "breakwater"), hash); err != nil {
			return err
		}
		created = true
		if opts.File != "" {
			return WriteCredentials(opts.File, c)
		}
		return nil
	})
	if err != nil || !created {
		return Credentials{}, false, err
	}
	return c, true, nil
}

func or(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}

func (c *Credentials) insert(ctx context.Context, tx *store.DB, ring *keyring.Keyring, domain, hash string) error {
	now := tx.Now()
	if err := tx.CreateDomain(ctx, breakwater.Domain{ID: c.DomainID, Name: domain, Created: now}); err != nil {
		return err
	}
	if err := tx.CreateProject(ctx, breakwater.Project{ID: c.ProjectID, DomainID: c.DomainID, Name: c.ProjectName, Created: now}); err != nil {
		return err
	}
	user := breakwater.User{ID: breakwater.NewID(breakwater.PrefixUser), DomainID: c.DomainID, Name: c.User, PasswordHash: hash, Created: now}
	if err := tx.CreateUser(ctx, user); err != nil {
		return err
	}
	if err := tx.PutMember(ctx, breakwater.Member{ProjectID: c.ProjectID, UserID: user.ID, Role: breakwater.RoleAdmin}); err != nil {
		return err
	}
	var err error
	c.AccessKey, c.SecretKey, err = newAccessKey(ctx, tx, ring, user.ID, c.ProjectID)
	return err
}

// newAccessKey makes a lasting key; the secret is shown this once.
func newAccessKey(ctx context.Context, tx *store.DB, ring *keyring.Keyring, userID, projectID string) (ak, sk string, err error) {
	ak, sk = breakwater.NewID(breakwater.PrefixAccessKey), breakwater.NewSecret(20)
	k := breakwater.AccessKey{AK: ak, UserID: userID, ProjectID: projectID, Created: tx.Now()}
	k.SealedSK = ring.Seal([]byte(sk), k.SealContext())
	return ak, sk, tx.CreateAccessKey(ctx, k)
}

// maxCredentials bounds a credentials file that is read back.
const maxCredentials = 64 << 10

// WriteCredentials writes the file for its owner only, whole or not at all.
func WriteCredentials(path string, c Credentials) error {
	b, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return fmt.Errorf("iam.WriteCredentials: %w", err)
	}
	if err := replaceFile(path, append(b, '\n')); err != nil {
		return fmt.Errorf("iam.WriteCredentials: %w", err)
	}
	return nil
}

// ReadCredentials reads what WriteCredentials wrote.
func ReadCredentials(path string) (c Credentials, err error) {
	f, err := os.Open(path)
	if err != nil {
		return c, fmt.Errorf("iam.ReadCredentials: %w", err)
	}
	defer f.Close()
	if err := json.NewDecoder(io.LimitReader(f, maxCredentials)).Decode(&c); err != nil {
		return Credentials{}, fmt.Errorf("iam.ReadCredentials: %w", err)
	}
	return c, nil
}

func replaceFile(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".credentials-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// Housekeep removes temporary keys that have ended. The caller runs it now and then.
func (s *Server) Housekeep(ctx context.Context) error {
	_, err := s.db.DeleteExpiredKeys(ctx, s.now().Add(-time.Hour))
	return err
}
