package conformance

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// credential is a value that a test planted, and where.
type credential struct{ where, value string }

// planting is every credential that tests planted.
var planting struct {
	sync.Mutex
	list []credential
}

// mustNotLeak makes the end of all tests look for a value: in the server's log,
// and in whatever it wrote but the blobs, which are what was pushed.
func mustNotLeak(where, value string) {
	planting.Lock()
	defer planting.Unlock()
	planting.list = append(planting.list, credential{where, value})
}

// leaks says which planted credentials lie in b, as they are or in base64.
func leaks(what string, b []byte) (out []string) {
	planting.Lock()
	defer planting.Unlock()
	for _, c := range planting.list {
		for form, text := range map[string]string{"": c.value, ", in base64": base64.StdEncoding.EncodeToString([]byte(c.value))} {
			if bytes.Contains(b, []byte(strings.TrimRight(text, "="))) {
				out = append(out, fmt.Sprintf("%s holds the credential of %s whole%s", what, c.where, form))
			}
		}
	}
	return out
}

// leaksIn looks into the log and the data directory of a server that has ended.
func leaksIn(data string, log []byte) (out []string, err error) {
	out = leaks("the log", log)
	err = filepath.WalkDir(data, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path == filepath.Join(data, "blobs") {
			return filepath.SkipDir
		}
		if !d.Type().IsRegular() {
			return nil
		}
		b, err := os.ReadFile(path)
		out = append(out, leaks(filepath.Base(path), b)...)
		return err
	})
	return out, err
}

// recorder keeps the bodies of all answers.
type recorder struct {
	sync.Mutex
	answers bytes.Buffer
}

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(b))
	r.Lock()
	defer r.Unlock()
	r.answers.Write(b)
	return resp, nil
}
