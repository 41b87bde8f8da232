package detect_test

import (
	"strings"
	"testing"

	"breakwater"
	"breakwater/internal/detect"
)

func TestKind(t *testing.T) {
	for _, tt := range []struct {
		head string
		want breakwater.FileKind
	}{
		{"", breakwater.FileEmpty},
		{"\x7fELF\x02\x01\x01\x00", breakwater.FileELF},
		{"MZ\x90\x00\x03\x00\x00\x00", breakwater.FilePE},
		{"MZ is how this letter begins\n", breakwater.FileText},
		{"\xcf\xfa\xed\xfe\x07\x00", breakwater.FileMachO},
		{"#!/bin/sh\necho\n", breakwater.FileScript},
		{"#!\x00\x01\x02", breakwater.FileData},
		{"PK\x03\x04\x14\x00", breakwater.FileArchive},
		{strings.Repeat("a", 100) + strings.Repeat("\x00", 157) + "ustar\x0000", breakwater.FileArchive},
		{"\x89PNG\r\n\x1a\n\x00", breakwater.FileMedia},
		{"key = value\n", breakwater.FileText},
		{"na\xefve caf\xe9 in Latin-1\n", breakwater.FileText},
		{"Grüße, 世界\n", breakwater.FileText},
		{"\xff\xfeh\x00i\x00", breakwater.FileText},
		{"\x00\x01\x02\x03", breakwater.FileData},
		{strings.Repeat("a", detect.KindBytes-1) + "世", breakwater.FileText},
	} {
		if got := detect.Kind([]byte(tt.head), int64(len(tt.head))); got != tt.want {
			t.Errorf("%.20q: %s, want %s", tt.head, got, tt.want)
		}
	}
}
