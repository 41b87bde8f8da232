package history

import (
	"regexp"
	"slices"
	"strings"

	"breakwater"
)

// context is what the steps of one image share while rules are held against them.
type context struct {
	inv   breakwater.Inventory
	steps []Step
	first int // the step (from 1) that makes the first layer; 0: none
}

func newContext(inv breakwater.Inventory, steps []Step) *context {
	k := &context{inv: inv, steps: steps}
	for i, h := range inv.History[:min(len(inv.History), len(steps))] {
		if !h.Empty {
			k.first = i + 1
			break
		}
	}
	return k
}

// isSet reports whether a step before this one, or a build argument of it, sets
// a variable of such a name.
func (k *context) isSet(name pattern, before int) bool {
	for i := range k.steps[:min(before, len(k.steps))] {
		for _, kv := range k.steps[i].Env {
			if (k.steps[i].Instruction == "ENV" || k.steps[i].Instruction == "ARG" || i == before-1) && name.match(kv.Name) {
				return true
			}
		}
	}
	return false
}

// imageHit is a finding about the image as a whole, or the step that made it so.
type imageHit struct {
	subject string
	current string
	step    int // 0: none
}

// imageChecks are what a rule can say of an image as a whole.
var imageChecks = map[string]func(k *context, arg pattern) []imageHit{
	"root-user":          rootUser,
	"no-health-check":    noHealthCheck,
	"latest-base":        latestBase,
	"port":               openPort,
	"shell-entrypoint":   shellEntrypoint,
	"unquoted-arguments": unquotedArguments,
}

// rootUser holds when a container runs as root: no USER, or one that is root.
// An image of Windows, whose default account is no root, never has it.
func rootUser(k *context, _ pattern) []imageHit {
	user, _, _ := strings.Cut(k.inv.Setup.User, ":")
	if k.inv.Platform.OS == "windows" || user != "" && user != "root" && strings.Trim(user, "0") != "" {
		return nil
	}
	h := imageHit{subject: "USER", current: "no USER: the container runs as root"}
	if k.inv.Setup.User != "" {
		h.current = "USER " + k.inv.Setup.User
	}
	h.step = k.lastStep("USER")
	return []imageHit{h}
}

// noHealthCheck holds when an image that offers ports has no health check.
func noHealthCheck(k *context, _ pattern) []imageHit {
	if k.inv.Setup.Health || len(k.inv.Setup.Ports) == 0 {
		return nil
	}
	if at := k.lastStep("HEALTHCHECK"); at > 0 && !slices.Contains(k.steps[at-1].Args, "NONE") {
		return nil // OCI configurations have no place for it; the history does
	}
	return []imageHit{{subject: "HEALTHCHECK", current: "no HEALTHCHECK; ports " + strings.Join(k.inv.Setup.Ports, ", ")}}
}

func (k *context) lastStep(instruction string) int {
	for i := len(k.steps) - 1; i >= 0; i-- {
		if k.steps[i].Instruction == instruction {
			return i + 1
		}
	}
	return 0
}

const baseNameLabel = "org.opencontainers.image.base.name"

// latestBase holds when the base image is named by the tag latest or by none:
// in buildah's FROM, or in the label that says the base.
func latestBase(k *context, _ pattern) []imageHit {
	var out []imageHit
	for i, s := range k.steps {
		if s.Instruction == "FROM" && len(s.Args) > 0 && movingTag(s.Args[0]) {
			out = append(out, imageHit{"FROM", s.Raw, i + 1})
		}
	}
	if ref := k.inv.Setup.Labels[baseNameLabel]; len(out) == 0 && ref != "" && movingTag(ref) {
		out = append(out, imageHit{"FROM", "FROM " + ref, 0})
	}
	return out
}

var imageID = regexp.MustCompile(`^[0-9a-f]{12,64}$`)

func movingTag(ref string) bool {
	if ref == "scratch" || strings.ContainsAny(ref, "@$") || imageID.MatchString(ref) || strings.HasPrefix(ref, "sha256:") {
		return false
	}
	name := ref[strings.LastIndexByte(ref, '/')+1:]
	_, tag, tagged := strings.Cut(name, ":")
	return !tagged || tag == "latest"
}

// openPort holds for each port that the image offers and arg matches.
func openPort(k *context, arg pattern) []imageHit {
	var out []imageHit
	for _, p := range k.inv.Setup.Ports {
		number, _, _ := strings.Cut(p, "/")
		if !arg.set() || !arg.match(number) {
			continue
		}
		h := imageHit{subject: "EXPOSE", current: "EXPOSE " + p}
		for i, s := range k.steps {
			if s.Instruction == "EXPOSE" && slices.ContainsFunc(s.Args, func(a string) bool { return a == p || a == number }) {
				h.step = i + 1
			}
		}
		out = append(out, h)
	}
	return out
}

// shellEntrypoint holds when a shell stands between the runtime and the
// program, so that signals do not reach it. A script that ends in exec is fine.
func shellEntrypoint(k *context, _ pattern) []imageHit {
	script, ok := shellForm(k.inv.Setup.Entrypoint)
	if !ok || strings.HasPrefix(strings.TrimSpace(script), "exec ") || strings.Contains(script, "exec ") {
		return nil
	}
	return []imageHit{{"ENTRYPOINT", "ENTRYPOINT " + jsonList(k.inv.Setup.Entrypoint), k.lastStep("ENTRYPOINT")}}
}

var bareArguments = regexp.MustCompile(`(?:^|[^"\w])\$(?:\*|@|\{[*@]\}|[1-9]\b)|eval\s+["']?\$`)

// unquotedArguments holds when the entrypoint's script takes its arguments
// apart again, so that whoever chooses them can add words and patterns.
func unquotedArguments(k *context, _ pattern) []imageHit {
	for _, list := range [][]string{k.inv.Setup.Entrypoint, k.inv.Setup.Cmd} {
		if script, ok := shellForm(list); ok && bareArguments.MatchString(script) {
			return []imageHit{{"ENTRYPOINT", jsonList(list), k.lastStep("ENTRYPOINT")}}
		}
	}
	return nil
}

func shellForm(list []string) (string, bool) {
	if len(list) < 3 || !isShell(baseName(list[0])) || !strings.HasSuffix(list[1], "c") || !strings.HasPrefix(list[1], "-") {
		return "", false
	}
	return list[2], true
}
