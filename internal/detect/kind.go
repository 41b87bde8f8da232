package detect

import (
	"bytes"
	"unicode/utf8"

	"breakwater"
)

// KindBytes is how much of a file Kind looks at.
const KindBytes = 1024

// Kind says what a file is by its first bytes, at most KindBytes; size is the
// whole file's. Text is valid UTF-8 (or has the mark of UTF-16) without control
// characters that no text has.
func Kind(head []byte, size int64) breakwater.FileKind {
	if size == 0 || len(head) == 0 {
		return breakwater.FileEmpty
	}
	head = head[:min(len(head), KindBytes)]
	switch {
	case bytes.HasPrefix(head, []byte("\x7fELF")):
		return breakwater.FileELF
	case isBinary(head):
		if head[0] == 'M' {
			if isText(head) {
				break // a text that begins with MZ
			}
			return breakwater.FilePE
		}
		return breakwater.FileMachO
	}
	for _, m := range magics {
		if bytes.HasPrefix(head[min(m.at, len(head)):], m.bytes) {
			return m.kind
		}
	}
	switch {
	case bytes.HasPrefix(head, []byte("#!")) && isText(head):
		return breakwater.FileScript
	case isText(head):
		return breakwater.FileText
	}
	return breakwater.FileData
}

// magic is the mark of one format.
type magic struct {
	at    int
	bytes []byte
	kind  breakwater.FileKind
}

// magics are the marks, as each format's own specification gives them.
var magics = func() (list []magic) {
	add := func(kind breakwater.FileKind, at int, marks ...string) {
		for _, m := range marks {
			list = append(list, magic{at, []byte(m), kind})
		}
	}
	add(breakwater.FileArchive, 0, "PK\x03\x04", "PK\x05\x06", "PK\x07\x08", "\x1f\x8b", "BZh", "\xfd7zXZ\x00", "\x28\xb5\x2f\xfd",
		"7z\xbc\xaf\x27\x1c", "Rar!\x1a\x07", "!<arch>\n", "070701", "070702", "070707", "\xed\xab\xee\xdb", "MSCF", "\x60\xea", "\x04\x22\x4d\x18", "LZIP", "\x5d\x00\x00")
	add(breakwater.FileArchive, 257, "ustar")
	add(breakwater.FileMedia, 0, "\x89PNG\r\n\x1a\n", "\xff\xd8\xff", "GIF87a", "GIF89a", "RIFF", "OggS", "fLaC", "ID3", "\x00\x00\x01\x00",
		"II*\x00", "MM\x00*", "wOFF", "wOF2", "\x00\x01\x00\x00\x00", "OTTO", "true\x00", "ttcf", "\x1a\x45\xdf\xa3", "8BPS")
	add(breakwater.FileMedia, 4, "ftyp")
	return list
}()

// isText reports whether the bytes are text, the last rune perhaps cut off.
func isText(b []byte) bool {
	if bytes.HasPrefix(b, []byte("\xff\xfe")) || bytes.HasPrefix(b, []byte("\xfe\xff")) {
		return true // UTF-16
	}
	for len(b) > 0 {
		if c := b[0]; c < utf8.RuneSelf {
			if c < ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != '\v' && c != 0x1b && c != '\b' {
				return false
			}
			b = b[1:]
			continue
		}
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			// Latin-1 text is text too: a letter of it stands between other text.
			if len(b) >= utf8.UTFMax && (b[0] < 0xa0 || b[1] < ' ' && b[1] != '\n' && b[1] != '\r' && b[1] != '\t') {
				return false
			}
		}
		b = b[n:]
	}
	return true
}
