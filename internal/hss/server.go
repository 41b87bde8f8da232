package hss

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"breakwater"
	"breakwater/api"
	"breakwater/internal/audit"
	"breakwater/internal/catalog"
	"breakwater/internal/door"
	"breakwater/internal/keyring"
	"breakwater/internal/store"
)

// Options of the door. SignIn and Endpoint are needed; the rest may stay zero.
type Options struct {
	// SignIn says who a request speaks for (see door.Options).
	SignIn func(r *http.Request, body []byte) (breakwater.Caller, error)
	// Endpoint is the base URL under which clients reach this server, such as
	// https://breakwater.example.com:8480, without a path.
	Endpoint string
	// Audit judges facts by rules, and knows what the rules say of themselves.
	Audit *audit.Auditor
	// Version is the product's version, shown with the local cluster and put on
	// the component image; empty means dev.
	Version string
	// Executable is the binary that the component image holds; empty means the
	// one that runs.
	Executable string
	// Logger gets one line a request; nil discards.
	Logger *slog.Logger
	// Observe is told of every answered request; nil: nobody is.
	Observe func(operation string, status int, took time.Duration)
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Server answers the HSS operations and the component downloads.
type Server struct {
	door      *door.Door
	db        *store.DB
	catalog   *catalog.Catalog
	keys      *keyring.Keyring
	component *component
	opts      Options
	endpoint  *url.URL
}

// New is the door over db, with every operation that this version serves.
func New(db *store.DB, cat *catalog.Catalog, keys *keyring.Keyring, o Options) (*Server, error) {
	u, err := url.Parse(o.Endpoint)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || strings.Trim(u.Path, "/") != "" {
		return nil, errors.New("hss: Options.Endpoint must be an http or https URL without a path")
	}
	if o.Audit == nil {
		return nil, errors.New("hss: Options.Audit is missing")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Version == "" {
		o.Version = "dev"
	}
	s := &Server{db: db, catalog: cat, keys: keys, opts: o, endpoint: &url.URL{Scheme: u.Scheme, Host: u.Host}}
	s.component = newComponent(o.Executable, o.Version, keys.Key("component"), o.Now)
	if n := len(s.component.link(s.endpoint.String(), zipped)); n > maxDownloadURL {
		return nil, fmt.Errorf("hss: Options.Endpoint makes download links of %d characters; %d are allowed", n, maxDownloadURL)
	}
	s.door, err = door.New(api.HSS, door.Options{Dialect: door.HSS, SignIn: o.SignIn, Logger: o.Logger, Observe: o.Observe, Now: o.Now})
	if err != nil {
		return nil, err
	}
	s.mount()
	return s, nil
}

// mount registers the handlers: viewers read, operators change.
func (s *Server) mount() {
	const read, change = breakwater.RoleViewer, breakwater.RoleOperator
	door.Handle(s.door, "ListRegistry", read, s.listRegistry)
	door.Handle(s.door, "AddRegistry", change, s.addRegistry)
	door.Handle(s.door, "UpdateRegistry", change, s.updateRegistry)
	door.Handle(s.door, "DeleteRegistry", change, s.deleteRegistry)
	door.Handle(s.door, "BatchDeleteRegistry", change, s.batchDeleteRegistry)
	door.Handle(s.door, "ListKubernetesClusterDetails", read, s.listKubernetesClusterDetails)
	door.Handle(s.door, "ListMultiCloudClusters", read, s.listMultiCloudClusters)

	door.Handle(s.door, "CreateImageSynchronizeTask", change, s.createImageSynchronizeTask)
	door.Handle(s.door, "ListAssociateRegistries", read, s.listAssociateRegistries)
	door.Handle(s.door, "RunImageSynchronize", change, s.runImageSynchronize)

	door.Handle(s.door, "BatchScanSwrImage", change, s.batchScanSwrImage)
	door.Handle(s.door, "CreateManualImageScanTask", change, s.createManualImageScanTask)
	door.Handle(s.door, "StopImageScanTask", change, s.stopImageScanTask)
	door.Handle(s.door, "ListImageScanTask", read, s.listImageScanTask)

	door.Handle(s.door, "ListRegistryImages", read, s.listRegistryImages)
	door.Handle(s.door, "ListImageVulnerabilities", read, s.listImageVulnerabilities)
	door.Handle(s.door, "ListVulnerabilityCve", read, s.listVulnerabilityCve)
	door.Handle(s.door, "ListImageApps", read, s.listImageApps)
	door.Handle(s.door, "ListLocalImageAppInfo", read, s.listLocalImageAppInfo)
	door.Handle(s.door, "ListImageFiles", read, s.listImageFiles)
	door.Handle(s.door, "ShowImageFilesStat", read, s.showImageFilesStat)
	door.Handle(s.door, "ListImageMalware", read, s.listImageMalware)
	door.Handle(s.door, "ListImageSensitive", read, s.listImageSensitive)
	door.Handle(s.door, "ShowImageBaselineStatistic", read, s.showImageBaselineStatistic)
	door.Handle(s.door, "ListImageRiskConfigs", read, s.listImageRiskConfigs)
	door.Handle(s.door, "ListImageRiskConfigRules", read, s.listImageRiskConfigRules)
	door.Handle(s.door, "ShowImageCheckRuleDetail", read, s.showImageCheckRuleDetail)
	door.Handle(s.door, "ListImagePwdComplexity", read, s.listImagePwdComplexity)
	door.Handle(s.door, "ListImageWeakPwdUsers", read, s.listImageWeakPwdUsers)
	door.Handle(s.door, "ListImageBuildCommandRisks", read, s.listImageBuildCommandRisks)
	door.Handle(s.door, "ListImageBuildCommandRisksImages", read, s.listImageBuildCommandRisksImages)
	door.Handle(s.door, "ListImageBasicImage", read, s.listImageBasicImage)
	door.Handle(s.door, "ListImageNonCompliantApp", read, s.listImageNonCompliantApp)
	door.Handle(s.door, "ShowImageReport", read, s.showImageReport)
	door.Handle(s.door, "ShowImageUploadCommand", read, s.showImageUploadCommand)
}

// Door is the mounted document, for its JSON and its list of operations.
func (s *Server) Door() *door.Door { return s.door }

// Matches reports whether the path of r is an operation or a component download.
func (s *Server) Matches(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, componentPath) || s.door.Matches(r)
}

// ServeHTTP answers an operation or a component download.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, componentPath) {
		s.serveComponent(w, r)
		return
	}
	s.door.ServeHTTP(w, r)
}

// project is the caller's project; sign-in has put it there.
func project(ctx context.Context) string {
	caller, _ := breakwater.CallerFrom(ctx)
	return caller.ProjectID
}
