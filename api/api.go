// Package api holds the OpenAPI 3 documents that the doors are mounted from.
// The document is the contract: routes, validation, defaults, statuses and the
// 501 of what is not built all come from it, and the same bytes are served to
// whoever wants to read them.
//
// HSS and SWR are written by api/gen; IAM is small and written by hand.
package api

import _ "embed"

// HSS is the container image part of the host security API.
//
//go:embed hss.yaml
var HSS []byte

// SWR is the management API of the embedded registry.
//
//go:embed swr.yaml
var SWR []byte

// IAM is the part of the identity API that the official SDK needs.
//
//go:embed iam.yaml
var IAM []byte
