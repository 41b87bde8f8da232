package swr

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"breakwater"
)

// Limits of a filter: the longest that makes sense names every key once.
const (
	maxFilter = 2048
	maxPage   = 1000
)

// filter is the parsed form of filter=key::value|key::value.
type filter map[string]string

// parseFilter reads a filter strictly: only known keys, each once, none empty.
// Errors never repeat what was sent.
func parseFilter(s string, known ...string) (filter, error) {
	if len(s) > maxFilter || !utf8.ValidString(s) {
		return nil, breakwater.Invalid("filter", "must be UTF-8 text of at most %d bytes", maxFilter)
	}
	f := filter{}
	for pair := range strings.SplitSeq(s, "|") {
		key, value, ok := strings.Cut(pair, "::")
		if !ok || value == "" {
			return nil, breakwater.Invalid("filter", "must be key::value pairs joined by |")
		}
		if !slices.Contains(known, key) {
			return nil, breakwater.Invalid("filter", "the keys are %s", strings.Join(known, ", "))
		}
		if _, twice := f[key]; twice {
			return nil, breakwater.Invalid("filter", "%s is given more than once", key)
		}
		f[key] = value
	}
	return f, nil
}

// number is a value that must be a plain number in range; the fallback where it
// was not given.
func (f filter) number(key string, low, high, fallback int) (int, error) {
	s, ok := f[key]
	if !ok {
		return fallback, nil
	}
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil || int(n) < low || int(n) > high {
		return 0, breakwater.Invalid("filter", "%s must be a number from %d to %d", key, low, high)
	}
	return int(n), nil
}

// word is a value that must be one of a few words; empty where it was not given.
func (f filter) word(key string, words ...string) (string, error) {
	s, ok := f[key]
	if ok && !slices.Contains(words, s) {
		return "", breakwater.Invalid("filter", "%s must be one of %s", key, strings.Join(words, ", "))
	}
	return s, nil
}

// paging is the part of a list request that repositories and tags share.
type paging struct {
	limit, offset int
	order         string
	asc           bool
}

// paging reads limit, offset, order_column and order_type; columns are the
// orders that this list knows.
func (f filter) paging(columns ...string) (p paging, err error) {
	if p.limit, err = f.number("limit", 1, maxPage, 100); err != nil {
		return p, err
	}
	if p.offset, err = f.number("offset", 0, 999_999_999, 0); err != nil {
		return p, err
	}
	if p.order, err = f.word("order_column", columns...); err != nil {
		return p, err
	}
	way, err := f.word("order_type", "desc", "asc")
	p.asc = way == "asc"
	return p, err
}
