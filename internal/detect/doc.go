// Package detect reads facts out of one file at a time.
//
//	File + reader ─► which format? ─► buffer or private temp file ─► extractor ─► Facts
//	                  by path, else      (Options.Buffer)  (Options.Spill)
//	                  by first bytes
//
// Formats are read by extractors of google/osv-scalibr, chosen one by one in the
// table of formats.go and fed with a file system that holds that one file, or
// here, each for a reason told beside it: where the extractor takes quadratic
// time, decompresses without a limit, drops what we need (file ownership,
// half-configured packages), or takes one package for another.
//
// Facts are facts of the file alone. What a distribution is called is not known
// here, because os-release may lie in another layer: packages of the operating
// system leave with an empty Ecosystem, and Release.Complete fills it in once
// the image is whole.
//
// A file is hostile: an extractor that fails or panics ends that file only, and
// the reason stands in Facts.Skipped.
package detect
