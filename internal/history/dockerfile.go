package history

import "strings"

// Dockerfile writes the steps as a Dockerfile for people. It is what the
// history tells, not what was built from: files of COPY are named by their
// hashes where a builder wrote those, stages are gone, and what is no
// instruction is a comment. It ends after about a megabyte.
func Dockerfile(steps []Step) string {
	var b strings.Builder
	from := false
	for _, s := range steps {
		if s.Instruction == "FROM" {
			from = true
		}
	}
	if !from {
		b.WriteString("FROM scratch\n")
	}
	for _, s := range steps {
		if b.Len() > maxDockerfile {
			b.WriteString("# (the rest is left out)\n")
			break
		}
		switch {
		case s.Instruction == "" && s.Raw == "":
			b.WriteString("# (a step that says nothing)\n")
		case s.Instruction == "":
			b.WriteString(comment(s.Raw))
		default:
			b.WriteString(instructionLine(s))
		}
	}
	return b.String()
}

const maxDockerfile = 1 << 20

func comment(s string) string {
	var b strings.Builder
	for l := range strings.SplitSeq(strings.TrimSpace(s), "\n") {
		b.WriteString("# " + strings.TrimPrefix(strings.TrimPrefix(l, "#"), " ") + "\n")
	}
	return b.String()
}

// instructionLine is one instruction, long scripts broken at && as people do.
func instructionLine(s Step) string {
	switch s.Instruction {
	case "RUN":
		return "RUN " + breakLines(strings.TrimPrefix(s.Raw, "RUN ")) + "\n"
	case "COPY", "ADD":
		if s.Builder == BuilderClassic && len(s.Args) > 1 {
			return s.Instruction + " " + strings.Join(s.Args, " ") + "\n"
		}
	case "CMD", "ENTRYPOINT":
		if strings.HasPrefix(strings.TrimPrefix(s.Raw, s.Instruction+" "), "[") && len(s.Args) > 0 {
			return s.Instruction + " " + jsonList(s.Args) + "\n"
		}
	case "VOLUME", "EXPOSE":
		if len(s.Args) > 0 {
			return s.Instruction + " " + strings.Join(s.Args, " ") + "\n"
		}
	}
	return breakLines(s.Raw) + "\n"
}

// breakLines begins a line at each place where a builder joined the lines of a
// Dockerfile (it leaves their indentation behind). A script that has lines of
// its own was a here-document, and is written as one.
func breakLines(s string) string {
	if !strings.Contains(s, "\n") {
		return joint.ReplaceAllString(s, " \\\n    $1")
	}
	if strings.Contains(s, "<<") {
		return s
	}
	end := "EOF"
	for strings.Contains(s, end) {
		end += "_"
	}
	return "<<" + end + "\n" + strings.TrimSpace(s) + "\n" + end
}
