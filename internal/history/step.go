package history

import "breakwater"

// The limits of one image's history.
const (
	MaxSteps = 1000     // entries that are looked at
	MaxText  = 64 << 10 // bytes of one entry

	maxTotal    = 1 << 20 // bytes parsed over all entries, scripts in scripts counted again
	maxNesting  = 100     // of brackets in a script
	maxCommands = 2000    // of one step
	maxAll      = 20_000  // commands of all steps
	maxWords    = 2000    // of one command
	maxValue    = 4 << 10 // bytes of a word, after variables are replaced
	maxScripts  = 3       // scripts inside scripts: sh -c "sh -c …"
)

// KV is one variable: of ENV, of ARG, or a build argument that RUN was given.
type KV struct {
	Name  string
	Value string
}

// Step is one entry of the history, parsed.
type Step struct {
	Index       int               // from 1, in the order of the history
	Layer       breakwater.Digest // empty when it made none, or when history and layers do not agree
	Builder     Builder           // who wrote the entry, as far as its form tells
	Instruction string            // RUN, COPY, ENV …; empty when the entry is none
	Flags       []string          // of the instruction: --chown=…, --mount=…
	Args        []string          // what follows the instruction, split as its grammar splits it
	Env         []KV              // of ENV and ARG; of RUN the build arguments that the entry names
	Shell       string            // that ran a RUN: sh, bash, cmd, powershell; empty for the exec form
	Commands    []Command         // of RUN, and of the shell form of CMD and ENTRYPOINT
	Raw         string            // the Dockerfile line, normalised; at most MaxText bytes
	// Unparsed says why the entry, or a part of it, was not understood; empty
	// when it was.
	Unparsed string
}

// Builder is what wrote a history entry.
type Builder string

// The builders that are told apart.
const (
	BuilderClassic  Builder = "docker"   // #(nop) and bare shells; buildah and podman write the same
	BuilderBuildKit Builder = "buildkit" // "# buildkit" at the end
	BuilderPlain    Builder = "plain"    // a Dockerfile line as it was written: kaniko, buildah's FROM
	BuilderOther    Builder = "other"    // a builder with no Dockerfile: debuerreotype, ko, jib, bazel, nix
)

// Command is one simple command of a script.
type Command struct {
	Name   string   // the last part of its path: "curl" of "/usr/bin/curl"
	Args   []string // its words, without quotes; what is only known at run time stays as written
	Env    []KV     // NAME=value in front of it
	Text   string   // as written; at most 1 KiB
	Writes []string // files that its output is sent to
	// Pipeline numbers the pipeline that it is part of, from 1; Stage its place in it.
	Pipeline, Stage int
	// Inside is the command in whose words this one stands (from 1, in
	// Step.Commands): curl of sh -c "$(curl …)". 0: none.
	Inside int
	// Wrapped is the command that runs this one (from 1): sudo of "sudo apt-get …". 0: none.
	Wrapped int
}
