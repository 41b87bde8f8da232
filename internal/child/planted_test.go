package child

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"breakwater"
	"breakwater/internal/oci"
)

// The test binary is its own child: with the address of a desk in its
// environment it serves with a scanner that does what the scope says.
func TestMain(m *testing.M) {
	if os.Getenv(envURL) != "" {
		serveTest()
		return
	}
	if dir := os.Getenv(envParent); dir != "" {
		parentTest(dir)
		return
	}
	os.Exit(m.Run())
}

func serveTest() {
	ep, err := ReadEndpoint(os.Getenv)
	if underRace {
		// The race detector's own memory would meet the system's limit first, and
		// dies of it in words of its own; the parent's watch stays.
		ep.Memory = 0
	}
	if err == nil {
		if os.Getenv("PLANT_START") != "" {
			err = errors.New("planted: no start")
		} else {
			err = Serve(context.Background(), ep, func(c Cache) (Scanner, error) { return planted{c}, nil }, ServeOptions{})
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// What a planted scanner does.
const (
	plantGood breakwater.Scope = iota
	plantSlow
	plantPanic
	plantPanicElsewhere
	plantEndless
	plantEater
	plantExit
	plantGarbage
	plantOtherImage
	plantHuge
	plantEnviron
	plantError
	plantOpenBlob
	plantStubborn
)

const testVersion = "test/1"

type planted struct{ cache Cache }

func (p planted) Scan(ctx context.Context, src oci.Source, digest breakwater.Digest, scope breakwater.Scope) (breakwater.Inventory, error) {
	inv, err := p.read(ctx, src, digest, scope)
	if err != nil {
		return inv, err
	}
	switch scope {
	case plantPanic:
		panic("planted panic")
	case plantPanicElsewhere:
		go func() { panic("planted panic elsewhere") }()
		select {}
	case plantEndless:
		for n := 0; ; n++ {
			if n < 0 {
				n = 0
			}
		}
	case plantEater:
		var kept [][]byte
		for {
			kept = append(kept, bytes.Repeat([]byte{1}, 1<<20))
			_ = kept
		}
	case plantExit:
		os.Exit(0)
	case plantGarbage:
		r := src.(*remote)
		_, err := r.do(ctx, http.MethodPost, r.at("/result"), []byte("\x00\xff{{{{ garbage"))
		return inv, err
	case plantOtherImage:
		inv.Digest = breakwater.DigestOf([]byte("another"))
	case plantHuge:
		inv.OS.Name = strings.Repeat("x", 2<<20)
	case plantEnviron:
		wd, _ := os.Getwd()
		if err := os.WriteFile("left-behind", []byte("x"), 0o600); err != nil {
			return inv, err
		}
		inv.OS.Name = strings.Join(append(os.Environ(), "WD="+wd), "\n")
	case plantError:
		return inv, &breakwater.Error{Kind: breakwater.KindTooLarge, Code: string(breakwater.CodeLayers), Message: "planted error", Err: errors.New("for the operator")}
	case plantStubborn:
		time.Sleep(time.Hour)
	}
	return inv, nil
}

// read is an honest scan: facts of each layer are its size in decimal.
func (p planted) read(ctx context.Context, src oci.Source, digest breakwater.Digest, scope breakwater.Scope) (inv breakwater.Inventory, err error) {
	m, err := src.Manifest(ctx, digest.String())
	if err != nil {
		return inv, err
	}
	doc, err := oci.Parse(m)
	if err != nil {
		return inv, err
	}
	config, err := oci.ReadConfig(ctx, src, doc)
	if err != nil {
		return inv, err
	}
	inv.Digest, inv.Platform, inv.Scanner = digest, config.Platform, strconv.Itoa(os.Getpid())
	for _, l := range doc.Layers {
		inv.Layers = append(inv.Layers, breakwater.LayerRef{Digest: l.Digest, Size: l.Size})
		key := testVersion + "/" + l.Digest.String()
		if _, err := p.cache.Get(ctx, key); err == nil {
			continue
		} else if !breakwater.IsNotFound(err) {
			return inv, err
		}
		rc, err := src.Blob(ctx, l.Digest, l.Size)
		if err != nil {
			return inv, err
		}
		if scope == plantOpenBlob {
			time.Sleep(time.Hour)
		}
		n, err := io.Copy(io.Discard, rc)
		_ = rc.Close()
		if err != nil {
			return inv, err
		}
		if scope == plantSlow {
			time.Sleep(300 * time.Millisecond)
		}
		inv.Bytes += n
		if err := p.cache.Put(ctx, key, []byte(strconv.FormatInt(n, 10))); err != nil {
			return inv, err
		}
	}
	return inv, nil
}

const envParent = "PLANT_PARENT"

// parentTest is a parent that gets killed: its child never ends.
func parentTest(dir string) {
	image := newImage("layer one")
	p, err := New(Options{Command: []string{os.Args[0]}, TempDir: dir})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	_, err = p.Scan(context.Background(), image.task(plantGood))
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	go func() { _, _ = p.Scan(context.Background(), image.task(plantEndless)) }()
	for {
		p.mu.Lock()
		busy := len(p.idle) == 0
		p.mu.Unlock()
		if busy {
			break
		}
		time.Sleep(time.Millisecond)
	}
	time.Sleep(100 * time.Millisecond)
	fmt.Println("ready")
	select {}
}
