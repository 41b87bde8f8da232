package scan

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"breakwater"
	"breakwater/internal/history"
	"breakwater/internal/oci"
	"breakwater/internal/secret"
)

// The bounds on what is kept of an image's configuration, and looked at.
const (
	maxHistory = 1000
	maxWord    = 64 << 10 // of one step, variable or label
	maxEnv     = 1000     // variables; labels; words of one command; instructions for those who build on it
	maxFound   = 1000     // secrets of one configuration
)

// setup takes what the image's configuration says, with every credential masked
// and listed as a secret. What it leaves out goes to out.
func (s *Scanner) setup(inv *breakwater.Inventory, c oci.Config, want checks, out missed) {
	read := reader{layers: inv.Layers}
	if s.opts.Secrets != nil {
		read.redact = s.opts.Secrets.Redactor()
	}
	extra := dockerConfig(c.Raw)
	inv.Setup = read.setup(c, extra)
	inv.History = read.steps(c.History)
	read.everywhere(inv)
	// What a search by form cannot see, such as the password of a chpasswd, the
	// rules of build commands do.
	inv.History = s.history.Mask(inv.History)
	if want.secrets {
		inv.Secrets = append(inv.Secrets, read.found...)
		for _, reason := range read.left {
			out.add(breakwater.CheckSecret, breakwater.Skip{Path: "image configuration", Reason: "not wholly: " + reason})
		}
	}
}

// docker is what Docker adds to the OCI configuration.
type docker struct {
	Healthcheck struct{ Test []string }
	Shell       []string
	OnBuild     []string
}

func dockerConfig(raw []byte) docker {
	var c struct {
		Config docker `json:"config"`
	}
	if json.Unmarshal(raw, &c) != nil {
		return docker{}
	}
	return c.Config
}

// reader reads one configuration.
type reader struct {
	redact *secret.Redactor // nil: nothing is looked for
	layers []breakwater.LayerRef
	found  []breakwater.Secret
	left   []string // what was not looked at, each reason once
}

func (r *reader) leave(reason string) {
	if !slices.Contains(r.left, reason) {
		r.left = append(r.left, reason)
	}
}

// add keeps what was found, up to the limit.
func (r *reader) add(found []breakwater.Secret) []breakwater.Secret {
	room := maxFound - len(r.found)
	if len(found) > room || secret.Full(found) {
		r.leave("more secrets than are listed")
		found = found[:min(len(found), room)]
	}
	r.found = append(r.found, found...)
	return r.found[len(r.found)-len(found):]
}

func (r *reader) text(where breakwater.Where, name, value string) string {
	value = r.clip(value)
	if r.redact == nil {
		return value
	}
	masked, found := r.redact.Text(where, name, value)
	r.add(found)
	return masked
}

// command reads lists of words that make one command together, and is nil for one
// that has none.
func (r *reader) command(lists ...secret.Words) [][]string {
	out := make([][]string, len(lists))
	for i := range lists {
		lists[i].Words = r.words(lists[i].Words)
		out[i] = lists[i].Words
	}
	if r.redact == nil {
		return out
	}
	masked, found := r.redact.Command(breakwater.WhereConfig, lists...)
	r.add(found)
	for i := range masked {
		if len(masked[i]) > 0 {
			out[i] = masked[i]
		}
	}
	return out
}

