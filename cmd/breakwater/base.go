package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"breakwater"
	"breakwater/internal/oci"

	"github.com/spf13/cobra"
)

// baseCommand keeps the operator's list of base images: those that no registry
// here holds, and those that shall go by another name.
func baseCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "base", Short: "Base images that are known by name"}
	var f scanFlags
	add := adminCommand("add NAME[:TAG] [IMAGE]", "Make an image known as a base, under a name", cobra.RangeArgs(1, 2), func(cmd *cobra.Command, h *house, args []string) error {
		return addBase(cmd, h, f, args)
	})
	add.Flags().StringVar(&f.input, "input", "", "read the image from an archive or an OCI layout, in place of a registry")
	add.Flags().StringVar(&f.platform, "platform", "", "OS/ARCH[/VARIANT] of a multi-arch image")
	add.Flags().BoolVar(&f.plainHTTP, "plain-http", false, "speak HTTP to the registry")
	cmd.AddCommand(add,
		adminCommand("remove NAME[:TAG]", "Take a base off the list", cobra.ExactArgs(1), func(cmd *cobra.Command, h *house, args []string) error {
			name, tag := splitTag(args[0])
			return h.db.DeleteBase(cmd.Context(), name, tag)
		}),
		adminCommand("list", "List them", cobra.NoArgs, func(cmd *cobra.Command, h *house, _ []string) error {
			bases, err := h.db.Bases(cmd.Context())
			if err != nil {
				return err
			}
			var rows [][]string
			for _, b := range bases {
				rows = append(rows, []string{b.Name, b.Version, strconv.Itoa(b.Layers), b.Chain})
			}
			table(cmd.OutOrStdout(), []string{"NAME", "TAG", "LAYERS", "CHAIN"}, rows)
			return nil
		}))
	return cmd
}

// addBase reads an image's configuration, which names its layers; the layers
// themselves are not read.
func addBase(cmd *cobra.Command, h *house, f scanFlags, args []string) error {
	img, err := f.open(cmd.Context(), args[1:])
	if err != nil {
		return err
	}
	defer img.close()
	config, err := oci.ReadConfig(cmd.Context(), img.source, img.doc)
	if err != nil {
		return err
	}
	if len(config.DiffIDs) == 0 || len(config.DiffIDs) != len(img.doc.Layers) {
		return errors.New("the image's configuration does not name its layers")
	}
	var layers []breakwater.LayerRef
	for i, l := range img.doc.Layers {
		layers = append(layers, breakwater.LayerRef{Digest: l.Digest, DiffID: config.DiffIDs[i]})
	}
	chains := breakwater.Chains(layers)
	b := breakwater.BaseImage{Chain: chains[len(chains)-1], Layers: len(layers)}
	b.Name, b.Version = splitTag(args[0])
	if err := h.db.PutBase(cmd.Context(), b); err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s: %d layers, %s\n", args[0], b.Layers, b.Chain)
	return nil
}

// splitTag cuts a name at its tag; a port is none.
func splitTag(s string) (name, tag string) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 || strings.Contains(s[i:], "/") {
		return s, ""
	}
	return s[:i], s[i+1:]
}
