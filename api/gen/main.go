// Command gen writes api/hss.yaml and api/swr.yaml from the fact files of the
// wire contract. Its output is committed; run it again only when the facts or
// the overlay change:
//
//	go run ./api/gen -contract DIR -out api
//
// The same facts give the same bytes. What Breakwater adds to or ties up in the
// contract is in overlay.go, each step with its reason.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"gopkg.in/yaml.v3"
)

func main() {
	facts := flag.String("contract", "", "directory of hss-v5-image.json and swr-v2.json")
	out := flag.String("out", "api", "directory to write to")
	flag.Parse()
	if err := run(*facts, *out); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(facts, out string) error {
	hss, err := readContract(filepath.Join(facts, "hss-v5-image.json"))
	if err != nil {
		return err
	}
	if err := overlay(hss); err != nil {
		return err
	}
	var tags object
	for _, g := range hss.Groups {
		tags = append(tags, g.Key, g.Title)
	}
	if err := write(filepath.Join(out, "hss.yaml"), document(hss, "Host security, container image part",
		"Registry onboarding, synchronisation, image scans and their results. Lists page by limit and offset.", tags)); err != nil {
		return err
	}

	swr, err := readContract(filepath.Join(facts, "swr-v2.json"))
	if err != nil {
		return err
	}
	if err := overlay(swr); err != nil {
		return err
	}
	return write(filepath.Join(out, "swr.yaml"), document(swr, "Image registry management",
		"Organizations, repositories, tags and logins of the embedded registry. A slash in a repository name travels as $ in a path.",
		object{"basic", "organizations, repositories and tags", "common", "API versions", "enterprise", "registry instances"}))
}

func write(name string, doc object) error {
	var b bytes.Buffer
	b.WriteString("# Written by api/gen from the wire contract's facts. Do not edit: change the overlay and run it again.\n")
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(node(doc)); err != nil {
		return err
	}
	if err := e.Close(); err != nil {
		return err
	}
	return os.WriteFile(name, b.Bytes(), 0o644)
}
