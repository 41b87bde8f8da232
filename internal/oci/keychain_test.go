package oci_test

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"breakwater"
	"breakwater/internal/oci"
)

func TestKeychain(t *testing.T) {
	auth := base64.StdEncoding.EncodeToString([]byte("hub:secret"))
	config := fmt.Sprintf(`{
		"auths": {
			"https://index.docker.io/v1/": {"auth": %q},
			"plain.example:5000": {"username": "me", "password": "secret"},
			"token.example": {"registrytoken": "secret"},
			"browser.example": {"auth": %q, "identitytoken": "secret"}
		},
		"credHelpers": {"helped.example": "test", "broken.example": "test", "absent.example": "absent"}
	}`, auth, auth)
	helper := `#!/bin/sh
read host
case "$host" in
*helped*) echo '{"ServerURL":"helped.example","Username":"helper","Secret":"secret"}' ;;
*) echo "cannot open the vault, secret"; exit 1 ;;
esac
`
	dir := t.TempDir()
	for name, body := range map[string]string{"config.json": config, "docker-credential-test": helper} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("DOCKER_CONFIG", dir)
	t.Setenv("HOME", t.TempDir())
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	tests := []struct {
		host, username, password string
		say                      string // of the error
	}{
		{host: "registry-1.docker.io", username: "hub", password: "secret"},
		{host: "plain.example:5000", username: "me", password: "secret"},
		{host: "token.example", password: "secret"},
		{host: "other.example"},
		{host: "helped.example", username: "helper", password: "secret"},
		{host: "browser.example", say: "identity token"},
		{host: "broken.example", say: "cannot be read"},
		{host: "absent.example", say: "cannot be read"},
	}
	for _, tt := range tests {
		t.Run(tt.host, func(t *testing.T) {
			username, password, err := oci.Keychain(t.Context(), tt.host)
			if username != tt.username || password != tt.password || (err != nil) != (tt.say != "") {
				t.Errorf("%q %q %v", username, password, err)
			}
			if err != nil && (!strings.Contains(err.Error(), tt.say) || strings.Contains(err.Error(), "secret") || breakwater.KindOf(err) != breakwater.KindUnavailable) {
				t.Error(err)
			}
		})
	}
}

func TestKeychainOfPodman(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "auth.json")
	auth := base64.StdEncoding.EncodeToString([]byte("pod:secret"))
	if err := os.WriteFile(path, fmt.Appendf(nil, `{"auths":{"registry.example":{"auth":%q}}}`, auth), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("DOCKER_CONFIG", "")
	t.Setenv("HOME", dir)
	t.Setenv("REGISTRY_AUTH_FILE", path)
	if username, password, err := oci.Keychain(t.Context(), "registry.example"); username != "pod" || password != "secret" || err != nil {
		t.Errorf("%q %q %v", username, password, err)
	}
}
