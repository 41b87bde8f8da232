package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"breakwater"
)

// DockerPassword is what a docker client types for {project}@{AK}.
func DockerPassword(ak string, sk []byte) string {
	m := hmac.New(sha256.New, sk)
	m.Write([]byte(ak))
	return hex.EncodeToString(m.Sum(nil))
}

// CheckDockerPassword compares in constant time.
func CheckDockerPassword(ak string, sk []byte, password string) bool {
	return len(sk) > 0 && hmac.Equal([]byte(DockerPassword(ak, sk)), []byte(password))
}

// Actions are what a role may do to a repository of its project.
func Actions(r breakwater.Role) []string {
	switch r {
	case breakwater.RoleAdmin, breakwater.RoleOperator:
		return []string{"pull", "push", "delete"}
	case breakwater.RoleRobot:
		return []string{"pull", "push"}
	case breakwater.RoleViewer:
		return []string{"pull"}
	}
	return nil
}

// maxScope bounds one scope of a token request: type, repository name, actions.
const maxScope = 512

// ParseScope reads a scope of the docker token protocol: repository:NAME:pull,push
// or registry:catalog:*. The name may hold a host with a port; it is not checked
// further here.
func ParseScope(s string) (Access, error) {
	typ, rest, ok := strings.Cut(s, ":")
	i := strings.LastIndexByte(rest, ':')
	if !ok || i <= 0 || len(s) > maxScope {
		return Access{}, breakwater.Invalid("scope", "must be type:name:actions")
	}
	typ, _, _ = strings.Cut(typ, "(") // repository(plugin): the class says nothing to us
	a := Access{Type: typ, Name: rest[:i]}
	for action := range strings.SplitSeq(rest[i+1:], ",") {
		if action != "" && !slices.Contains(a.Actions, action) {
			a.Actions = append(a.Actions, action)
		}
	}
	return a, nil
}

// Grant cuts a wanted access to what the role may do. Anything but repositories
// and the catalogue is granted no action.
func Grant(r breakwater.Role, want Access) Access {
	granted := Access{Type: want.Type, Name: want.Name, Actions: []string{}}
	may := Actions(r)
	for _, a := range want.Actions {
		switch {
		case want.Type == "repository" && a == "*":
			granted.Actions = may
		case want.Type == "repository" && slices.Contains(may, a), want.Type == "registry" && want.Name == "catalog" && a == "*" && may != nil:
			granted.Actions = append(granted.Actions, a)
		}
	}
	return granted
}

// Allows reports whether a list of accesses holds an action on a repository.
func Allows(access []Access, repository, action string) bool {
	return slices.ContainsFunc(access, func(a Access) bool {
		return a.Type == "repository" && a.Name == repository && slices.Contains(a.Actions, action)
	})
}
