package scan_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"breakwater"
	"breakwater/internal/malware"
	"breakwater/internal/password"
	"breakwater/internal/scan"
)

// TestBatchesUnderWay: while some batches of files are looked at, the walk is about
// the next. The race detector is what this is for: the queue of batches is full
// most of the time, as each holds one file that takes longer to look at than to
// inflate.
func TestBatchesUnderWay(t *testing.T) {
	r := newRepository()
	source := rand.NewChaCha8([32]byte{1})
	var list []entry
	for n := range 40 {
		body := make([]byte, 100<<10)
		_, _ = source.Read(body)
		list = append(list, entry{name: fmt.Sprint("f", n), body: fmt.Sprintf("%x", body)})
	}
	image := r.image(t, zst(t, list...))
	inv, err := newScanner(t, nil, allChecks(t, malware.Options{})).Scan(context.Background(), r, image, breakwater.ScopeAll)
	if err != nil || inv.Files.Num != int64(len(list)) {
		t.Fatalf("%d files, %v", inv.Files.Num, err)
	}
}

// TestConfigsThatWait: while passwords are guessed, configuration waits, and no
// more of it than is read.
func TestConfigsThatWait(t *testing.T) {
	if testing.Short() || underRace {
		t.Skip("memory is measured, and the race detector has its own")
	}
	judge, err := password.New(password.Options{Budget: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	list := []entry{{name: "etc/shadow", body: "root:" + hashes[1] + ":19000:0:99999:7:::\n"}}
	body := strings.Repeat("# nothing is said here\n", 7<<20/23)
	for n := range 19 {
		list = append(list, entry{name: fmt.Sprintf("etc/nginx/conf.d/%02d.conf", n), body: body})
	}
	r := newRepository()
	image := r.image(t, plain(t, list...))
	var inv breakwater.Inventory
	defer debug.SetGCPercent(debug.SetGCPercent(5)) // what is garbage is not counted
	grew := heap(func() {
		inv, err = newScanner(t, nil, scan.Options{Passwords: judge}).Scan(context.Background(), r, image, breakwater.ScopeAll)
	})
	if err != nil || len(inv.Configs) != len(list) {
		t.Fatalf("%d of %d configuration files, %v", len(inv.Configs), len(list), err)
	}
	for _, c := range inv.Configs {
		if cut := c.Path != "etc/shadow"; c.Cut != cut {
			t.Errorf("%s: cut is %v", c.Path, c.Cut)
		}
	}
	if grew > 64<<20 {
		t.Errorf("the heap grew by %d MiB", grew>>20)
	}
}

// TestConfigTooLarge: a configuration file that is not held in memory is not read,
// and that is said.
func TestConfigTooLarge(t *testing.T) {
	r := newRepository()
	image := r.image(t, plain(t, entry{name: "etc/ssh/sshd_config", body: strings.Repeat("# PermitRootLogin yes\n", 1+8<<20/22)}))
	inv, err := newScanner(t, nil, allChecks(t, malware.Options{})).Scan(context.Background(), r, image, breakwater.ScopeBaseline)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range inv.Coverage {
		if c.Check == breakwater.CheckBaseline && (len(c.Skipped) != 1 || c.Skipped[0].Path != "etc/ssh/sshd_config") {
			t.Errorf("%+v", c)
		}
	}
}
