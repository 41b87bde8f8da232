package iam

import (
	"context"
	"net/http"

	"breakwater"
	"breakwater/internal/auth"
	"breakwater/internal/door"
)

// nameOrID names a domain or a project in a request, and both in an answer.
type nameOrID struct {
	ID   string `json:"id,omitempty"`
	Name string `json:"name,omitempty"`
}

type scopeProject struct {
	ID     string   `json:"id"`
	Name   string   `json:"name"`
	Domain nameOrID `json:"domain"`
}

type tokenUser struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	Password string   `json:"password"`
	Domain   nameOrID `json:"domain"`
}

type tokenIn struct {
	Body struct {
		Auth struct {
			Identity struct {
				Methods  []string `json:"methods"`
				Password struct {
					User tokenUser `json:"user"`
				} `json:"password"`
			} `json:"identity"`
			Scope struct {
				Project scopeProject `json:"project"`
				Domain  nameOrID     `json:"domain"`
			} `json:"scope"`
		} `json:"auth"`
	} `body:""`

	_ struct{} `ignore:"nocatalog"`
}

type tokenOut struct {
	Token tokenBody `json:"token"`

	subject string // for the header
}

type tokenBody struct {
	Methods   []string     `json:"methods"`
	IssuedAt  string       `json:"issued_at"`
	ExpiresAt string       `json:"expires_at"`
	User      tokenHolder  `json:"user"`
	Project   tokenProject `json:"project"`
	Domain    nameOrID     `json:"domain"`
	Roles     []nameOrID   `json:"roles"`
	Catalog   []struct{}   `json:"catalog"`
}

type tokenHolder struct {
	ID     string   `json:"id"`
	Name   string   `json:"name"`
	Domain nameOrID `json:"domain"`
}

type tokenProject struct {
	ID     string   `json:"id"`
	Name   string   `json:"name"`
	Domain nameOrID `json:"domain"`
}

// SetHeaders puts the token where clients look for it.
func (o tokenOut) SetHeaders(h http.Header) { h.Set("X-Subject-Token", o.subject) }

// tokenTime is how the identity API writes times.
const tokenTime = "2006-01-02T15:04:05.000000Z"

func (s *Server) createToken(ctx context.Context, in tokenIn) (tokenOut, error) {
	who := in.Body.Auth.Identity.Password.User
	if who.ID == "" && who.Name == "" {
		return tokenOut{}, breakwater.Invalid("auth.identity.password.user.name", "is required")
	}
	user, err := s.checkUser(ctx, who)
	if err != nil {
		return tokenOut{}, err
	}
	caller, err := s.scope(ctx, user.ID, in.Body.Auth.Scope.Project)
	if err != nil {
		return tokenOut{}, err
	}
	token, expires, err := s.signer.UserToken(auth.Subject{UserID: user.ID, ProjectID: caller.ProjectID, Stamp: auth.Stamp(user.PasswordHash)})
	if err != nil {
		return tokenOut{}, err
	}
	domain := nameOrID{caller.DomainID, caller.DomainName}
	return tokenOut{subject: token, Token: tokenBody{
		Methods: []string{"password"}, IssuedAt: expires.Add(-auth.UserTokenLife).Format(tokenTime), ExpiresAt: expires.Format(tokenTime),
		User:    tokenHolder{caller.UserID, caller.UserName, domain},
		Project: tokenProject{caller.ProjectID, caller.ProjectName, domain},
		Domain:  domain, Roles: []nameOrID{{string(caller.Role), string(caller.Role)}}, Catalog: []struct{}{},
	}}, nil
}

// checkUser finds the user and holds the password against theirs; every way to
// be wrong sounds the same and takes as long.
func (s *Server) checkUser(ctx context.Context, who tokenUser) (breakwater.User, error) {
	user, err := s.findUser(ctx, who)
	if err != nil && !breakwater.IsNotFound(err) {
		return user, err
	}
	guesser := door.Remote(ctx) + " " + who.ID + " " + who.Name
	good, tired, err := s.slow.check(ctx, guesser, s.now(), user.PasswordHash, who.Password)
	switch {
	case err != nil:
		return user, breakwater.Wrap(breakwater.KindUnavailable, err, "the password was not checked")
	case tired:
		return user, errSignIn("too many wrong passwords; wait a minute")
	case !good || user.Disabled:
		return user, errSignIn("the user name or password is wrong")
	}
	return user, nil
}

