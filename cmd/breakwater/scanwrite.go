package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"breakwater/internal/match"
	"breakwater/internal/report"

	"golang.org/x/term"
)

// write writes the report to --output, or to standard output.
func (f *scanFlags) write(stdout io.Writer, r report.Report) error {
	o := report.Options{Compare: match.Compare}
	if f.output != "" && f.output != "-" {
		err := writeFile(f.output, func(w io.Writer) error { return report.Write(w, f.format, r, o) })
		if err != nil {
			return fmt.Errorf("--output: %w", err)
		}
		return nil
	}
	if t, ok := stdout.(*os.File); ok && term.IsTerminal(int(t.Fd())) {
		o.Color = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
		if width, _, err := term.GetSize(int(t.Fd())); err == nil {
			o.Width = width
		}
	}
	return report.Write(stdout, f.format, r, o)
}

// checkOutput refuses, before the image is read, a file that could not be
// written after it.
func checkOutput(name string) error {
	if name == "" || name == "-" {
		return nil
	}
	if info, err := os.Stat(name); err == nil {
		if info.IsDir() {
			return fmt.Errorf("%s is a directory", name)
		}
		return nil
	}
	dir := filepath.Dir(name)
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is no directory", dir)
	}
	return err
}

// writeFile writes a file whole or not at all: what was there stays until the
// new content is, and nothing half-written is left behind. What no other file can
// take the place of is written to as it is: a pipe, /dev/stdout, a file in a
// directory that takes no new ones, a file that is mounted into a container.
func writeFile(name string, write func(io.Writer) error) (err error) {
	if real, err := filepath.EvalSymlinks(name); err == nil {
		name = real // the link stays a link
	}
	mode, there := fs.FileMode(0o644), false
	if info, err := os.Stat(name); err == nil {
		if !info.Mode().IsRegular() {
			return writeInto(name, os.O_WRONLY, write)
		}
		mode, there = info.Mode().Perm(), true
	}
	// The process's number would not tell: in containers it is the same each time.
	temp := filepath.Join(filepath.Dir(name), fmt.Sprintf(".%s.%s.tmp", filepath.Base(name), rand.Text()[:10]))
	file, err := os.OpenFile(temp, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if errors.Is(err, fs.ErrPermission) && there {
		return writeInto(name, os.O_WRONLY|os.O_TRUNC, write)
	}
	if err != nil {
		return err
	}
	if err := errors.Join(write(file), file.Close()); err != nil {
		return errors.Join(err, os.Remove(temp))
	}
	if err := os.Rename(temp, name); err != nil {
		err = errors.Join(err, os.Remove(temp))
		if !there {
			return err
		}
		return writeInto(name, os.O_WRONLY|os.O_TRUNC, write)
	}
	return nil
}

func writeInto(name string, flags int, write func(io.Writer) error) error {
	file, err := os.OpenFile(name, flags, 0)
	if err != nil {
		return err
	}
	return errors.Join(write(file), file.Close())
}
