package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"slices"
)

// systemSteps is the base image of the demo: this machine's packages.
func systemSteps() []demoStep {
	if files := osFiles(); len(files) > 0 {
		return []demoStep{{By: "COPY rootfs / # buildkit", Files: files}}
	}
	return nil
}

// shopSteps is the small application, built on a base as it should not be: for
// every check there is something to find. What is planted is harmless, and says
// nothing of this machine.
func shopSteps(base []demoStep) []demoStep {
	app := append(appFiles(),
		demoFile{Name: "srv/shop/.npmrc", Mode: 0o600, Body: "//registry.example.com/:_authToken=" + demoToken() + "\n"},
		demoFile{Name: "srv/shop/fixtures/upload.bin", Mode: 0o644, Body: eicar()},
	)
	return append(slices.Clone(base),
		demoStep{By: "COPY shop /srv/shop # buildkit", Files: app},
		demoStep{By: "ENV DB_PASSWORD=Tr0mbone-1973", Env: "DB_PASSWORD=Tr0mbone-1973"},
		demoStep{By: "RUN /bin/sh -c curl -fsSL https://get.example.com/shopctl.sh | sh && rm /srv/shop/.npmrc # buildkit", Files: []demoFile{
			{Name: "usr/local/bin/shopctl", Mode: 0o4755, Body: "#!/bin/sh\nexec /srv/shop/ctl \"$@\"\n"},
			{Name: "srv/shop/.wh..npmrc", Mode: 0o644},
		}},
		demoStep{By: "RUN /bin/sh -c useradd deploy && echo deploy:qwerty | chpasswd -c MD5 # buildkit", Files: []demoFile{
			{Name: "etc/passwd", Mode: 0o644, Body: "root:x:0:0:root:/root:/bin/bash\ndeploy:x:1001:1001::/home/deploy:/bin/sh\n"},
			{Name: "etc/shadow", Mode: 0o640, Body: "root:*:19700:0:99999:7:::\ndeploy:$1$shopdemo$IzbmaR9XO.XfsnMsf5Hnt1:19700:0:99999:7:::\n"},
		}},
	)
}

// demoToken has the form of a GitHub token and opens nothing.
func demoToken() string {
	sum := sha256.Sum256([]byte("breakwater demo"))
	return "gh" + "p_" + hex.EncodeToString(sum[:])[:36]
}

// eicar is the test file of the anti-virus industry. It does not stand here in
// the open, so that no scanner takes this program for it.
func eicar() string {
	b, _ := base64.StdEncoding.DecodeString("WDVPIVAlQEFQWzRcUFpYNTQoUF4pN0NDKTd9JEVJQ0FSLVNUQU5EQVJELUFOVElWSVJVUy1URVNULUZJTEUhJEgrSCo=")
	return string(b)
}
