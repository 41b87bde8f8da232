package child

import (
	"bytes"
	"encoding/json"

	"breakwater"
)

// elementCost is at least what one element of an array of an inventory takes in
// memory, whatever little it takes as JSON: "{}" can be a whole package.
const elementCost = 1 << 10

// fieldCost is at least what one entry of a map takes; fields of a struct are
// counted the same, for a reader of bytes cannot tell.
const fieldCost = 96

// maxNesting is deeper than an inventory nests.
const maxNesting = 32

// decodeFrugal reads one JSON document into v, after it has seen that what it
// becomes in memory is roughly within limit. Decoding first and looking
// afterwards would be too late: three bytes of JSON can ask for hundreds.
func decodeFrugal(raw []byte, v any, limit int64) error {
	if err := checkCost(raw, limit); err != nil {
		return err
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return breakwater.Wrap(breakwater.KindInvalid, err, "it is not the JSON it should be")
	}
	return nil
}

// checkCost counts bytes, and the elements of arrays. It does not judge whether
// raw is JSON: the decoder does.
func checkCost(raw []byte, limit int64) error {
	cost := int64(len(raw))
	var stack [maxNesting]bool // true: an array
	depth := 0
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; c {
		case '"':
			i = endOfString(raw, i+1)
		case '[', '{':
			if depth == maxNesting {
				return breakwater.Errorf(breakwater.KindInvalid, "it nests too deep")
			}
			stack[depth] = c == '['
			depth++
			cost += elementCost
		case ']', '}':
			depth = max(depth-1, 0)
		case ',':
			cost += fieldCost
			if depth > 0 && stack[depth-1] {
				cost += elementCost
			}
		}
		if cost > limit {
			return breakwater.Errorf(breakwater.KindTooLarge, "it would take more than %d bytes in memory", limit)
		}
	}
	return nil
}

// endOfString is where the string that begins before i has its closing quote,
// or the last byte.
func endOfString(raw []byte, i int) int {
	for i < len(raw) {
		n := bytes.IndexAny(raw[i:min(len(raw), i+64)], `"\`)
		switch {
		case n < 0:
			i += 64
		case raw[i+n] == '"':
			return i + n
		default:
			i += n + 2
		}
	}
	return len(raw)
}
