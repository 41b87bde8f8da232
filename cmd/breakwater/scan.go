package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"breakwater"
	"breakwater/internal/report"
	"breakwater/internal/store"
	"breakwater/internal/worker"

	"github.com/spf13/cobra"
)

// The exit codes of scan, beside 0: the image was scanned, and nothing of
// --fail-on was found.
const exitFailOn = 2 // 1 is every error

// failOn is the end of a scan that found what --fail-on names.
type failOn string

func (f failOn) Error() string {
	return "breakwater: the image has findings of level " + string(f) + " or worse"
}

// scanFlags is how one image is scanned without a server.
type scanFlags struct {
	input, platform    string
	format, output     string
	failOn, exemptions string
	accepted           []report.Exemption // what exemptions names
	skip               []string
	ignoreUnfixed      bool
	cache, feedDir     string
	update             bool
	rules, clamd       string
	plainHTTP, quiet   bool
	timeout            time.Duration
}

func scanCommand() *cobra.Command {
	var f scanFlags
	cmd := &cobra.Command{
		Use:   "scan [IMAGE | ARCHIVE [IMAGE]]",
		Short: "Scan one image, without a server",
		Long: `Scan one image of a registry, or from an archive or a directory, and print what
was found, and what was not looked at.

  breakwater scan debian:12                     of a registry
  breakwater scan shop.tar                      of an archive, also --input shop.tar
  breakwater scan all.tar shop:1.4              one of several in it
  docker save shop:1.4 | breakwater scan -      of standard input

Archives are what docker, podman, skopeo, buildah, crane, kaniko, ctr and nix
write: "docker save", OCI layouts packed or as a directory, and skopeo's dir:;
plain, or in gzip, bzip2 or zstd. PATH may also be written docker-archive:PATH,
oci-archive:PATH, oci:PATH or dir:PATH, and an image docker://IMAGE.

Exit codes: 0, the image was scanned; 1, it could not be; 2, it was, and has
findings of the level that --fail-on names, or worse; 130, it was interrupted.

Credentials for a registry are those of docker and podman (config.json and its
helpers, auth.json). Advisories and what is known of layers are kept in --cache;
"breakwater db update --data DIR" brings its advisories up to date, as --update
does.`,
		Args: cobra.MaximumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error { return scanImage(cmd, args, f) },
	}
	o := cmd.Flags()
	o.StringVar(&f.input, "input", "", "archive or directory to read, or - for standard input; IMAGE then chooses one of its images")
	o.StringVar(&f.platform, "platform", "", "OS/ARCH[/VARIANT] that the image must have; of a multi-arch image the one to scan (default: linux on this machine's architecture)")
	o.StringVar(&f.format, "format", "table", strings.Join(report.Formats(), ", "))
	o.StringVarP(&f.output, "output", "o", "", "file to write to, whole or not at all (default: standard output)")
	o.StringVar(&f.failOn, "fail-on", "", "critical, high, medium, low or any: exit with 2 when there are such findings, or worse")
	o.BoolVar(&f.ignoreUnfixed, "ignore-unfixed", false, "leave out vulnerabilities that no version repairs yet")
	o.StringVar(&f.exemptions, "exemptions", "", "YAML file of findings that are accepted, with reasons and dates")
	o.StringSliceVar(&f.skip, "skip", nil, "checks to leave out: file, secret, baseline, compliance")
	o.StringVar(&f.cache, "cache", "", "directory of advisories and known layers (default: breakwater in the user's cache directory)")
	o.BoolVar(&f.update, "update", false, "update the advisories first")
	o.StringVar(&f.feedDir, "feed-dir", "", "directory of OSV zips to update from, in place of the public bucket; implies --update")
	o.BoolVar(&f.plainHTTP, "plain-http", false, "speak HTTP to the registry")
	o.BoolVarP(&f.quiet, "quiet", "q", false, "no progress bar")
	o.DurationVar(&f.timeout, "timeout", 30*time.Minute, "how long the scan may take")
	ruleFlags(o)
	return cmd
}

// scanImage is the command: the image, its facts, its verdicts, the report.
func scanImage(cmd *cobra.Command, args []string, f scanFlags) error {
	f.rules, _ = cmd.Flags().GetString("rules")
	f.clamd, _ = cmd.Flags().GetString("clamd")
	threshold, err := f.check(args)
	if err != nil {
		return err
	}
	debug.SetMemoryLimit(scanMemory)
	ctx, cancel := context.WithTimeout(cmd.Context(), f.timeout)
	defer cancel()
	img, err := f.open(ctx, args) // first: a wrong name needs no advisories
	if err != nil {
		return f.late(ctx, err)
	}
	defer img.close()
	db, err := f.openCache(ctx, cmd.ErrOrStderr())
	if err != nil {
		return f.late(ctx, err)
	}
	defer db.Close()
	r, err := f.judge(ctx, db, img, cmd.ErrOrStderr())
	if err != nil {
		return f.late(ctx, err)
	}
	f.exempt(&r, cmd.ErrOrStderr())
	if err := f.write(cmd.OutOrStdout(), r); err != nil {
		return err
	}
	if f.failOn != "" && report.Threshold(r, threshold, f.ignoreUnfixed) {
		return failOn(f.failOn)
	}
	return nil
}

