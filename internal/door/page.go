package door

import (
	"fmt"
	"net/http"
	"reflect"
)

// Page is an Out for the lists of SWR that answer a bare array and say in
// Content-Range which part of the whole it is.
type Page[T any] struct {
	Rows   []T
	Offset int // where the first row stands
	Total  int // rows in all
}

// MarshalJSON writes the rows; the rest is in the header.
func (p Page[T]) MarshalJSON() ([]byte, error) { return encode(p.Rows) }

// SetHeaders sets Content-Range: start-count/total, where count is the number
// of rows on this page and not the place of the last one.
func (p Page[T]) SetHeaders(h http.Header) {
	h.Set("Content-Range", fmt.Sprintf("%d-%d/%d", p.Offset, len(p.Rows), p.Total))
}

func (p Page[T]) rows() reflect.Type { return reflect.TypeFor[[]T]() }

// paged lets CheckTypes see the array that a Page is on the wire.
type paged interface{ rows() reflect.Type }
