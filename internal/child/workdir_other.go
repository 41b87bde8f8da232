//go:build !unix

package child

import "os"

// lockFile makes the file, which here must not be there yet: what a killed
// process left is not told from what a living one uses, and stays.
func lockFile(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
}
