// Command breakwater is the whole product: the server, its administration and
// its benchmarks.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"sync/atomic"
	"syscall"

	"github.com/spf13/cobra"
)

// version is set by the linker.
var version = "dev"

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, os.Interrupt, syscall.SIGTERM)
	var code atomic.Int32 // of an end by a signal, as shells count: 128 and the signal
	go func() {
		if s, ok := (<-caught).(syscall.Signal); ok {
			code.Store(128 + int32(s))
		}
		signal.Stop(caught) // the second one ends the process at once
		cancel()
	}()
	err := command().ExecuteContext(ctx)
	var reached failOn
	switch {
	case err == nil:
	case errors.As(err, &reached):
		fmt.Fprintln(os.Stderr, err)
		os.Exit(exitFailOn)
	case errors.Is(err, context.Canceled) && code.Load() != 0:
		os.Exit(int(code.Load()))
	default:
		fmt.Fprintln(os.Stderr, "breakwater:", err)
		os.Exit(1)
	}
}

func command() *cobra.Command {
	root := &cobra.Command{
		Use:           "breakwater",
		Short:         "Know every container image, scan each one, keep the verdicts true",
		Version:       versionLine(),
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetVersionTemplate("{{.Version}}\n")
	root.AddCommand(serveCommand(), demoCommand(), registryCommand(), imageCommand(), userCommand(), projectCommand(), accessKeyCommand(), dbCommand(), scanCommand(), baseCommand(), execCommand(), benchCommand())
	return root
}

func versionLine() string {
	line := "breakwater " + version
	if info, ok := debug.ReadBuildInfo(); ok {
		line += " " + info.GoVersion
	}
	return line
}
