package oci

import (
	"mime"
	"strings"
)

// The media types of documents that Parse reads.
const (
	TypeManifest       = "application/vnd.oci.image.manifest.v1+json"
	TypeIndex          = "application/vnd.oci.image.index.v1+json"
	TypeDockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	TypeDockerIndex    = "application/vnd.docker.distribution.manifest.list.v2+json"

	typeSchema1       = "application/vnd.docker.distribution.manifest.v1+json"
	typeSchema1Signed = "application/vnd.docker.distribution.manifest.v1+prettyjws"

	typeConfig       = "application/vnd.oci.image.config.v1+json"
	typeDockerConfig = "application/vnd.docker.container.image.v1+json"
)

// Accept is the Accept header that asks for every document Parse knows, and for
// schema 1 last, so that an old image is answered and named as what it is.
var Accept = strings.Join([]string{
	TypeManifest, TypeIndex, TypeDockerManifest, TypeDockerIndex, typeSchema1Signed + ";q=0.1",
}, ", ")

// IsManifest reports whether t is an image manifest, OCI or Docker schema 2.
func IsManifest(t string) bool { return t == TypeManifest || t == TypeDockerManifest }

// IsIndex reports whether t is an index, OCI or Docker's manifest list.
func IsIndex(t string) bool { return t == TypeIndex || t == TypeDockerIndex }

func isSchema1(t string) bool { return t == typeSchema1 || t == typeSchema1Signed }

func isImageConfig(t string) bool { return t == typeConfig || t == typeDockerConfig }

// isFileLayer reports whether a layer of this type is a piece of a file system.
// Whatever its compression or encryption: a scan says what it cannot read.
func isFileLayer(t string) bool {
	return strings.HasPrefix(t, "application/vnd.oci.image.layer.") ||
		strings.HasPrefix(t, "application/vnd.docker.image.rootfs.")
}

// bareType is a Content-Type without its parameters; empty for the generic
// types that some registries and proxies send for every body.
func bareType(contentType string) string {
	t, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return ""
	}
	switch t {
	case "application/json", "application/octet-stream", "binary/octet-stream", "text/plain", "text/html":
		return ""
	}
	return t
}
