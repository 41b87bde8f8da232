package secret

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// TestHostile gives the engine texts made to be slow. The bound is generous: a
// quadratic pass over them takes minutes.
func TestHostile(t *testing.T) {
	size := 128 << 10
	if underRace {
		size = 16 << 10
	}
	r := rand.New(rand.NewPCG(2, 3))
	fill := func(s string) string { return strings.Repeat(s, size/len(s)) }
	texts := map[string]string{
		"names":            fill("key"),
		"names and equals": fill("key="),
		"long values":      "key=" + fill("a1B"),
		"many values":      fill("api_key=abcdefghij0123456789\n"),
		"one line":         fill(`"token":"q8Zk1mVt7xYw3Bn5","secret":"aaaaaaaaaa",`),
		"urls":             fill("a://b:c1d2"),
		"urls and at":      fill("a://b:c1d2@"),
		"key heads":        fill("-----BEGIN PRIVATE KEY-----\n"),
		"key ends":         fill("PRIVATE KEY-----"),
		"curl":             fill("curl "),
		"curl lines":       fill("curl -H\n"),
		"jwt":              fill("eyJhbGciOiJIUzI1NiIsIn.eyJ"),
		"kubernetes":       fill("kind: secret data: "),
		"connections":      fill("Server=a;b=c;"),
		"dots":             fill("fm2_" + strings.Repeat("a", 120)),
		"hexadecimal":      fill("sk0123456789abcdef"),
		"puny":             fill("\u017fecret key=\n"),
		"line feeds":       fill("\n"),
		"zeros":            fill("\x00"),
	}
	var mix strings.Builder
	for mix.Len() < size {
		mix.WriteString([]string{"key", "=", "curl ", "\"", "-u ", "://", "a1b2c3d4e5f6", ":", "@", "KEY-----", " ", "\n", "-----BEGIN"}[r.IntN(13)])
	}
	texts["mixed"] = mix.String()
	for name, text := range texts {
		for _, path := range []string{"a.yaml", "a.sh"} {
			begin, cpu := time.Now(), cpuTime(t)
			finder().Find(path, []byte(text))
			if used := cpuTime(t) - cpu; used > 5*time.Second {
				t.Errorf("%s as %s: %v of processor time, %v", name, path, used, time.Since(begin))
			} else if used > 300*time.Millisecond {
				t.Logf("%s as %s: %v", name, path, used)
			}
		}
	}
}
