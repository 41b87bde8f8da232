//go:build !linux

package password

import "time"

var began = time.Now()

// cpuTime is wall-clock time where the CPU time of a thread cannot be asked for.
func cpuTime() time.Duration { return time.Since(began) }
