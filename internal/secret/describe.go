package secret

import (
	"bufio"
	"bytes"
	_ "embed"
	"encoding/base64"
	"regexp"
	"strings"

	"breakwater"
)

// severityTable is the one place where severities of gitleaks' rules are said:
// a severity and the ids that have it on each line. What it does not name is high.
//
//go:embed rules/severity.txt
var severityTable []byte

// testLike are the paths where a generic password is most likely an example.
var testLike = regexp.MustCompile(`(?i)(?:^|/)(?:tests?|testdata|testing|examples?|samples?|fixtures?|mocks?|spec|doc|docs|man)(?:/|$)|_test\.[a-z]+$`)

// describe gives every rule its title and severity.
func (rs *ruleset) describe() {
	of := map[string]breakwater.Severity{}
	lines := bufio.NewScanner(bytes.NewReader(severityTable))
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		for _, id := range words[1:] {
			of[id] = breakwater.Severity(words[0])
		}
	}
	for _, r := range rs.rules {
		if r.title == "" {
			r.title = titleOf(r.id)
		}
		if r.severity == "" {
			r.severity = of[r.id]
		}
		if r.severity == "" {
			r.severity = breakwater.SeverityHigh
		}
	}
}

// acronyms are spelled so in titles.
var acronyms = map[string]string{
	"api": "API", "aws": "AWS", "gcp": "Google Cloud", "jwt": "JSON web token", "npm": "npm", "pat": "personal access token",
	"url": "URL", "id": "ID", "oauth": "OAuth", "ca": "CA", "yaml": "YAML", "pkcs12": "PKCS#12", "github": "GitHub",
	"gitlab": "GitLab", "ad": "AD", "tf": "Terraform", "ssh": "SSH", "pypi": "PyPI", "rrt": "runner registration token",
	"ptt": "pipeline trigger token", "cicd": "CI/CD", "scim": "SCIM", "openai": "OpenAI", "rubygems": "RubyGems",
	"jfrog": "JFrog", "sendgrid": "SendGrid", "digitalocean": "DigitalOcean", "linkedin": "LinkedIn", "curl": "curl",
}

// titleOf makes a title of a rule's id: gitlab-pat is "GitLab personal access token".
func titleOf(id string) string {
	words := strings.FieldsFunc(id, func(r rune) bool { return r == '-' || r == '_' })
	for i, w := range words {
		if a, ok := acronyms[w]; ok {
			words[i] = a
		} else if i == 0 && w != "" {
			words[i] = strings.ToUpper(w[:1]) + w[1:]
		}
	}
	return strings.Join(words, " ")
}

const privateKeyRule = "private-key"

// describeKey says what sort of private key was found. One that is encrypted is
// worth less to a thief.
func describeKey(f *finding) (string, breakwater.Severity) {
	m := f.match
	head := m[:min(len(m), 200)]
	switch {
	case strings.Contains(head, "PGP"):
		return "PGP private key", breakwater.SeverityCritical
	case strings.Contains(head, "ENCRYPTED"):
		return "Private key, encrypted", breakwater.SeverityMedium
	case strings.Contains(head, "OPENSSH"):
		if opensshCipher(m) {
			return "OpenSSH private key, encrypted", breakwater.SeverityMedium
		}
		return "OpenSSH private key", breakwater.SeverityCritical
	case strings.Contains(f.around, `service_account`):
		return "Google Cloud service account key", breakwater.SeverityCritical
	}
	return "Private key", breakwater.SeverityCritical
}

// opensshCipher reports whether an OpenSSH key names a cipher other than none
// (PROTOCOL.key of OpenSSH: a magic, then the cipher's name as a string).
func opensshCipher(pem string) bool {
	_, body, ok := strings.Cut(pem, "KEY-----")
	if !ok {
		return false
	}
	body = strings.Map(func(r rune) rune {
		if r < 128 && (isWord(byte(r)) && r != '_' || r == '+' || r == '/') {
			return r
		}
		return -1
	}, body[:min(len(body), 80)])
	head, err := base64.RawStdEncoding.DecodeString(body[:min(len(body), 40)])
	return err == nil && len(head) >= 23 && string(head[:15]) == "openssh-key-v1\x00" && string(head[19:23]) != "none"
}
