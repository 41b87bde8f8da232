package osv

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"
	"time"

	"breakwater"
)

// Likelihoods reads EPSS as FIRST publishes it: gzip, a comment line with the
// day it was computed for, the header "cve,epss,percentile", one line a CVE. An
// error ends the sequence and means that the dump must not be used.
func (d *Dump) Likelihoods(ctx context.Context, report *Report) iter.Seq2[breakwater.Likelihood, error] {
	return func(yield func(breakwater.Likelihood, error) bool) {
		in, err := d.reader()
		if err != nil {
			yield(breakwater.Likelihood{}, d.wrap(err))
			return
		}
		defer func() { _ = in.Close() }()
		plain := io.Reader(in)
		if d.starts == nil {
			z, err := gzip.NewReader(bufio.NewReader(in))
			if err != nil {
				yield(breakwater.Likelihood{}, d.wrap(errors.New("not a gzip file")))
				return
			}
			plain = z
		}
		for l, err := range parseEPSS(plain, d.limits.Total, report) {
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				yield(breakwater.Likelihood{}, d.wrap(err))
				return
			}
			if !yield(l, nil) {
				return
			}
		}
	}
}

func parseEPSS(r io.Reader, limit int64, report *Report) iter.Seq2[breakwater.Likelihood, error] {
	return func(yield func(breakwater.Likelihood, error) bool) {
		counted := &io.LimitedReader{R: r, N: limit}
		lines := bufio.NewScanner(counted)
		lines.Buffer(make([]byte, 4096), 4096)
		header := false
		for n := 1; lines.Scan(); n++ {
			line := strings.TrimSpace(lines.Text())
			switch {
			case line == "":
			case strings.HasPrefix(line, "#"):
				report.Newest = scoreDate(line)
			case !header:
				if header = line == "cve,epss,percentile"; !header {
					yield(breakwater.Likelihood{}, errors.New("not an EPSS file: its header is missing"))
					return
				}
			default:
				l, err := parseLikelihood(line)
				if err != nil {
					report.broken(fmt.Sprintf("line %d", n), err)
					continue
				}
				report.Records++
				if !yield(l, nil) {
					return
				}
			}
		}
		err := lines.Err()
		if err == nil && counted.N <= 0 {
			err = errors.New("the file unpacks to more than the limit")
		}
		if err == nil {
			err = report.verdict()
		}
		if err != nil {
			yield(breakwater.Likelihood{}, err)
		}
	}
}

// scoreDate finds score_date:… in "#model_version:…,score_date:…"; the zero
// time when it is missing.
func scoreDate(line string) time.Time {
	_, rest, _ := strings.Cut(line, "score_date:")
	rest, _, _ = strings.Cut(rest, ",")
	for _, layout := range []string{"2006-01-02T15:04:05-0700", time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, rest); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

func parseLikelihood(line string) (breakwater.Likelihood, error) {
	cve, rest, _ := strings.Cut(line, ",")
	score, percentile, _ := strings.Cut(rest, ",")
	s, err1 := strconv.ParseFloat(score, 64)
	p, err2 := strconv.ParseFloat(percentile, 64)
	if !breakwater.IsCVE(cve) || err1 != nil || err2 != nil || !(s >= 0 && s <= 1) || !(p >= 0 && p <= 1) {
		return breakwater.Likelihood{}, errors.New("not cve,epss,percentile")
	}
	return breakwater.Likelihood{CVE: cve, Score: s, Percentile: p}, nil
}
