// Package swr is the management door of the embedded registry: organisations
// (namespaces), repositories, tags and temporary logins, in the dialect of SWR v2.
//
// # The way of a request
//
//	swr.yaml ─► door: path, sign-in, role, parameters ─► a handler of this package
//	     reads:  store, one query
//	     writes: store, and for what removes images catalog.Forget, in one transaction
//	     CreateSecret: a fresh access key, its secret sealed by keyring, spelled as
//	                   a docker login by auth
//
// Everything is looked up under the caller's project, so another project's
// organisation or repository is absent (404), whatever the operation. The one
// exception is making an organisation: its name is the first part of an address,
// there is one registry, and a name that anybody holds is a conflict (409).
//
// # Wire habits kept here
//
// A slash in a repository name travels as $ in a path (a %2F works too). Lists
// take plain parameters or one filter=key::value|key::value, which then stands
// alone. Lists of repositories and tags say Content-Range: start-count/total,
// where count is the number of records on this page. Times are RFC 3339 in UTC
// with a fraction. Operations without a handler answer 501 by themselves.
package swr
