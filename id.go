package breakwater

import (
	"crypto/rand"
	"encoding/hex"
)

// Prefixes of made-up ids. A thing that has content is named by its digest instead.
const (
	PrefixDomain    = "dom"
	PrefixProject   = "prj"
	PrefixUser      = "usr"
	PrefixRegistry  = "reg"
	PrefixScanTask  = "scn"
	PrefixSyncTask  = "syn"
	PrefixUpload    = "upl"
	PrefixAccessKey = "AK"
)

// NewID is prefix and 26 random hex digits (104 bits): safe in a URL, a file
// name and a Kubernetes name.
func NewID(prefix string) string {
	var b [13]byte
	_, _ = rand.Read(b[:]) // crypto/rand.Read never fails; it ends the program instead
	return prefix + hex.EncodeToString(b[:])
}

// NewSecret is n random bytes in hex.
func NewSecret(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return hex.EncodeToString(b)
}
