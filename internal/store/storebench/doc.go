// Package storebench measures the image list over a database of a stated size:
// it is what `breakwater bench list` runs.
//
// World fills a fresh database with images of realistic skew (a few projects,
// repositories and tags hold most rows). Kinds is the mix of requests: every
// filter alone, combinations people use, both orders, deep and large pages.
// Run drives them from many clients while scans go on finishing, and prints for
// each kind how long the slowest requests took.
package storebench
