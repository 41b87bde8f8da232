package swr

import (
	"context"

	"breakwater"
)

// versionInfo is one version of this API; there is one.
type versionInfo struct {
	ID         string      `json:"id"`
	Links      versionLink `json:"links"`
	Version    string      `json:"version"`
	Status     string      `json:"status"`
	Updated    string      `json:"updated"`
	MinVersion string      `json:"min_version"`
}

type versionLink struct {
	Href string `json:"href"`
	Rel  string `json:"rel"`
}

// changed is when Breakwater last changed what the version serves.
const changed = "2026-11-22T00:00:00Z"

func v2() versionInfo {
	return versionInfo{ID: "v2", Links: versionLink{Href: "/v2/manage", Rel: "self"}, Status: "CURRENT", Updated: changed}
}

type listVersionsOut struct {
	Versions []versionInfo `json:"versions"`
}

func listVersions(context.Context, struct{}) (listVersionsOut, error) {
	return listVersionsOut{Versions: []versionInfo{v2()}}, nil
}

type showVersionIn struct {
	Version string `path:"api_version"`
}

type showVersionOut struct {
	Version versionInfo `json:"version"`
}

func showVersion(_ context.Context, in showVersionIn) (showVersionOut, error) {
	if in.Version != "v2" {
		return showVersionOut{}, breakwater.NotFound("API version")
	}
	return showVersionOut{Version: v2()}, nil
}
