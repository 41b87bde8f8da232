package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"runtime/pprof"
	"strconv"
	"sync"

	"breakwater"
	"breakwater/internal/scan/scanbench"

	"github.com/spf13/cobra"
)

// benchScanCommand measures scans beside the floor, each in a process of its own.
func benchScanCommand() *cobra.Command {
	var inputs []string
	var from string
	var size int64
	var layers []int
	var rounds int
	cmd := &cobra.Command{
		Use:   "scan",
		Short: "What a scan costs beside inflating, hashing and walking the same layers",
		Long: `Scan images of one and of many layers, made of the files below --from (or of
made ones), and print the time of each kind of scan as a multiple of the floor
in the same run, and its peak of memory. Exit with 1 when a bar was missed.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := os.MkdirTemp("", "breakwater-bench-")
			if err != nil {
				return err
			}
			defer os.RemoveAll(dir)
			if len(inputs) > 0 && !cmd.Flags().Changed("layers") {
				layers = nil
			}
			for _, n := range layers {
				at := filepath.Join(dir, "layers-"+strconv.Itoa(n))
				img, err := scanbench.Build(at, from, n, size)
				if err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s: %d layers, %d files, %s, %s packed\n", filepath.Base(at), img.Layers, img.Files, bytesText(img.Bytes), bytesText(img.Packed))
				inputs = append(inputs, at)
			}
			self, err := os.Executable()
			if err != nil {
				return err
			}
			good, err := scanbench.Run(cmd.Context(), scanbench.Options{Command: []string{self, "bench", "measure"}, Images: inputs, Rounds: rounds}, cmd.OutOrStdout())
			if err == nil && !good {
				err = errors.New("a bar was missed")
			}
			return err
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&inputs, "input", nil, "archives or OCI layouts to scan, in place of made images")
	f.StringVar(&from, "from", "", "directory whose files the images are made of (default: made files)")
	f.Int64Var(&size, "size", 600<<20, "bytes of files in an image")
	f.IntSliceVar(&layers, "layers", []int{1, 20}, "layers of each image")
	f.IntVar(&rounds, "rounds", 3, "times that each is measured; the fastest counts")
	return cmd
}

// benchMeasureCommand is one measurement for bench scan, or, with a profile, for
// whoever wants to know what costs what.
func benchMeasureCommand() *cobra.Command {
	var profile string
	cmd := &cobra.Command{
		Use: "measure KIND IMAGE", Hidden: true, Args: cobra.ExactArgs(2),
		Short: "Measure one kind of scan in this process",
		RunE: func(cmd *cobra.Command, args []string) error {
			debug.SetMemoryLimit(scanMemory)
			f := scanFlags{input: args[1]}
			img, err := f.open(cmd.Context(), nil)
			if err != nil {
				return err
			}
			defer img.close()
			scanner, err := newScanner(&memory{}, "", "", "")
			if err != nil {
				return err
			}
			if profile != "" {
				file, err := os.Create(profile)
				if err != nil {
					return err
				}
				defer file.Close()
				if err := pprof.StartCPUProfile(file); err != nil {
					return err
				}
				defer pprof.StopCPUProfile()
			}
			r, err := scanbench.Measure(cmd.Context(), scanbench.Kind(args[0]), img.source, img.doc, scanner)
			if err != nil {
				return err
			}
			return json.NewEncoder(cmd.OutOrStdout()).Encode(r)
		},
	}
	cmd.Flags().StringVar(&profile, "cpuprofile", "", "file to write a CPU profile to")
	return cmd
}

// memory is a layer cache that lives as long as the process.
type memory struct{ facts sync.Map }

func (m *memory) Get(_ context.Context, key string) ([]byte, error) {
	if b, ok := m.facts.Load(key); ok {
		return b.([]byte), nil
	}
	return nil, breakwater.NotFound("layer facts")
}

func (m *memory) Put(_ context.Context, key string, b []byte) error {
	m.facts.Store(key, b)
	return nil
}
