// Package upstreamtest is the registries of the outside world, for tests: a
// Harbor of either generation, an Artifactory and a plain OCI registry, on
// loopback, that answer with the headers, shapes, challenges and tokens of the
// real ones, hold whatever a test puts in, and fail on demand.
//
//	Image, Index ──► Artifact ──► Server.Tag / Untag / Remove    what is held
//	Options (kind, credentials, realm, missing features)         how it answers
//	Server.Break (500, 429, hang-up, stall, garbage, wrong bytes) when it fails
//	Server.Count                                                 what was asked
//
// Images are real: their layers are gzip tar files with the files a test
// names, and they can be pulled and scanned.
package upstreamtest
