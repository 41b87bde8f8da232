package oci_test

import (
	"runtime"
	"strings"
	"testing"

	"breakwater"
	"breakwater/internal/oci"
)

func TestParsePlatform(t *testing.T) {
	for in, want := range map[string]string{
		"linux/amd64": "linux/amd64", "linux/x86_64": "linux/amd64", "linux/aarch64": "linux/arm64", "linux/arm64/v8": "linux/arm64",
		"arm64": "linux/arm64", "linux/arm/v7": "linux/arm/v7", "armhf": "linux/arm/v7", "LINUX/ARM64": "linux/arm64", "windows/amd64": "windows/amd64",
		"linux": "linux/" + runtime.GOARCH,
		"":      "", "linux/": "", "/amd64": "", strings.Repeat("x", 99) + "/y": "", "linux/\x1b": "", "a/b/c/d": "", "linux/amd 64\x00": "",
	} {
		p, err := oci.ParsePlatform(in)
		if want == "" {
			if breakwater.KindOf(err) != breakwater.KindInvalid {
				t.Errorf("%q: %v, %v", in, p, err)
			}
			continue
		}
		if err != nil || p.String() != want {
			t.Errorf("%q: %v, %v; want %s", in, p, err, want)
		}
	}
}