func (r *reader) setup(c oci.Config, extra docker) breakwater.Setup {
	run := c.Run
	out := breakwater.Setup{
		User: r.clip(run.User), WorkingDir: r.clip(run.WorkingDir), StopSignal: r.clip(run.StopSignal),
		Ports:   slices.Sorted(maps.Keys(run.ExposedPorts)),
		Volumes: slices.Sorted(maps.Keys(run.Volumes)),
		Health:  len(extra.Healthcheck.Test) > 0 && extra.Healthcheck.Test[0] != "NONE",
	}
	for _, e := range first(r, run.Env, "variables") {
		name, value, _ := strings.Cut(e, "=")
		out.Env = append(out.Env, name+"="+r.text(breakwater.WhereEnv, name, value))
	}
	for _, name := range first(r, slices.Sorted(maps.Keys(run.Labels)), "labels") {
		if out.Labels == nil {
			out.Labels = map[string]string{}
		}
		out.Labels[clip(name)] = r.text(breakwater.WhereLabel, name, run.Labels[name])
	}
	masked := r.command(secret.Words{Name: "entrypoint", Words: run.Entrypoint}, secret.Words{Name: "cmd", Words: run.Cmd})
	out.Entrypoint, out.Cmd = masked[0], masked[1]
	if test := extra.Healthcheck.Test; len(test) > 1 { // CMD or CMD-SHELL comes first
		r.command(secret.Words{Name: "healthcheck", Words: test[1:]})
	}
	r.command(secret.Words{Name: "shell", Words: extra.Shell})
	for i, line := range first(r, extra.OnBuild, "instructions for images that are built on it") {
		r.text(breakwater.WhereConfig, fmt.Sprintf("onbuild %d", i+1), line)
	}
	return out
}

// steps are those of the history; the secrets of one that made a layer are that
// layer's.
func (r *reader) steps(list []breakwater.History) []breakwater.History {
	if len(list) > maxHistory {
		r.leave(fmt.Sprintf("more than %d steps", maxHistory))
		list = list[:maxHistory]
	}
	out := slices.Clone(list)
	for i := range out {
		out[i].CreatedBy = r.clip(out[i].CreatedBy)
	}
	if r.redact == nil {
		return out
	}
	layers := r.layers
	for n, parsed := range history.Parse(out, nil) {
		h := &out[n]
		var vars []secret.Variable
		for _, kv := range parsed.Env {
			if by := parsed.Instruction; by == "ENV" || by == "ARG" || by == "RUN" {
				vars = append(vars, secret.Variable{By: by, Name: kv.Name, Value: kv.Value})
			}
		}
		masked, found := r.redact.Step(fmt.Sprintf("step %d", n+1), h.CreatedBy, vars)
		h.CreatedBy = masked
		found = r.add(found)
		for i := range found {
			found[i].Line = n + 1
		}
		if !h.Empty && len(layers) > 0 {
			for i := range found {
				found[i].Layer = layers[0].Digest
			}
			layers = layers[1:]
		}
	}
	return out
}

// everywhere masks what was found in one place in all others.
func (r *reader) everywhere(inv *breakwater.Inventory) {
	if r.redact == nil {
		return
	}
	s := &inv.Setup
	for _, list := range [][]string{s.Env, s.Entrypoint, s.Cmd, s.Ports, s.Volumes} {
		for i := range list {
			list[i] = r.redact.Mask(list[i])
		}
	}
	for name, value := range s.Labels {
		s.Labels[name] = r.redact.Mask(value)
	}
	for _, p := range []*string{&s.User, &s.WorkingDir, &s.StopSignal} {
		*p = r.redact.Mask(*p)
	}
	for i := range inv.History {
		inv.History[i].CreatedBy = r.redact.Mask(inv.History[i].CreatedBy)
	}
}

// first is as much of a list as is looked at.
func first(r *reader, list []string, what string) []string {
	if len(list) > maxEnv {
		r.leave(fmt.Sprintf("more than %d %s", maxEnv, what))
	}
	return list[:min(len(list), maxEnv)]
}

func (r *reader) words(in []string) []string {
	var out []string
	for _, s := range first(r, in, "words of a command") {
		out = append(out, r.clip(s))
	}
	return out
}

func (r *reader) clip(s string) string {
	if len(s) > maxWord {
		r.leave(fmt.Sprintf("texts longer than %d bytes", maxWord))
	}
	return clip(s)
}

// clip bounds a word of the configuration and keeps it valid UTF-8.
func clip(s string) string {
	if len(s) > maxWord {
		s = s[:maxWord]
	}
	return strings.ToValidUTF8(s, "?")
}
