package breakwater

import (
	"context"
	"time"
)

// Domain is the account that owns projects; a fresh installation has one.
type Domain struct {
	ID      string
	Name    string
	Created time.Time
}

// Project separates tenants: nobody sees another project's anything.
type Project struct {
	ID       string
	DomainID string
	Name     string // unique in the installation; the {project} of a docker login
	Created  time.Time
}

// Role is what a user may do inside a project.
type Role string

// The roles, each including the ones below it.
const (
	RoleAdmin    Role = "admin"    // everything, also users and keys
	RoleOperator Role = "operator" // change registries, images, scans
	RoleViewer   Role = "viewer"   // read
	RoleRobot    Role = "robot"    // push and pull only
)

// Allows reports whether r includes need. A robot has no right to the JSON APIs.
func (r Role) Allows(need Role) bool {
	return r.rank() >= need.rank() && r.rank() > 0 && need.rank() > 0
}

func (r Role) rank() int {
	switch r {
	case RoleAdmin:
		return 3
	case RoleOperator:
		return 2
	case RoleViewer:
		return 1
	}
	return 0
}

// ParseRole accepts the four role names.
func ParseRole(s string) (Role, error) {
	switch r := Role(s); r {
	case RoleAdmin, RoleOperator, RoleViewer, RoleRobot:
		return r, nil
	}
	return "", Invalid("role", "the role must be admin, operator, viewer or robot")
}

// User belongs to one domain and has one role in each project that admits it.
type User struct {
	ID           string
	DomainID     string
	Name         string // unique in its domain
	PasswordHash string // bcrypt; never rendered
	Disabled     bool
	Created      time.Time
}

// Member is a user's role in a project.
type Member struct {
	ProjectID string
	UserID    string
	Role      Role
}

// AccessKey is an AK/SK pair bound to a user and a project. The SK is kept
// sealed by the keyring, because verifying an HMAC needs it whole.
type AccessKey struct {
	AK        string
	UserID    string
	ProjectID string
	SealedSK  []byte
	Temporary bool      // made by CreateSecret; good for docker logins only
	Expires   time.Time // zero: never
	Created   time.Time
}

// SealContext is what the key's SK is sealed for, so that one key's SK cannot be
// put in the place of another's.
func (k AccessKey) SealContext() string { return "access-key:" + k.AK }

// Caller is who a request speaks for, after sign-in.
type Caller struct {
	DomainID    string
	DomainName  string
	ProjectID   string
	ProjectName string
	UserID      string
	UserName    string
	Role        Role
	AK          string // empty when a token was used
}

type callerKey struct{}

// WithCaller puts the caller into the context.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerFrom is the caller of a request; ok is false before sign-in.
func CallerFrom(ctx context.Context) (c Caller, ok bool) {
	c, ok = ctx.Value(callerKey{}).(Caller)
	return c, ok
}
