package secret

import "testing"

func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	begin := cpuTime(b)
	for b.Loop() {
		if _, err := New(Options{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric((cpuTime(b)-begin).Seconds()*1000/float64(b.N), "cpu-ms/op")
}
