package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"breakwater/internal/audit"
	"breakwater/internal/detect"
	"breakwater/internal/malware"
	"breakwater/internal/password"
	"breakwater/internal/scan"
	"breakwater/internal/secret"
)

// maxRules bounds one file of the operator's rules; maxHashes the list of hashes,
// which may have millions of lines.
const (
	maxRules  = 1 << 20
	maxHashes = 512 << 20
)

// ruleNames are the files that a rules directory may hold. Others are refused: a
// mistyped name would leave rules out without a word.
var ruleNames = []string{"secrets.toml", "malware.yaml", "malware-hashes.txt", "baseline.yaml", "build.yaml", "software.yaml", "passwords.txt"}

// ruleFiles are the operator's own rules, by file name; none without a directory.
type ruleFiles map[string][]byte

func readRules(dir string) (ruleFiles, error) {
	if dir == "" {
		return nil, nil
	}
	list, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("--rules: %w", err)
	}
	known := map[string]bool{}
	for _, n := range ruleNames {
		known[n] = true
	}
	for _, e := range list {
		if !known[e.Name()] && !strings.HasPrefix(e.Name(), ".") {
			return nil, fmt.Errorf("--rules: %q is none of %s", e.Name(), strings.Join(ruleNames, ", "))
		}
	}
	out := ruleFiles{}
	for _, name := range ruleNames {
		limit := int64(maxRules)
		if name == "malware-hashes.txt" {
			limit = maxHashes
		}
		info, err := os.Stat(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil && info.Size() > limit {
			err = fmt.Errorf("larger than %d bytes", limit)
		}
		if err == nil {
			out[name], err = os.ReadFile(filepath.Join(dir, name))
		}
		if err != nil {
			return nil, fmt.Errorf("--rules: %s: %w", name, err)
		}
	}
	return out, nil
}

// newAuditor judges facts by the rules that ship and those in dir.
func newAuditor(dir string) (*audit.Auditor, error) {
	own, err := readRules(dir)
	if err != nil {
		return nil, err
	}
	return audit.New(audit.Options{Baseline: own["baseline.yaml"], History: own["build.yaml"], Compliance: own["software.yaml"]})
}

// newScanner looks for everything, by the rules that ship and those in dir.
func newScanner(cache scan.Cache, dir, clamd, temp string) (*scan.Scanner, error) {
	own, err := readRules(dir)
	if err != nil {
		return nil, err
	}
	o := scan.Options{TempDir: temp}
	if o.Secrets, err = secret.New(secret.Options{Rules: own["secrets.toml"]}); err != nil {
		return nil, fmt.Errorf("secrets.toml: %w", err)
	}
	m := malware.Options{Rules: own["malware.yaml"], Clamd: clamd, TempDir: temp}
	if hashes := own["malware-hashes.txt"]; hashes != nil {
		m.Hashes = bytes.NewReader(hashes)
	}
	if o.Malware, err = malware.New(detect.Kind, m); err != nil {
		return nil, fmt.Errorf("malware rules: %w", err)
	}
	words, err := password.ParseWords(own["passwords.txt"])
	if err == nil {
		o.Passwords, err = password.New(password.Options{Words: words})
	}
	if err != nil {
		return nil, fmt.Errorf("passwords.txt: %w", err)
	}
	return scan.New(cache, o)
}
