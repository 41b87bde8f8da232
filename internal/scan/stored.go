package scan

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// maxDecoded bounds each half of a cached entry once decompressed; maxReady the
// files that room is made for on the entry's word, 14 MiB of it.
const (
	maxDecoded = 512 << 20
	maxReady   = 1 << 16
)

// encoder and decoder are for all layers: each has megabytes of its own. What they
// write does not depend on what they wrote before.
var (
	encoder = sync.OnceValues(func() (*zstd.Encoder, error) {
		return zstd.NewWriter(nil, zstd.WithEncoderConcurrency(2), zstd.WithEncoderLevel(zstd.SpeedFastest))
	})
	decoder = sync.OnceValues(func() (*zstd.Decoder, error) {
		return zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(maxDecoded))
	})
)

// Encode is the cached form. Equal facts give equal bytes. What there is one of
// for every file, the names and the list, is most of the facts of an ordinary
// layer, so it is not in the JSON but beside it, as it is used:
//
//	uvarint number of Files · uvarint length of the next
//	zstd of JSON
//	zstd of: uvarint length of the next · names · list of files
func (f *LayerFacts) Encode() ([]byte, error) {
	enc, err := encoder()
	if err != nil {
		return nil, fmt.Errorf("encode facts: %w", err)
	}
	plain, err := json.Marshal(f)
	if err != nil {
		return nil, fmt.Errorf("encode facts: %w", err)
	}
	packed := enc.EncodeAll(plain, nil)
	bulk := make([]byte, 0, len(f.Names)+len(f.List)+binary.MaxVarintLen64)
	bulk = append(appendPart(bulk, f.Names), f.List...)
	out := binary.AppendUvarint(nil, uint64(len(f.Files)))
	return enc.EncodeAll(bulk, appendPart(out, packed)), nil
}

// appendPart adds a part with its length before it.
func appendPart(b, part []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(part))), part...)
}

// cutPart is the part at the beginning of b, and what follows it.
func cutPart(b []byte) (part, rest []byte, ok bool) {
	n, size := binary.Uvarint(b)
	if size <= 0 || n > uint64(len(b)-size) {
		return nil, nil, false
	}
	part, rest = b[size:size+int(n)], b[size+int(n):]
	return part[:n:n], rest, true
}

var (
	errStale   = errors.New("facts of another scanner version")
	errDamaged = errors.New("decode facts: damaged")
)

// Decode reads what Encode wrote. It refuses other versions and what Encode could
// not have written, but for a list of files that is damaged somewhere: that one
// ends there, as whoever goes through it finds out.
func Decode(b []byte, version string) (*LayerFacts, error) {
	dec, err := decoder()
	if err != nil {
		return nil, fmt.Errorf("decode facts: %w", err)
	}
	num, size := binary.Uvarint(b)
	if size <= 0 {
		return nil, errDamaged
	}
	packed, rest, ok := cutPart(b[size:])
	if !ok {
		return nil, errDamaged
	}
	plain, err := dec.DecodeAll(packed, nil)
	if err != nil {
		return nil, fmt.Errorf("decode facts: %w", err)
	}
	// A slice that is large enough is not copied while it grows.
	f := LayerFacts{Files: make([]FileFact, 0, min(num, maxReady))}
	if err := json.Unmarshal(plain, &f); err != nil {
		return nil, fmt.Errorf("decode facts: %w", err)
	}
	if f.Scanner != version {
		return nil, errStale
	}
	if uint64(len(f.Files)) != num || f.Entries < 0 || f.Bytes < 0 || f.Weight < 0 || f.Unnamed < 0 {
		return nil, errDamaged
	}
	if num == 0 {
		f.Files = nil
	}
	bulk, err := dec.DecodeAll(rest, nil)
	if err != nil {
		return nil, fmt.Errorf("decode facts: %w", err)
	}
	names, list, ok := cutPart(bulk)
	if f.Names, f.List = names, list; !ok || !f.Names.valid() {
		return nil, errDamaged
	}
	return &f, nil
}
