// Package history tells how an image was built, and which of its build commands
// are risky. It is pure: the history of an image configuration (OCI config.md,
// "history") goes in, parsed steps and findings come out.
//
// # How data flows
//
//	History ─► dialect.go: who wrote it, and the Dockerfile line in it
//	           (classic docker, BuildKit, buildah, kaniko, Windows shells; a
//	           builder without Dockerfile only gets its name)
//	        ─► instruction.go: instruction, flags, arguments (BuildKit's parser)
//	        ─► shell.go: the commands of RUN, one by one (mvdan.cc/sh), or
//	           windows.go for cmd and PowerShell
//	        ─► Step ─► Dockerfile: the file for people
//	                └► Check: rules/*.yaml held against each step and the image
//
// # Commands
//
// Rules see commands, not text: wrappers (sudo, env, xargs, find -exec) are
// taken off, `sh -c "…"` and here-documents fed to a shell are parsed in turn,
// variables are replaced where ENV, ARG or the script itself says their value,
// and each command knows its pipeline, what feeds it, and the command in whose
// words it stands (`sh -c "$(curl …)"`, `bash <(curl …)`).
//
// # Limits
//
// MaxSteps steps, MaxText bytes of each, maxTotal bytes and maxAll commands over all;
// nesting of maxNesting, maxCommands commands a step. What is beyond a limit, or
// is no shell, is kept as text, and Step.Unparsed says why. No clock decides:
// the same history always gives the same steps.
//
// # Rules
//
// A rule is data (ruleset.go has the form, docs the meaning of each key). The
// operator's own file adds rules, switches ours off and changes severities.
// Values that the caller masked stay masked ("***").
package history
