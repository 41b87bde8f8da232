package detect_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"breakwater"
	"breakwater/internal/detect"
)

func TestRelease(t *testing.T) {
	tests := []struct {
		kind, body, want string
	}{
		{"deb", "ID=debian\nVERSION_ID=\"12\"\n", "Debian:12"},
		{"deb", "ID=debian\nPRETTY_NAME=\"Debian GNU/Linux trixie/sid\"\nVERSION_CODENAME=trixie\n", "Debian:13"},
		{"deb", "ID=debian\nPRETTY_NAME=\"Debian GNU/Linux sid\"\n", ""},
		{"deb", "ID=ubuntu\nVERSION_ID=\"20.04\"\nVERSION=\"20.04.6 LTS (Focal Fossa)\"\n", "Ubuntu:20.04:LTS"},
		{"deb", "ID=ubuntu\nVERSION_ID='23.10'\nVERSION='23.10 (Mantic Minotaur)'\n", "Ubuntu:23.10"},
		{"deb", "ID=raspbian\nID_LIKE=debian\nVERSION_ID=12\n", ""},
		{"apk", "ID=alpine\nVERSION_ID=3.19.1\n", "Alpine:v3.19"},
		{"apk", "ID=alpine\nVERSION_ID=3.21_alpha20240923\n", "Alpine:edge"},
		{"apk", "ID=wolfi\nVERSION_ID=20230201\n", "Wolfi"},
		{"rpm", "ID=\"almalinux\"\nVERSION_ID=\"9.4\"\n", "AlmaLinux:9"},
		{"rpm", "ID=\"rocky\"\nVERSION_ID=\"8.9\"\n", "Rocky Linux:8"},
		{"rpm", "ID=\"rhel\"\nVERSION_ID=\"9.3\"\nCPE_NAME=\"cpe:/o:redhat:enterprise_linux:9::baseos\"\n", "Red Hat:enterprise_linux:9::baseos"},
		{"rpm", "ID=azurelinux\nVERSION_ID=\"3.0\"\n", "Azure Linux:3"},
		{"rpm", "ID=mariner\nVERSION_ID=\"2.0\"\n", "Azure Linux:2"},
		{"rpm", "ID=\"opensuse-leap\"\nVERSION_ID=\"15.5\"\n", "openSUSE:Leap 15.5"},
		{"rpm", "ID=\"opensuse-tumbleweed\"\nVERSION_ID=\"20240101\"\n", "openSUSE:Tumbleweed"},
		{"rpm", "ID=\"sles\"\nVERSION_ID=\"15.5\"\n", "SUSE:Linux Enterprise Server 15 SP5"},
		{"rpm", "ID=\"openEuler\"\nVERSION_ID=\"24.03\"\nVERSION=\"24.03 (LTS-SP1)\"\n", "openEuler:24.03-LTS-SP1"},
		{"rpm", "ID=fedora\nVERSION_ID=39\n", ""},
		{"rpm", "# nothing\n\nbroken line\n", ""},
	}
	d := newDetector(t, detect.Options{})
	for _, tt := range tests {
		f := read(t, d, "usr/lib/os-release", []byte(tt.body))
		if f.Release == nil {
			t.Fatalf("no release in %q", tt.body)
		}
		if got := f.Release.Ecosystem(tt.kind); got != tt.want {
			t.Errorf("%q is %q, want %q", tt.body, got, tt.want)
		}
	}
}

// TestComplete: advisories of some distributions name the source package, those
// of others the package.
func TestComplete(t *testing.T) {
	openssl := breakwater.Package{Name: "libssl3", Version: "3.0.11-1", SourceName: "openssl", SourceVersion: "3.0.11-1", Kind: breakwater.PackageOS, Type: "deb", Arch: "amd64"}
	rpm := openssl
	rpm.Type, rpm.Version, rpm.SourceVersion, rpm.Arch = "rpm", "1:3.0.7-6.el9", "1:3.0.7-6.el9", "x86_64"
	alpm := breakwater.Package{Name: "openssl", Version: "1:3.1.4-1", SourceName: "openssl-src", SourceVersion: "1:3.1.4-1", Kind: breakwater.PackageOS, Type: "alpm", Arch: "x86_64"}
	tests := []struct {
		release  detect.Release
		in       breakwater.Package
		want     []string
		wantPURL string
	}{
		{detect.Release{ID: "debian", VersionID: "12"}, openssl, []string{"Debian:12", "openssl", "3.0.11-1"}, "pkg:deb/debian/libssl3@3.0.11-1?arch=amd64&distro=debian-12"},
		{detect.Release{ID: "almalinux", VersionID: "9.4"}, rpm, []string{"AlmaLinux:9", "libssl3", "1:3.0.7-6.el9"}, "pkg:rpm/almalinux/libssl3@3.0.7-6.el9?arch=x86_64&distro=almalinux-9.4&epoch=1"},
		{detect.Release{ID: "azurelinux", VersionID: "3.0"}, rpm, []string{"Azure Linux:3", "openssl", "1:3.0.7-6.el9"}, "pkg:rpm/azurelinux/libssl3@3.0.7-6.el9?arch=x86_64&distro=azurelinux-3.0&epoch=1"},
		{detect.Release{ID: "arch", VersionID: "20240101.0.204074"}, alpm, []string{"", "openssl-src", "1:3.1.4-1"}, "pkg:alpm/arch/openssl@1:3.1.4-1?arch=x86_64&distro=arch-20240101.0.204074"},
		{detect.Release{}, openssl, []string{"", "openssl", "3.0.11-1"}, "pkg:deb/libssl3@3.0.11-1?arch=amd64"},
	}
	for _, tt := range tests {
		p := tt.in
		tt.release.Complete(&p)
		if diff := cmp.Diff(tt.want, []string{p.Ecosystem, p.MatchName(), p.MatchVersion()}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.release.ID, diff)
		}
		if p.PURL != tt.wantPURL {
			t.Errorf("purl %s, want %s", p.PURL, tt.wantPURL)
		}
	}
}
