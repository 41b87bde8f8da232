package main

import "testing"

// TestTarget: what is an archive, what is an image of a registry, and what is
// neither.
func TestTarget(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want target // zero: refused
	}{
		{[]string{"debian:12"}, target{image: "debian:12"}},
		{[]string{"registry:2"}, target{image: "registry:2"}}, // an image of Docker Hub
		{[]string{"docker://registry:2"}, target{image: "registry:2"}},
		{[]string{"docker-archive:a/shop.tar:team/shop:1.4"}, target{"a/shop.tar", "team/shop:1.4"}},
		{[]string{"oci:layout"}, target{path: "layout"}},
		{[]string{"oci:layout:1.4"}, target{"layout", "1.4"}},
		{[]string{"docker-archive:"}, target{}},
		{[]string{"docker-archive::debian"}, target{}},
		{[]string{"./shop"}, target{path: "./shop"}},
		{[]string{"shop.tar"}, target{path: "shop.tar"}},
		{[]string{"-"}, target{path: "-"}},
		{[]string{"all.tar", "shop:1.4"}, target{"all.tar", "shop:1.4"}},
		{[]string{"debian", "alpine"}, target{}},
		{nil, target{}},
	} {
		var f scanFlags
		got, err := f.target(tt.args)
		if got != tt.want || (err != nil) != (tt.want == target{}) {
			t.Errorf("%q: %+v, %v", tt.args, got, err)
		}
	}
}
