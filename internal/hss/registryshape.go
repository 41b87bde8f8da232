package hss

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"breakwater"
)

// maxBatch bounds a list of registries in one request.
const maxBatch = 1000

// registryInfo is a registry on the wire. Fields that a registry does not have
// are left out: the contract's strings are at least one character long.
type registryInfo struct {
	ID         string `json:"id"`
	Name       string `json:"registry_name"`
	Type       string `json:"registry_type"`
	APIVersion string `json:"api_version,omitempty"`
	Protocol   string `json:"protocol,omitempty"`
	Addr       string `json:"registry_addr,omitempty"`
	Username   string `json:"registry_username,omitempty"`
	Namespace  string `json:"namespace,omitempty"`
	ClusterID  string `json:"connect_cluster_id,omitempty"`
	Channel    string `json:"get_scan_image_channel,omitempty"`
	Status     string `json:"status"`
	FailReason string `json:"fail_reason,omitempty"`
	ImagesNum  int64  `json:"images_num"`
	LatestSync int64  `json:"latest_sync_time,omitempty"`
}

func (s *Server) registryInfo(r breakwater.Registry) registryInfo {
	if r.Type == breakwater.RegistrySwrPrivate { // it is reached where we are
		r.Protocol, r.Addr = s.endpoint.Scheme, s.endpoint.Host
	}
	return registryInfo{
		ID: r.ID, Name: r.Name, Type: string(r.Type), APIVersion: r.APIVersion, Protocol: r.Protocol, Addr: r.Addr, Username: r.Username,
		Namespace: r.Namespace, ClusterID: r.ClusterID, Channel: r.Channel, Status: string(r.Status), FailReason: r.FailReason,
		ImagesNum: r.ImagesNum, LatestSync: millis(r.LatestSync),
	}
}

// apply is the registry with what the body changes, checked as a new one is.
func (b updateRegistryBody) apply(r breakwater.Registry) (breakwater.Registry, error) {
	for _, f := range []struct {
		from *string
		to   *string
	}{
		{b.APIVersion, &r.APIVersion}, {b.Protocol, &r.Protocol}, {b.Addr, &r.Addr}, {b.Username, &r.Username},
		{b.Namespace, &r.Namespace}, {b.ClusterID, &r.ClusterID}, {b.Channel, &r.Channel},
	} {
		if f.from != nil {
			*f.to = *f.from
		}
	}
	if b.Repositories != nil {
		r.Repositories = *b.Repositories
	}
	return checkRegistry(r)
}

// checkRegistry holds a registry against what no schema can say.
func checkRegistry(r breakwater.Registry) (breakwater.Registry, error) {
	addr, err := parseAddr("registry_addr", r.Addr)
	if err != nil {
		return r, err
	}
	r.Addr = addr.String()
	if err := plain("registry_username", r.Username); err != nil {
		return r, err
	}
	if strings.Contains(r.Username, ":") { // RFC 7617: a colon would end the name
		return r, breakwater.Invalid("registry_username", "must not hold a colon")
	}
	if r.ClusterID != breakwater.LocalCluster {
		return r, breakwater.Invalid("connect_cluster_id", "is not a known cluster; the built-in one is called %s", breakwater.LocalCluster)
	}
	if r.Namespace == "" && r.Channel == "Other" {
		return r, breakwater.Invalid("namespace", "is needed when get_scan_image_channel is Other")
	}
	if r.Namespace != "" && !isRepositoryPath(r.Namespace) {
		return r, breakwater.Invalid("namespace", "must be letters, digits and . _ - in parts joined by /")
	}
	return r, nil
}

// registryTypes splits the comma separated filter.
func registryTypes(joined string) (out []breakwater.RegistryType) {
	if joined == "" {
		return nil
	}
	for t := range strings.SplitSeq(joined, ",") {
		out = append(out, breakwater.RegistryType(t))
	}
	return out
}

// plain refuses control characters: a value with a line break can end a header,
// a command or a log line.
func plain(field, value string) error {
	if strings.ContainsFunc(value, func(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' }) {
		return breakwater.Invalid(field, "must not hold control characters")
	}
	return nil
}

// at says which element of a list an error of the user's making speaks of.
func at(err error, format string, args ...any) error {
	var e *breakwater.Error
	if !errors.As(err, &e) || e.Kind == breakwater.KindInternal {
		return err
	}
	located := *e
	located.Field = fmt.Sprintf(format, args...)
	if e.Field != "" {
		located.Field += "." + e.Field
	}
	return &located
}
