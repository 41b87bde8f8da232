package detect_test

// The fixtures have the shape of the real files and only the fields that matter
// or that a reader could stumble over.

const dpkgStatus = `Package: bsdutils
Essential: yes
Status: install ok installed
Priority: required
Section: utils
Installed-Size: 365
Maintainer: Someone <someone@example.com>
Architecture: amd64
Multi-Arch: foreign
Source: util-linux (2.38.1-5)
Version: 1:2.38.1-5+b1
Pre-Depends: libc6 (>= 2.34)
Description: basic utilities
 A long text.
 .
 A second paragraph: with a colon.
Homepage: https://example.com/

Package: removed
Status: deinstall ok config-files
Architecture: amd64
Version: 1.0
Conffiles:
 /etc/removed.conf d41d8cd98f00b204e9800998ecf8427e
Description: only its configuration is left

Package: libc-bin
Status: install ok triggers-pending
Architecture: amd64
Source: glibc
Version: 2.36-9
Triggers-Pending: ldconfig
Description: binaries

Package: halfway
Status: install reinstreq half-installed
Architecture: amd64
Version: 9
Description: never unpacked

Package: zlib1g
Status: hold ok installed
Architecture: amd64
Source: zlib
Version: 1:1.2.13.dfsg-1
Description: library
`

const apkInstalled = `C:Q1aaaaaaaaaaaaaaaaaaaaaaaaaaa=
P:musl
V:1.2.4-r2
A:x86_64
S:407278
I:667648
T:the musl c library
U:https://example.com/
L:MIT
o:musl
m:Someone <someone@example.com>
F:lib
R:ld-musl-x86_64.so.1
a:0:0:755
Z:Q1aaaaaaaaaaaaaaaaaaaaaaaaaaa=

C:Q1bbbbbbbbbbbbbbbbbbbbbbbbbbb=
P:libcrypto3
V:3.1.4-r1
A:x86_64
L:Apache-2.0
o:openssl
F:usr
F:usr/bin
R:openssl
F:usr/lib
R:libcrypto.so.3

C:Q1ccccccccccccccccccccccccccc=
P:.build-deps
V:20240101.000000
A:noarch

`

const npmLock1 = `{"name":"app","version":"1.0.0","lockfileVersion":1,"requires":true,"dependencies":{
 "lodash":{"version":"4.17.4","resolved":"https://r.example/lodash.tgz"},
 "width":{"version":"npm:string-width@4.2.0"},
 "local":{"version":"file:../local"},
 "git":{"version":"git+ssh://git@example.com/a/b.git#0123456789012345678901234567890123456789"},
 "mkdirp":{"version":"0.5.1","dependencies":{"minimist":{"version":"0.0.8"}}}}}`

const npmLock2 = `{"name":"app","version":"1.0.0","lockfileVersion":2,"packages":{
 "":{"name":"app","version":"1.0.0"},
 "node_modules/lodash":{"version":"4.17.4"},
 "node_modules/@babel/core":{"version":"7.0.0","dev":true}},
 "dependencies":{"lodash":{"version":"4.17.4"}}}`

const npmLock3 = `{"name":"app","lockfileVersion":3,"packages":{
 "":{"name":"app","workspaces":["packages/*"]},
 "packages/own":{"name":"own","version":"0.1.0"},
 "node_modules/own":{"resolved":"packages/own","link":true},
 "node_modules/alias":{"name":"lodash","version":"4.17.4"},
 "node_modules/debug":{"version":"2.6.8"},
 "node_modules/debug/node_modules/ms":{"version":"2.0.0"}}}`
