package child

import (
	"bytes"
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

// parentWatches: the parent sees how much memory a child has, so the child need
// not watch itself.
const parentWatches = true

// command runs in a process group of its own, so that a signal from the
// terminal is the parent's to handle, and ends with its parent. Without a name
// it is the very file that this process runs, also when another version lies
// in its place by now.
func command(argv []string) *exec.Cmd {
	var cmd *exec.Cmd
	if len(argv) == 0 {
		cmd = exec.Command("/proc/self/exe", "exec")
		cmd.Args[0] = os.Args[0]
	} else {
		cmd = exec.Command(argv[0], argv[1:]...)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	return cmd
}

// tame makes a process yield to others: by its niceness, which the whole group
// is given because Linux keeps one for each thread, and as the first to be
// killed when the system runs out of memory. Neither is worth failing for.
func tame(pid, nice int) {
	if nice > 0 {
		_ = syscall.Setpriority(syscall.PRIO_PGRP, pid, nice)
	}
	_ = os.WriteFile("/proc/"+strconv.Itoa(pid)+"/oom_score_adj", []byte("500"), 0)
}

// kill ends a process and all that it may have started.
func kill(p *os.Process) {
	_ = syscall.Kill(-p.Pid, syscall.SIGKILL)
	_ = p.Kill()
}

// resident is the memory that a process has, in bytes, without pages of files
// and without shared ones (proc(5), statm: resident minus shared); 0 when it is gone.
func resident(pid int) int64 {
	f := statm(strconv.Itoa(pid))
	return (f[1] - f[2]) * int64(os.Getpagesize())
}

// limitData bounds the writable memory that this process may ask for to limit
// more than it has. RLIMIT_DATA counts private writable mappings (setrlimit(2),
// since Linux 4.7), which the Go runtime's heap is, and not its reserved
// address space. At the limit the runtime ends the process.
func limitData(limit int64) error {
	has := statm("self")[5] * int64(os.Getpagesize())
	l := syscall.Rlimit{Cur: uint64(has + limit), Max: uint64(has + limit)}
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_DATA, &old); err == nil && old.Max < l.Max {
		return nil // it is bounded tighter already
	}
	return syscall.Setrlimit(syscall.RLIMIT_DATA, &l)
}

// statm is the fields of /proc/PID/statm, in pages; zeros when it cannot be read.
func statm(pid string) (fields [7]int64) {
	b, err := os.ReadFile("/proc/" + pid + "/statm")
	if err != nil {
		return fields
	}
	for i, f := range bytes.Fields(b) {
		if i < len(fields) {
			fields[i], _ = strconv.ParseInt(string(f), 10, 64)
		}
	}
	return fields
}