func (s *Server) findUser(ctx context.Context, who tokenUser) (breakwater.User, error) {
	if who.ID != "" {
		return s.db.User(ctx, who.ID)
	}
	domain, err := s.findDomain(ctx, who.Domain)
	if err != nil {
		return breakwater.User{}, err
	}
	return s.db.UserByName(ctx, domain.ID, who.Name)
}

// findDomain is the domain that is named, or the first where none is.
func (s *Server) findDomain(ctx context.Context, want nameOrID) (breakwater.Domain, error) {
	domains, err := s.db.Domains(ctx)
	if err != nil {
		return breakwater.Domain{}, err
	}
	for _, d := range domains {
		if (want.ID == "" || want.ID == d.ID) && (want.Name == "" || want.Name == d.Name) {
			return d, nil
		}
	}
	return breakwater.Domain{}, breakwater.NotFound("domain")
}

// scope is the caller in the project that is asked for, or in the user's first.
func (s *Server) scope(ctx context.Context, userID string, want scopeProject) (breakwater.Caller, error) {
	projects, err := s.db.Projects(ctx, userID)
	if err != nil {
		return breakwater.Caller{}, err
	}
	for _, p := range projects {
		if (want.ID == "" || want.ID == p.ID) && (want.Name == "" || want.Name == p.Name) {
			return s.db.Caller(ctx, userID, p.ID)
		}
	}
	return breakwater.Caller{}, errSignIn("the project does not admit the user")
}

// traced is the header that the SDK reads from project look-ups.
type traced struct{ id string }

func (t traced) SetHeaders(h http.Header) { h.Set("X-Iam-Trace-Id", t.id) }

func trace(ctx context.Context) traced { return traced{"token_" + door.RequestID(ctx)} }

type links struct {
	Self string `json:"self"`
}

type projectInfo struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	DomainID    string `json:"domain_id"`
	ParentID    string `json:"parent_id"`
	IsDomain    bool   `json:"is_domain"`
	Enabled     bool   `json:"enabled"`
	Description string `json:"description"`
	Links       links  `json:"links"`
}

type projectsIn struct {
	Name     string `query:"name"`
	DomainID string `query:"domain_id"`
	Page     int    `query:"page"`
	PerPage  int    `query:"per_page"`
}

type projectsOut struct {
	traced   `json:"-"`
	Projects []projectInfo `json:"projects"`
}

// listProjects answers the projects the credentials can work in: a token's user
// may change project, an access key is bound to one.
func (s *Server) listProjects(ctx context.Context, in projectsIn) (projectsOut, error) {
	caller, _ := breakwater.CallerFrom(ctx)
	projects, err := s.db.Projects(ctx, caller.UserID)
	if err != nil {
		return projectsOut{}, err
	}
	out := projectsOut{traced: trace(ctx), Projects: []projectInfo{}}
	for _, p := range projects {
		if caller.AK != "" && p.ID != caller.ProjectID || in.Name != "" && p.Name != in.Name || in.DomainID != "" && p.DomainID != in.DomainID {
			continue
		}
		out.Projects = append(out.Projects, projectInfo{ID: p.ID, Name: p.Name, DomainID: p.DomainID, ParentID: p.DomainID, Enabled: true,
			Links: links{"/v3/projects/" + p.ID}})
	}
	from := min((in.Page-1)*in.PerPage, len(out.Projects))
	out.Projects = out.Projects[from:min(from+in.PerPage, len(out.Projects))]
	return out, nil
}

func (s *Server) listAuthProjects(ctx context.Context, _ struct{}) (projectsOut, error) {
	return s.listProjects(ctx, projectsIn{Page: 1, PerPage: 5000})
}

type domainInfo struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Enabled     bool   `json:"enabled"`
	Description string `json:"description"`
	Links       links  `json:"links"`
}

type domainsOut struct {
	traced  `json:"-"`
	Domains []domainInfo `json:"domains"`
}

func (s *Server) listAuthDomains(ctx context.Context, _ struct{}) (domainsOut, error) {
	caller, _ := breakwater.CallerFrom(ctx)
	return domainsOut{traced: trace(ctx), Domains: []domainInfo{
		{ID: caller.DomainID, Name: caller.DomainName, Enabled: true, Links: links{"/v3/domains/" + caller.DomainID}},
	}}, nil
}
