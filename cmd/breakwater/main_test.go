package main

import (
	"os"
	"testing"
)

// asCommand in the environment makes this binary the product's.
const asCommand = "BREAKWATER_TEST_AS_COMMAND"

// TestMain lets the servers of these tests scan in child processes: the children
// are this binary with the command exec, as the product's are. Tests of commands
// run it as the product, too.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "exec" || os.Getenv(asCommand) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}
