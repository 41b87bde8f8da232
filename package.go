package breakwater

// PackageKind tells the operating system's packages from an application's.
type PackageKind string

// The kinds of package; on the wire linux_vul and app_vul.
const (
	PackageOS  PackageKind = "os"
	PackageApp PackageKind = "app"
)

// Package is one piece of installed software as an image holds it: a fact.
// Packages of an inventory are sorted by Ecosystem, Name, Version, Path.
type Package struct {
	// Ecosystem is the OSV ecosystem with its release where it has one
	// ("Debian:12", "Alpine:v3.19", "npm", "Go"). Empty: no advisory source
	// speaks of it.
	Ecosystem string `json:"ecosystem"`
	// Name and Version are as the package manager says them.
	Name    string `json:"name"`
	Version string `json:"version"`
	// SourceName and SourceVersion are what the advisories of a distribution
	// speak of; equal to Name and Version where there is no difference.
	SourceName    string      `json:"source_name,omitempty"`
	SourceVersion string      `json:"source_version,omitempty"`
	Kind          PackageKind `json:"kind"`
	Type          string      `json:"type"` // the PURL type: deb, apk, rpm, alpm, npm, pypi, golang, maven, bitnami, generic …
	PURL          string      `json:"purl,omitempty"`
	Arch          string      `json:"arch,omitempty"`
	Licences      []string    `json:"licences,omitempty"` // SPDX expressions, or the package's own words
	Size          int64       `json:"size,omitempty"`     // bytes it takes installed, where its manager says
	// OwnedBy names the OS package that installed this language package. Such a
	// package is listed, and judged by the distribution's advisories only.
	OwnedBy string `json:"owned_by,omitempty"`
	Layer   Digest `json:"layer"` // the layer that put it there
	Path    string `json:"path"`  // the file it was read from, without a leading slash
}

// MatchEcosystem is the ecosystem in the spelling that advisories are stored under.
func (p Package) MatchEcosystem() string { return NormalEcosystem(p.Ecosystem) }

// MatchName is the name advisories know the package by, in its normal spelling.
func (p Package) MatchName() string {
	if p.SourceName != "" {
		return NormalName(p.Ecosystem, p.SourceName)
	}
	return NormalName(p.Ecosystem, p.Name)
}

// MatchVersion is the version advisories are compared with.
func (p Package) MatchVersion() string {
	if p.SourceVersion != "" {
		return p.SourceVersion
	}
	return p.Version
}

// PackageVersion is what a verdict belongs to: shared by every image that holds it.
type PackageVersion struct {
	ID        int64
	Ecosystem string // MatchEcosystem
	Name      string // MatchName
	Version   string // MatchVersion
}
