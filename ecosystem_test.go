package breakwater

import "testing"

func TestNormalEcosystem(t *testing.T) {
	for in, want := range map[string]string{
		"npm": "npm", "Debian": "Debian", "Debian:": "Debian",
		"Debian:12": "Debian:12", "Debian:12.5": "Debian:12", "Debian:3.1": "Debian:3.1", "Debian:7": "Debian:7", "Debian:6.0": "Debian:6.0",
		"Ubuntu:22.04:LTS": "Ubuntu:22.04", "Ubuntu:22.04": "Ubuntu:22.04", "Ubuntu:23.10": "Ubuntu:23.10",
		"Ubuntu:Pro:16.04:LTS": "Ubuntu:Pro:16.04",
		"Alpine:v3.19":         "Alpine:v3.19", "Alpine:3.19.1": "Alpine:v3.19", "Alpine:edge": "Alpine:edge",
		"AlmaLinux:9.4": "AlmaLinux:9", "Rocky Linux:8": "Rocky Linux:8", "Azure Linux:3.0": "Azure Linux:3",
		"Red Hat:enterprise_linux:9::baseos": "Red Hat:9", "Red Hat:9.4": "Red Hat:9",
		"Red Hat:rhel_eus:9.2::baseos":                       "Red Hat:rhel_eus:9.2::baseos",
		"Packagist:https://packages.drupal.org/8":            "Packagist",
		"SUSE:Linux Enterprise Server 15 SP5":                "SUSE:Linux Enterprise 15 SP5",
		"SUSE:Linux Enterprise Module for Basesystem 15 SP5": "SUSE:Linux Enterprise 15 SP5",
		"SUSE:Linux Enterprise Server 12":                    "SUSE:Linux Enterprise 12",
		"SUSE:Linux Enterprise Server 15 SP3-LTSS":           "SUSE:Linux Enterprise Server 15 SP3-LTSS",
		"SUSE:Linux Enterprise Micro 5.5":                    "SUSE:Linux Enterprise Micro 5.5",
		"openSUSE:Leap 15.5":                                 "openSUSE:Leap 15.5",
	} {
		if got := NormalEcosystem(in); got != want {
			t.Errorf("NormalEcosystem(%q) = %q, want %q", in, got, want)
		}
		if again := NormalEcosystem(want); again != want {
			t.Errorf("NormalEcosystem(%q) = %q, not stable", want, again)
		}
	}
}

func TestNormalName(t *testing.T) {
	for _, c := range []struct{ ecosystem, in, want string }{
		{"PyPI", "Flask_Login", "flask-login"},
		{"PyPI", "zope.interface", "zope-interface"},
		{"PyPI", "a-_.b", "a-b"},
		{"NuGet", "Newtonsoft.Json", "newtonsoft.json"},
		{"Packagist:https://packages.drupal.org/8", "Drupal/Token", "drupal/token"},
		{"npm", "JSONStream", "JSONStream"},
		{"SwiftURL", "https://github.com/Vapor/vapor.git", "github.com/vapor/vapor"},
		{"SwiftURL", "github.com/marmelroy/Zip", "github.com/marmelroy/zip"},
		{"CRAN", "readxl", "readxl"},
		{"Debian:12", "libc++", "libc++"},
	} {
		if got := NormalName(c.ecosystem, c.in); got != c.want {
			t.Errorf("NormalName(%q, %q) = %q, want %q", c.ecosystem, c.in, got, c.want)
		}
	}
}

func TestIsCVE(t *testing.T) {
	for in, want := range map[string]bool{
		"CVE-2021-44228": true, "CVE-1999-0001": true, "CVE-2021-1": false, "CVE-20211-4422": false,
		"GHSA-jfh8-c2jp-5v3q": false, "": false, "CVE-2021-": false, "CVE-2021-44228x": false,
	} {
		if got := IsCVE(in); got != want {
			t.Errorf("IsCVE(%q) = %v, want %v", in, got, want)
		}
	}
}
