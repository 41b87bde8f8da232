package compliance

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"breakwater"

	"github.com/google/go-cmp/cmp"
)

func mustRules(t testing.TB, own string) *Rules {
	t.Helper()
	r, err := LoadRules([]byte(own))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func day(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

// deb, apk and rpm make packages from "name version [source]".
func pkgs(kind, ecosystem string, lines ...string) []breakwater.Package {
	var out []breakwater.Package
	for _, l := range lines {
		f := strings.Fields(l)
		p := breakwater.Package{Ecosystem: ecosystem, Type: kind, Name: f[0], Version: f[1], SourceName: f[0], SourceVersion: f[1], Path: "db"}
		switch kind {
		case "deb", "rpm", "apk":
			p.Kind = breakwater.PackageOS
		default:
			p.Kind = breakwater.PackageApp
		}
		if len(f) > 2 {
			p.SourceName = f[2]
		}
		out = append(out, p)
	}
	return out
}

func show(list []breakwater.Finding) []string {
	var out []string
	for _, f := range list {
		s := fmt.Sprintf("%s %s %s %s", strings.TrimPrefix(f.Rule, "BW-SW-"), f.Severity, f.Subject, f.Version)
		if _, also, ok := strings.Cut(f.Description, "Also installed: "); ok {
			s += " +" + strings.TrimSuffix(also, ".")
		}
		out = append(out, s)
	}
	return out
}

// TestDistributions holds the defaults against what images of distributions
// really hold, names and versions as their package managers say them.
func TestDistributions(t *testing.T) {
	now := day("2026-11-27")
	for name, c := range map[string]struct {
		os   breakwater.OS
		list []breakwater.Package
		want []string
	}{
		"debian slim": {
			breakwater.OS{ID: "debian", VersionID: "12", Name: "Debian GNU/Linux 12 (bookworm)"},
			pkgs("deb", "Debian:12", "apt 2.6.1", "base-files 12.4+deb12u12", "bash 5.2.15-2+b8", "gcc-12-base 12.2.0-14+deb12u1 gcc-12", "libgcc-s1 12.2.0-14+deb12u1 gcc-12", "libstdc++6 12.2.0-14+deb12u1 gcc-12",
				"perl-base 5.36.0-7+deb12u3 perl", "libsystemd0 252.39-1 systemd", "login 1:4.13+dfsg1-1+b1 shadow", "sysvinit-utils 3.06-4 sysvinit", "tar 1.34+dfsg-1.2", "libdb5.3 5.3.28 db5.3"), nil,
		},
		"debian with a compiler": {
			breakwater.OS{ID: "debian", VersionID: "12"},
			pkgs("deb", "Debian:12", "build-essential 12.9", "gcc 4:12.2.0-3 gcc-defaults", "g++ 4:12.2.0-3 gcc-defaults", "gcc-12 12.2.0-14 gcc-12", "g++-12 12.2.0-14 gcc-12", "cpp-12 12.2.0-14 gcc-12", "libgcc-12-dev 12.2.0-14 gcc-12",
				"gcc-12-base 12.2.0-14 gcc-12", "make 4.3-4.1 make-dfsg", "dpkg-dev 1.21.22 dpkg", "binutils 2.40-2", "libc6-dev 2.36-9 glibc", "linux-libc-dev 6.1 linux"),
			[]string{"020 low gcc 4:12.2.0-3 +g++, g++-12, gcc-12", "021 low build-essential 12.9", "021 low dpkg-dev 1.21.22", "021 low make 4.3-4.1"},
		},
		"debian with tools": {
			breakwater.OS{ID: "debian", VersionID: "13"},
			pkgs("deb", "Debian:13", "tcpdump 4.99.5-2", "nmap 7.95+dfsg-3", "nmap-common 7.95+dfsg-3 nmap", "netcat-traditional 1.10-50", "netcat-openbsd 1.229-1", "openssh-server 1:10.0p1-7 openssh", "openssh-client 1:10.0p1-7 openssh",
				"openssh-sftp-server 1:10.0p1-7 openssh", "sudo 1.9.16p2-3", "gdb 16.3-1", "strace 6.13+ds-1", "telnet 0.17+2.6-3 netkit-telnet", "wireshark-common 4.4.7-1 wireshark", "tshark 4.4.7-1 wireshark", "libpcap0.8t64 1.10.5-2 libpcap", "socat 1.8.0.3-1"),
			[]string{"001 medium tcpdump 4.99.5-2", "001 medium tshark 4.4.7-1 +wireshark-common", "002 medium nmap 7.95+dfsg-3", "003 medium netcat-openbsd 1.229-1", "003 medium netcat-traditional 1.10-50", "004 low socat 1.8.0.3-1",
				"022 medium gdb 16.3-1", "022 medium strace 6.13+ds-1", "030 medium openssh-server 1:10.0p1-7", "032 low telnet 0.17+2.6-3", "035 medium sudo 1.9.16p2-3"},
		},
		"old debian": {
			breakwater.OS{ID: "debian", VersionID: "10"},
			pkgs("deb", "Debian:10", "python3.7 3.7.3-2+deb10u7", "libssl1.1 1.1.1n-0+deb10u6 openssl", "nodejs 18.20.4-1nodesource1", "postgresql-13 13.16-1.pgdg100+1", "postgresql-11 11.22-0+deb10u2"),
			[]string{"100 high debian 10", "101 medium nodejs 18.20.4-1nodesource1", "102 medium postgresql-13 13.16-1.pgdg100+1"},
		},
		"alpine": {
			breakwater.OS{ID: "alpine", VersionID: "3.22.1"},
			pkgs("apk", "Alpine:v3.22", "alpine-baselayout 3.7.0-r0", "busybox 1.37.0-r18", "musl 1.2.5-r10", "libgcc 14.2.0-r6 gcc", "libstdc++ 14.2.0-r6 gcc", "apk-tools 2.14.9-r2", "ssl_client 1.37.0-r18 busybox", "scanelf 1.3.8-r1 pax-utils"), nil,
		},
		"alpine with tools": {
			breakwater.OS{ID: "alpine", VersionID: "3.16.9"},
			pkgs("apk", "Alpine:v3.16", "gcc 11.2.1_git20220219-r2", "g++ 11.2.1_git20220219-r2 gcc", "libgcc 11.2.1_git20220219-r2 gcc", "build-base 0.5-r3", "make 4.3-r0", "busybox-extras 1.35.0-r17 busybox", "openssh-server 9.0_p1-r5 openssh", "openssh-keygen 9.0_p1-r5 openssh", "nmap-ncat 7.92-r2 nmap", "tcpdump 4.99.1-r3", "doas 6.8.2-r0"),
			[]string{"001 medium tcpdump 4.99.1-r3", "003 medium nmap-ncat 7.92-r2", "020 low gcc 11.2.1_git20220219-r2 +g++", "021 low build-base 0.5-r3", "021 low make 4.3-r0", "030 medium openssh-server 9.0_p1-r5",
				"032 low busybox-extras 1.35.0-r17", "035 medium doas 6.8.2-r0", "100 high alpine 3.16.9"},
		},
		"red hat ubi": {
			breakwater.OS{ID: "rhel", VersionID: "9.4", Name: "Red Hat Enterprise Linux 9.4 (Plow)"},
			pkgs("rpm", "Red Hat:9", "bash 5.1.8-9.el9", "openssl-libs 1:3.0.7-27.el9 openssl", "libgcc 11.4.1-3.el9 gcc", "python3 3.9.18-3.el9 python3.9", "gdb-gdbserver 10.2-13.el9 gdb", "sudo 1.9.5p2-10.el9", "gcc-c++ 11.4.1-3.el9 gcc", "gcc 11.4.1-3.el9", "cpp 11.4.1-3.el9 gcc", "nmap-ncat 3:7.92-1.el9 nmap", "wireshark-cli 1:3.4.10-6.el9 wireshark", "vsftpd 3.0.3-49.el9", "telnet 1:0.17-85.el9"),
			[]string{"001 medium wireshark-cli 1:3.4.10-6.el9", "003 medium nmap-ncat 3:7.92-1.el9", "020 low gcc 11.4.1-3.el9 +gcc-c++", "022 medium gdb-gdbserver 10.2-13.el9", "032 low telnet 1:0.17-85.el9", "033 medium vsftpd 3.0.3-49.el9", "035 medium sudo 1.9.5p2-10.el9"},
		},
		"centos 7":        {breakwater.OS{ID: "centos", VersionID: "7", Name: "CentOS Linux 7 (Core)"}, nil, []string{"100 high centos 7"}},
		"centos stream 9": {breakwater.OS{ID: "centos", VersionID: "9", Name: "CentOS Stream 9"}, nil, nil},
		"centos stream 8": {breakwater.OS{ID: "centos", VersionID: "8", Name: "CentOS Stream 8"}, nil, []string{"100 high centos 8"}},
		"ubuntu 20.04":    {breakwater.OS{ID: "ubuntu", VersionID: "20.04"}, nil, []string{"100 high ubuntu 20.04"}},
		"ubuntu 24.04":    {breakwater.OS{ID: "ubuntu", VersionID: "24.04"}, nil, nil},
		"amazon 2":        {breakwater.OS{ID: "amzn", VersionID: "2"}, nil, []string{"100 high amzn 2"}},
		"sid":             {breakwater.OS{ID: "debian"}, nil, nil},
		"unknown":         {breakwater.OS{ID: "wolfi", VersionID: "20230201"}, nil, nil},
		"bitnami": {
			breakwater.OS{ID: "debian", VersionID: "12"}, pkgs("bitnami", "Bitnami", "redis 6.0.2-3", "node 16.1.0-0", "postgresql 17.2.0-1", "java 17.0.9-11-2"),
			[]string{"101 medium node 16.1.0-0", "102 medium redis 6.0.2-3"},
		},
		"applications": {
			breakwater.OS{}, append(append(append(pkgs("maven", "Maven", "log4j:log4j 1.2.17", "org.apache.logging.log4j:log4j-core 2.24.1", "org.apache.tomcat.embed:tomcat-embed-core 8.5.100", "org.springframework:spring-core 6.2.1"),
				pkgs("golang", "Go", "stdlib 1.20.3", "golang.org/x/net 0.1.0")...), pkgs("pypi", "PyPI", "Django 3.2.25", "scapy 2.5.0", "requests 2.31.0")...), pkgs("npm", "npm", "angular 1.8.3", "next 15.0.1", "jquery 3.7.1")...),
			[]string{"001 medium scapy 2.5.0", "101 medium stdlib 1.20.3", "102 medium org.apache.tomcat.embed:tomcat-embed-core 8.5.100", "103 medium Django 3.2.25", "103 medium angular 1.8.3", "103 medium log4j:log4j 1.2.17", "103 medium next 15.0.1", "103 medium org.springframework:spring-core 6.2.1"},
		},
	} {
		got := show(Check(breakwater.Inventory{OS: c.os, Packages: c.list}, mustRules(t, ""), now))
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

// TestSupportFollowsTheClock: the last day counts whole, and the 90 days before
// it are told.
func TestSupportFollowsTheClock(t *testing.T) {
	inv := breakwater.Inventory{OS: breakwater.OS{ID: "debian", VersionID: "11"}} // 2026-08-31
	for at, want := range map[string][]string{
		"2025-01-01": nil, "2026-06-01": nil, "2026-06-10": {"104 low debian 11"}, "2026-08-31": {"104 low debian 11"}, "2026-09-01": {"100 high debian 11"},
	} {
		if diff := cmp.Diff(want, show(Check(inv, mustRules(t, ""), day(at)))); diff != "" {
			t.Errorf("%s: %s", at, diff)
		}
	}
}

// TestVariablesOfOfficialImages: what was built from source is known by a
// variable, unless a package says it.
func TestVariablesOfOfficialImages(t *testing.T) {
	for env, want := range map[string][]string{
		"PYTHON_VERSION=3.7.17": {"101 medium Python 3.7.17"}, "PYTHON_VERSION=3.14.1": nil, "NODE_VERSION=16.20.2": {"101 medium Node.js 16.20.2"},
		"JAVA_VERSION=jdk-16.0.2+7": {"101 medium OpenJDK jdk-16.0.2+7"}, "JAVA_VERSION=8u342": nil, "PG_VERSION=11.16-1.pgdg90+1": {"102 medium PostgreSQL 11.16-1.pgdg90+1"},
		"MARIADB_VERSION=1:10.3.39+maria~ubu2004": {"102 medium MariaDB 1:10.3.39+maria~ubu2004"}, "REDIS_VERSION=6.0.20": {"102 medium Redis 6.0.20"}, "GOLANG_VERSION=1.19": {"101 medium Go standard library 1.19"},
		"PHP_VERSION=7.4.33": {"101 medium PHP 7.4.33"}, "RUBY_VERSION=2.7.8": {"101 medium Ruby 2.7.8"}, "NGINX_VERSION=1.14.2": {"102 medium nginx 1.14.2"}, "NGINX_VERSION=": nil, "HTTPD_VERSION=2.4.62": nil,
		"DOTNET_VERSION=6.0.36": {"101 medium .NET 6.0.36"}, "MYSQL_VERSION=5.7.44-1.el7": {"102 medium MySQL 5.7.44-1.el7"}, "TOMCAT_VERSION=8.5.100": {"102 medium Apache Tomcat 8.5.100"}, "MONGO_VERSION=4.4.29": {"102 medium MongoDB 4.4.29"},
	} {
		got := Check(breakwater.Inventory{Setup: breakwater.Setup{Env: []string{env}}}, mustRules(t, ""), day("2026-11-01"))
		if diff := cmp.Diff(want, show(got)); diff != "" {
			t.Errorf("%s: %s", env, diff)
		}
	}
	both := breakwater.Inventory{Setup: breakwater.Setup{Env: []string{"PG_VERSION=11.16-1.pgdg90+1"}}, Packages: pkgs("deb", "Debian:12", "postgresql-11 11.16-1.pgdg90+1")}
	if got := Check(both, mustRules(t, ""), day("2026-11-01")); len(got) != 1 || got[0].Subject != "postgresql-11" {
		t.Errorf("%+v", got)
	}
}

// TestKeptByTheDistribution is off, and can be switched on.
func TestKeptByTheDistribution(t *testing.T) {
	inv := breakwater.Inventory{OS: breakwater.OS{ID: "rhel", VersionID: "8.10"}, Packages: pkgs("rpm", "Red Hat:8", "openssl-libs 1:1.1.1k-14.el8_6 openssl", "python36 3.6.8-39.el8", "nodejs 1:10.24.0-1.el8")}
	if got := Check(inv, mustRules(t, ""), day("2026-11-01")); len(got) != 0 {
		t.Errorf("%v", show(got))
	}
	want := []string{"105 low nodejs 1:10.24.0-1.el8", "105 low openssl-libs 1:1.1.1k-14.el8_6", "105 low python36 3.6.8-39.el8"}
	if diff := cmp.Diff(want, show(Check(inv, mustRules(t, "enable: [BW-SW-105]"), day("2026-11-01")))); diff != "" {
		t.Error(diff)
	}
}

// TestFindingIsWhole looks at one finding field by field.
func TestFindingIsWhole(t *testing.T) {
	p := pkgs("deb", "Debian:12", "tcpdump 4.99.3-1")
	p[0].Layer = "sha256:a"
	r := mustRules(t, "")
	want := []breakwater.Finding{{
		Check: breakwater.CheckCompliance, Rule: "BW-SW-001", Title: "Network sniffer", Severity: breakwater.SeverityMedium, Path: "db", Layer: "sha256:a",
		Subject: "tcpdump", Version: "4.99.3-1", Remediation: r.Rule("BW-SW-001").Remediation,
	}}
	if diff := cmp.Diff(want, Check(breakwater.Inventory{Packages: p}, r, day("2026-11-01"))); diff != "" {
		t.Error(diff)
	}
	got := Check(breakwater.Inventory{OS: breakwater.OS{ID: "debian", VersionID: "9"}}, r, day("2026-11-01"))
	if len(got) != 1 || got[0].Description != "Support of Debian 9 ended on 2022-07-01 (https://wiki.debian.org/LTS; as known on 2026-08-22)." {
		t.Errorf("%+v", got)
	}
}