// late says that it was our own clock that ended the scan.
func (f *scanFlags) late(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("the scan took longer than --timeout %s", f.timeout)
	}
	return err
}

// scanMemory is where the collector begins to work harder; the bars of
// docs/performance.md are measured with it.
const scanMemory = 320 << 20

// check refuses what could only fail after the image was read.
func (f *scanFlags) check(args []string) (level report.FailOn, err error) {
	if _, err := f.target(args); err != nil {
		return level, err
	}
	if err := checkOutput(f.output); err != nil {
		return level, fmt.Errorf("--output: %w", err)
	}
	if !slices.Contains(report.Formats(), f.format) {
		return level, fmt.Errorf("--format: one of %s", strings.Join(report.Formats(), ", "))
	}
	for _, s := range f.skip {
		if !slices.Contains([]string{"file", "secret", "baseline", "compliance"}, s) {
			return level, errors.New("--skip: file, secret, baseline or compliance")
		}
	}
	if f.feedDir != "" {
		f.update = true
	}
	if f.exemptions != "" {
		if err := f.readExemptions(); err != nil {
			return level, err
		}
	}
	if f.failOn != "" {
		if level, err = report.ParseFailOn(f.failOn); err != nil {
			return level, fmt.Errorf("--fail-on: %w", err)
		}
	}
	return level, nil
}

func (f *scanFlags) scope() breakwater.Scope {
	scope := breakwater.ScopeAll
	for _, s := range f.skip {
		switch s {
		case "file":
			scope &^= breakwater.ScopeMalware
		case "secret":
			scope &^= breakwater.ScopeSensitive
		case "baseline":
			scope &^= breakwater.ScopeBaseline
		case "compliance":
			scope &^= breakwater.ScopeCompliance
		}
	}
	return scope
}

// judge scans the image and reads back what is known of it.
func (f *scanFlags) judge(ctx context.Context, db *store.DB, img *opened, stderr io.Writer) (r report.Report, err error) {
	auditor, err := newAuditor(f.rules)
	if err != nil {
		return r, err
	}
	scanner, err := newScanner(db.LayerCache(), f.rules, f.clamd, "")
	if err != nil {
		return r, err
	}
	artifact := breakwater.Artifact{Digest: img.manifest.Digest, MediaType: img.doc.MediaType, ConfigDigest: img.doc.Config.Digest, Size: img.doc.Size(), Scannable: true}
	bar := newScanBar(stderr, f.quiet, img.doc.Size())
	inv, err := scanner.Scan(ctx, bar.source(img.source), img.manifest.Digest, f.scope())
	bar.end()
	if err != nil {
		return r, err
	}
	findings := auditor.Judge(&inv)
	err = db.Tx(ctx, func(tx *store.DB) error {
		if _, err := tx.PutArtifact(ctx, artifact); err != nil {
			return err
		}
		return worker.Keep(ctx, tx, inv, findings, auditor.Version())
	})
	if err != nil {
		return r, err
	}
	all, err := db.Results(ctx, "", inv.Digest)
	if err != nil {
		return r, err
	}
	r = report.Report{
		Name: img.name, File: img.file, Digest: inv.Digest, Made: img.made, Version: version, Time: time.Now().UTC(),
		Inventory: inv, Vulnerabilities: all.Vulnerabilities, Findings: all.Findings, Feeds: all.Feeds,
	}
	if r.Spoken, err = db.Spoken(ctx, report.Ecosystems(r.Inventory)); err != nil {
		return r, err
	}
	if b := all.Base; b != nil {
		r.Base = &report.Base{Name: b.Reference(), Digest: b.Digest, Layers: b.Layers, Newest: b.Newest, Removes: b.Removes}
	}
	if f.ignoreUnfixed {
		report.IgnoreUnfixed(&r)
	}
	if slices.Contains(f.skip, "compliance") {
		r.Findings = slices.DeleteFunc(r.Findings, func(x breakwater.Finding) bool { return x.Check == breakwater.CheckCompliance })
	}
	return r, nil
}

// readExemptions reads what the operator accepts.
func (f *scanFlags) readExemptions() error {
	file, err := os.Open(f.exemptions)
	if err != nil {
		return fmt.Errorf("--exemptions: %w", err)
	}
	defer file.Close()
	if f.accepted, err = report.ParseExemptions(file); err != nil {
		return fmt.Errorf("--exemptions: %s: %w", f.exemptions, &plainError{err})
	}
	return nil
}

// exempt takes out what the operator accepts, and says what is odd about it.
func (f *scanFlags) exempt(r *report.Report, stderr io.Writer) {
	if f.exemptions == "" {
		return
	}
	done := report.Exempt(f.accepted, r)
	for _, e := range done.Expired {
		fmt.Fprintf(stderr, "breakwater: the exemption of %s has expired\n", e.ID)
	}
	for _, e := range done.Unused {
		fmt.Fprintf(stderr, "breakwater: nothing here is exempted by %s\n", e.ID)
	}
}
