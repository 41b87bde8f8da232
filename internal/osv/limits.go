package osv

// Limits bounds what a feed may cost. A zero field means its default.
type Limits struct {
	Download int64 // bytes of one fetched file; default 2 GiB
	Entries  int   // files in a zip; default 2,000,000
	Entry    int64 // bytes of one record, or of a KEV list, unpacked; default 32 MiB
	Total    int64 // bytes of all records of a zip, or of EPSS, unpacked; default 32 GiB
	Ratio    int64 // unpacked bytes for one packed byte, counted above 1 MiB; default 500
}

func (l Limits) withDefaults() Limits {
	if l.Download == 0 {
		l.Download = 2 << 30
	}
	if l.Entries == 0 {
		l.Entries = 2_000_000
	}
	if l.Entry == 0 {
		l.Entry = 32 << 20
	}
	if l.Total == 0 {
		l.Total = 32 << 30
	}
	if l.Ratio == 0 {
		l.Ratio = 500
	}
	return l
}

// Bounds of the fields of a record. Versions longer than this are nobody's.
const (
	maxID      = 128
	maxName    = 512
	maxVersion = 256
	maxSummary = 512
	maxURL     = 1024
	maxIDs     = 10_000 // aliases, or upstream ids, of one record
)
