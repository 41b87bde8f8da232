package report

import (
	"io"
	"testing"
)

// BenchmarkWrite writes a report of 10,000 vulnerabilities in 1,000 packages.
func BenchmarkWrite(b *testing.B) {
	r := huge(10_000)
	for _, format := range Formats() {
		b.Run(format, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var n counter
				if err := Write(&n, format, r, Options{}); err != nil {
					b.Fatal(err)
				}
				b.SetBytes(int64(n))
			}
		})
	}
}

type counter int64

func (c *counter) Write(p []byte) (int, error) { *c += counter(len(p)); return len(p), nil }

var _ io.Writer = (*counter)(nil)
