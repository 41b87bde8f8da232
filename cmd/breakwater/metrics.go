package main

import (
	"net/http"
	"strconv"
	"time"

	"breakwater"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics is what /metrics shows.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
	scans    *prometheus.HistogramVec
	read     prometheus.Counter
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "breakwater_http_request_seconds", Help: "Time to answer a request, by door, operation and status.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10, 60},
		}, []string{"door", "operation", "status"}),
		scans: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "breakwater_scan_seconds", Help: "Time of one scan, by how it ended (success or the scan code).",
			Buckets: []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800},
		}, []string{"result"}),
		read: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "breakwater_scan_read_bytes_total", Help: "Compressed bytes that scans read from registries.",
		}),
	}
	m.registry.MustRegister(m.requests, m.scans, m.read, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	build := prometheus.NewGauge(prometheus.GaugeOpts{Name: "breakwater_build_info", Help: "Always 1; the version is the label.",
		ConstLabels: prometheus.Labels{"version": version}})
	build.Set(1)
	m.registry.MustRegister(build)
	return m
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// observe is the hook of a door.
func (m *metrics) observe(door string) func(operation string, status int, took time.Duration) {
	return func(operation string, status int, took time.Duration) {
		m.requests.WithLabelValues(door, operation, strconv.Itoa(status)).Observe(took.Seconds())
	}
}

func (m *metrics) scanned(code breakwater.ScanCode, took time.Duration, bytes int64) {
	result := string(code)
	if result == "" {
		result = "success"
	}
	m.scans.WithLabelValues(result).Observe(took.Seconds())
	m.read.Add(float64(bytes))
}
