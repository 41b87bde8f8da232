// Package scanbench measures what a scan costs beside what any scanner must do.
//
//	Build: files of a directory, or made ones ─► OCI layout of one or many layers
//	Floor: every layer inflated, both streams hashed, the archive walked; all cores
//	Scan:  the engine, for some checks or all of them, nothing known before
//
// Each is run in a process of its own, so that its time and its peak of memory
// are its own; a table shows the ratios to the floor of the same run.
package scanbench
