package hss

import (
	"context"
	"strings"
	"unicode/utf8"

	"breakwater"
)

// maxCommand is the contract's limit of image_command, in characters.
const maxCommand = 1024

type showImageUploadCommandIn struct {
	Addr      string `query:"registry_addr"`
	Namespace string `query:"namespace"`
	Username  string `query:"username"`
	Password  string `query:"password"`
}

type showImageUploadCommandOut struct {
	Command string `json:"image_command"`
	URL     string `json:"images_download_url"`
	Pull    string `json:"swr_image_pull_command"`
}

// showImageUploadCommand answers commands for a POSIX shell that bring the
// component image into the caller's registry. The pull command loads the same
// image straight from this server: it is not kept in the embedded registry.
func (s *Server) showImageUploadCommand(_ context.Context, in showImageUploadCommandIn) (out showImageUploadCommandOut, err error) {
	target, err := s.uploadTarget(in)
	if err != nil {
		return out, err
	}
	for field, value := range map[string]string{"username": in.Username, "password": in.Password} {
		if err := plain(field, value); err != nil {
			return out, err
		}
	}
	if _, err := s.component.get(); err != nil {
		return out, err
	}
	out.URL = s.component.link(s.endpoint.String(), zipped)
	out.Pull = "curl -fsSL " + quote(s.component.link(s.endpoint.String(), archived)) + " | docker load"
	out.Command, err = s.uploadCommand(target, out.URL, in.Username, in.Password)
	return out, err
}

// uploadTarget is the reference that the image is pushed to.
func (s *Server) uploadTarget(in showImageUploadCommandIn) (string, error) {
	a, err := parseAddr("registry_addr", in.Addr)
	if err != nil {
		return "", err
	}
	if a.port == "" && !strings.ContainsAny(a.host, ".:") && a.host != "localhost" {
		a.port = "443" // docker takes a bare word for a user of its public hub
	}
	// Artifactory shows its API below this path, and its images without it.
	a.path = strings.TrimSuffix(a.path, "/artifactory")
	if !isRepositoryPath(in.Namespace) || in.Namespace != strings.ToLower(in.Namespace) {
		return "", breakwater.Invalid("namespace", "must be lower-case letters, digits and . _ - in parts joined by /")
	}
	if a.path != strings.ToLower(a.path) {
		return "", breakwater.Invalid("registry_addr", "has a path that docker does not take; it must be in lower case")
	}
	return a.String() + "/" + in.Namespace + "/" + s.component.image(), nil
}

// uploadCommand is one line: fetch the zip unless it is there, load, tag, log
// in, push; it stops at the first failure. Every value that came with the
// request is quoted, and the password travels through a pipe between the
// shell's own printf and docker, never through an argument list.
func (s *Server) uploadCommand(target, url, username, password string) (string, error) {
	const zip = `"$Z"`
	fetch := `[ -f ` + zip + ` ] || curl -fsSLo ` + zip + ` ` + quote(url) + ` || rm -f ` + zip + `; `
	run := `unzip -p ` + zip + ` | docker load && docker tag ` + s.component.image() + ` "$I" && printf %s ` + quote(password) +
		` | docker login --username=` + quote(username) + ` --password-stdin "${I%%/*}" && docker push "$I"`
	set := `I=` + quote(target) + `; Z=` + s.component.file(zipped) + `; `
	for _, command := range []string{set + fetch + run, set + run} {
		if utf8.RuneCountInString(command) <= maxCommand {
			return command, nil
		}
	}
	return "", breakwater.Errorf(breakwater.KindInvalid, "the command would be longer than %d characters; use a shorter address, namespace, username or password", maxCommand)
}

// quote makes s one word of a POSIX shell. Inside single quotes nothing has a
// meaning but the single quote itself, which is put outside of them.
func quote(s string) string { return `'` + strings.ReplaceAll(s, `'`, `'\''`) + `'` }
