package main

import (
	"os"

	"breakwater/internal/child"

	"github.com/spf13/cobra"
)

// execCommand is the life of a child process that scans for its parent. It is no
// command for people.
func execCommand() *cobra.Command {
	var rules, clamd string
	cmd := &cobra.Command{
		Use: "exec", Short: "Scan for a parent process", Hidden: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ep, err := child.ReadEndpoint(os.Getenv)
			if err != nil {
				return err
			}
			return child.Serve(cmd.Context(), ep, func(cache child.Cache) (child.Scanner, error) {
				return newScanner(cache, rules, clamd, "")
			}, child.ServeOptions{})
		},
	}
	cmd.Flags().StringVar(&rules, "rules", "", "directory with the operator's own rules")
	cmd.Flags().StringVar(&clamd, "clamd", "", "address of ClamAV's daemon")
	return cmd
}
