package registry

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"breakwater"
	"breakwater/internal/auth"
)

// The actions of scopes.
const (
	actionPull   = "pull"
	actionPush   = "push"
	actionDelete = "delete"
)

// who is the caller of a request: nobody, a user by password, or a token.
type who struct {
	anonymous bool
	token     bool
	userID    string
	projectID string
	role      breakwater.Role // by password only
	access    []auth.Access   // by token only
}

// identify reads the Authorization header. Wrong credentials are an error,
// never an anonymous caller.
func (r *Registry) identify(req *http.Request) (who, error) {
	header := req.Header.Get("Authorization")
	if header == "" {
		return who{anonymous: true}, nil
	}
	if user, password, ok := req.BasicAuth(); ok {
		caller, err := r.signIn(req.Context(), req, user, password)
		if err != nil {
			return who{}, err
		}
		return who{userID: caller.UserID, projectID: caller.ProjectID, role: caller.Role}, nil
	}
	scheme, token, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return who{}, errSignIn("")
	}
	subject, access, err := r.opts.Signer.ParseRegistryToken(strings.TrimSpace(token), r.opts.Service)
	if err != nil {
		return who{}, errSignIn("")
	}
	return who{anonymous: subject.UserID == "", token: true, userID: subject.UserID, projectID: subject.ProjectID, access: access}, nil
}

// allow says whether the caller may do this to the named repository, if it is
// theirs; whose it is, is looked up afterwards.
func (r *Registry) allow(c *call, action string) error {
	w := c.who
	if w.anonymous && (action != actionPull || !w.token) {
		if action == actionPull {
			return nil // the repository must be public
		}
		return errSignIn(scopeOf(c.path(), action))
	}
	if w.token {
		if auth.Allows(w.access, c.path(), action) {
			return nil
		}
		role, err := r.roleOf(c.ctx(), w)
		if err != nil {
			return err
		}
		if !w.anonymous && !slices.Contains(auth.Actions(role), action) {
			return errDenied()
		}
		return errSignIn(scopeOf(c.path(), action)) // the token was made for something else
	}
	if !slices.Contains(auth.Actions(w.role), action) {
		return errDenied()
	}
	return nil
}

// roleOf is the role of the caller, which a token does not carry. Somebody who
// has left the project has none.
func (r *Registry) roleOf(ctx context.Context, w who) (breakwater.Role, error) {
	if !w.token || w.anonymous {
		return w.role, nil
	}
	caller, err := r.db.Caller(ctx, w.userID, w.projectID)
	if breakwater.IsNotFound(err) {
		return "", nil
	}
	return caller.Role, err
}

// scopeOf is the scope to ask a token for: who pushes needs to pull too.
func scopeOf(path, action string) string {
	actions := action
	if action == actionPush {
		actions = "pull,push"
	}
	return "repository:" + path + ":" + actions
}

// pullable is the repository of the call, if the caller may read it.
func (r *Registry) pullable(c *call) (breakwater.Repository, error) {
	if err := r.allow(c, actionPull); err != nil {
		return breakwater.Repository{}, err
	}
	repo, err := r.db.VisibleRepository(c.ctx(), c.who.projectID, c.namespace, c.repository)
	if breakwater.IsNotFound(err) {
		if c.who.anonymous {
			return breakwater.Repository{}, errSignIn(scopeOf(c.path(), actionPull))
		}
		return breakwater.Repository{}, errNameUnknown()
	}
	return repo, err
}

// owned is the repository of the call, if it is the caller's own and they may
// do this to it.
func (r *Registry) owned(c *call, action string) (breakwater.Repository, error) {
	if err := r.allow(c, action); err != nil {
		return breakwater.Repository{}, err
	}
	repo, err := r.db.Repository(c.ctx(), c.who.projectID, c.namespace, c.repository)
	if breakwater.IsNotFound(err) {
		return breakwater.Repository{}, errNameUnknown()
	}
	return repo, err
}
