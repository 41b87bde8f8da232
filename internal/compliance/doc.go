// Package compliance finds software that should not be in an image, because an
// operator, or common sense, says so: network sniffers, compilers, remote
// logins, releases that nobody maintains any more, licences that are not wanted.
// It is pure: an inventory, rules and a time go in, findings come out.
//
// # How data flows
//
//	rules/software.yaml ┐
//	rules/system.yaml   ├─► Rules ─┐
//	rules/product.yaml  │          ├─► packages by name, version, licence (software.go)
//	the operator's file ┘          ├─► the distribution's end of support (support.go)
//	                 Inventory ────┤   the ends of runtimes, servers and libraries
//	                         now ──┘        │
//	                                        └─► exceptions taken off ─► Finding, sorted
//
// # One thing, one finding
//
// A distribution splits one source into many packages, and a release of it into
// several sources (gcc-defaults, gcc-12). Packages of one rule and one source
// are one finding, about the package that is named like the source.
//
// # End of support
//
// The tables say when the makers end their support, and from which day that is
// known. What a distribution packages itself is kept by the distribution after
// its makers gave it up, so that such a package is judged by the end of the
// distribution, not by its own; packages that the makers build carry their mark
// in the version, and are judged. A version that no table lists is not judged.
//
// # Limits
//
// A rule file has at most MaxRuleBytes bytes and MaxRules rules; a licence
// expression of more than 4 KiB or 50 levels is not read.
package compliance
