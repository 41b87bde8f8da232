package main

import (
	"path/filepath"

	"breakwater/internal/store"
	"breakwater/internal/store/storebench"

	"github.com/spf13/cobra"
)

func benchCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "bench", Short: "Measure this machine"}
	cmd.AddCommand(benchListCommand(), benchRematchCommand(), benchScanCommand(), benchMeasureCommand())
	return cmd
}

func benchListCommand() *cobra.Command {
	var o storebench.Options
	var dir, postgres string
	var overHTTP bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "The image list over a million images: every filter, the sort, exact totals",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Store = store.Options{Postgres: postgres, Path: filepath.Join(dir, "bench.db")}
			if overHTTP {
				o.Through = throughDoor
			}
			return storebench.Run(cmd.Context(), o, cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringVar(&dir, "data", ".", "directory for the SQLite database bench.db; kept, and used again")
	f.StringVar(&postgres, "postgres", "", "PostgreSQL connection string of an empty database of its own, in place of SQLite")
	f.BoolVar(&overHTTP, "http", false, "ask the API over HTTP on loopback, in place of the store")
	f.IntVar(&o.Rows, "rows", 1_000_000, "images")
	f.IntVar(&o.Projects, "projects", 20, "projects, of very different size")
	f.IntVar(&o.Clients, "clients", 16, "clients that ask at once")
	f.IntVar(&o.Requests, "requests", 30_000, "requests in all")
	f.IntVar(&o.Writes, "writes", 20, "scans that finish each second meanwhile; -1: none")
	return cmd
}
