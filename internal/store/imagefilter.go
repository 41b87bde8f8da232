package store

import (
	"encoding/json"
	"strings"
	"unicode/utf8"

	"breakwater"

	"github.com/jackc/pgx/v5"
)

// AllEnterpriseProjects is the wire's word for "do not filter by enterprise project".
const AllEnterpriseProjects = "all_granted_eps"

// ImageFilter selects images of one project; the zero value selects all of
// them. Text is compared as a whole, letter by letter. Every condition must hold.
type ImageFilter struct {
	EnterpriseProjectID string  // "" and AllEnterpriseProjects: any
	IDs                 []int64 // nil: any; empty: none
	Namespace           string
	Name                string
	Version             string
	RegistryID          string
	RegistryName        string
	InstanceID          string
	InstanceName        string
	Type                breakwater.ImageType
	// ScanStatus takes the seven words of an answer; failed includes
	// download_failed and image_oversized.
	ScanStatus   breakwater.ScanStatus
	Level        breakwater.Level
	Latest       *bool
	MultiArch    *bool
	HasMalicious *bool
	HasUnsafe    *bool
	HasVul       *bool
	Risky        *bool  // any of the three above
	Size         *int64 // exact bytes
	// Times are milliseconds, both ends included. A time that never came is in no range.
	UpdatedFrom, UpdatedTo *int64
	ScannedFrom, ScannedTo *int64
	SyncedFrom, SyncedTo   *int64
}

// ImagePage is which part of the selected images to answer, and in which order:
// newest update first, or by the time of the last scan (never scanned is oldest).
// The id breaks ties in the same direction.
type ImagePage struct {
	Offset      int
	Limit       int // 0: 10; at most MaxImagePage
	SortScanned bool
	Desc        bool // with SortScanned; the newest scan first
}

// MaxImagePage is the most rows one page holds.
const MaxImagePage = 1000

func (p ImagePage) bounds() (offset, limit int) {
	if p.Limit <= 0 {
		p.Limit = 10
	}
	return max(p.Offset, 0), min(p.Limit, MaxImagePage)
}

func (p ImagePage) orderBy() string {
	switch {
	case !p.SortScanned:
		return "i.updated_ms DESC, i.id DESC"
	case p.Desc:
		return "i.scanned_ms DESC, i.id DESC"
	}
	return "i.scanned_ms, i.id"
}

// condition gathers the parts of a WHERE clause and what is bound to them.
// Nothing of a request ever becomes part of the text.
type condition struct {
	text strings.Builder
	args []any
}

func (c *condition) and(text string, args ...any) {
	if c.text.Len() > 0 {
		c.text.WriteString(" AND ")
	}
	c.text.WriteString(text)
	c.args = append(c.args, args...)
}

// where is the filter as SQL over image i and registry r: the definition of
// what a filter means. The columns in memory (imageindex.go) must agree with it.
func (db *DB) where(projectID string, f ImageFilter) *condition {
	c := &condition{}
	if f.IDs == nil {
		c.and("i.project_id = ?", projectID)
	} else {
		c.and("i.project_id || '' = ?", projectID)
	}
	if f.EnterpriseProjectID == AllEnterpriseProjects {
		f.EnterpriseProjectID = ""
	}
	if f.IDs != nil {
		c.and("i.id "+db.inIDs(), jsonSet(f.IDs))
	}
	for _, text := range []struct{ column, value string }{
		{"i.enterprise_project_id", f.EnterpriseProjectID},
		{"i.namespace", f.Namespace}, {"i.name", f.Name}, {"i.version", f.Version},
		{"i.instance_id", f.InstanceID}, {"i.instance_name", f.InstanceName}, {"i.level", string(f.Level)},
	} {
		c.word(text.column, text.value)
	}
	c.registry(db, f)
	c.status(f.ScanStatus)
	c.flags(f)
	for _, r := range f.ranges() {
		if r.from != nil || r.to != nil {
			c.and(r.column + " > 0")
		}
		if r.from != nil {
			c.and(r.column+" >= ?", *r.from)
		}
		if r.to != nil {
			c.and(r.column+" <= ?", *r.to)
		}
	}
	if f.Size != nil {
		c.and("i.size = ?", *f.Size)
	}
	return c
}

// word is equality of a text, if one is asked for.
func (c *condition) word(column, value string) {
	switch {
	case value == "":
	case !storable(value):
		c.and("1 = 0")
	default:
		c.and(column+" = ?", value)
	}
}

// registry is the conditions on registry r.
func (c *condition) registry(db *DB, f ImageFilter) {
	c.word("r.id", f.RegistryID)
	c.word("r.name", f.RegistryName)
	if f.Type != "" {
		c.and("r.type "+db.inTexts(), jsonSet(registryTypes(f.Type)))
	}
}

func (c *condition) status(s breakwater.ScanStatus) {
	switch s {
	case "":
	case breakwater.ScanDownload:
		c.and("i.scan_status = 'failed' AND i.scan_code = ?", string(breakwater.CodeDownloadFailed))
	case breakwater.ScanOversize:
		c.and("i.scan_status = 'failed' AND i.scan_code = ?", string(breakwater.CodeOverSized))
	case breakwater.ScanNone, breakwater.ScanWaiting, breakwater.ScanRunning, breakwater.ScanSuccess, breakwater.ScanFailed:
		c.and("i.scan_status = ?", string(s))
	default:
		c.and("1 = 0")
	}
}

// storable reports whether both databases can hold s as text; what they cannot
// hold equals nothing that is there.
func storable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsRune(s, 0)
}

func (c *condition) flags(f ImageFilter) {
	for _, flag := range []struct {
		want *bool
		text string
	}{
		{f.Latest, "i.latest"}, {f.MultiArch, "i.multi_arch"},
		{f.HasMalicious, "i.malicious_file_num > 0"}, {f.HasUnsafe, "i.unsafe_setting_num > 0"}, {f.HasVul, "i.vul_num > 0"},
		{f.Risky, "(i.malicious_file_num > 0 OR i.unsafe_setting_num > 0 OR i.vul_num > 0)"},
	} {
		switch {
		case flag.want == nil:
		case *flag.want:
			c.and(flag.text)
		default:
			c.and("NOT (" + flag.text + ")")
		}
	}
}

type timeRange struct {
	column   string
	from, to *int64
}

func (f ImageFilter) ranges() [3]timeRange {
	return [3]timeRange{
		{"i.updated_ms", f.UpdatedFrom, f.UpdatedTo},
		{"i.scanned_ms", f.ScannedFrom, f.ScannedTo},
		{"i.synced_ms", f.SyncedFrom, f.SyncedTo},
	}
}

// registryTypes lists the registry types whose images carry the word t; none
// for a word that no image carries.
func registryTypes(t breakwater.ImageType) []breakwater.RegistryType {
	out := []breakwater.RegistryType{}
	for _, r := range []breakwater.RegistryType{
		breakwater.RegistryHarbor, breakwater.RegistryJfrog, breakwater.RegistrySwrPrivate,
		breakwater.RegistrySwrShared, breakwater.RegistrySwrEnterprise, breakwater.RegistryOther,
	} {
		if r.ImageType() == t {
			out = append(out, r)
		}
	}
	return out
}

// idSet is the text "one of these ids" for one placeholder bound to jsonSet:
// any number of ids in one statement. A twin, because the dialects unfold JSON
// differently.
func (db *DB) idSet() string {
	if db.dialect == PostgreSQL {
		return "(SELECT CAST(jsonb_array_elements_text(CAST(CAST(? AS TEXT) AS JSONB)) AS BIGINT))"
	}
	return "(SELECT value FROM json_each(?))"
}

// inIDs is "IN idSet" as a condition that finds the rows through an index on
// PostgreSQL, too, whatever it believes of the set's size.
func (db *DB) inIDs() string {
	if db.dialect == PostgreSQL {
		return "= ANY (ARRAY" + db.idSet() + ")"
	}
	return "IN " + db.idSet()
}

// idTable is a table m of ids for one placeholder bound to an []int64, on
// PostgreSQL. With planned it is the form for sets that have one id or a hundred
// thousand.
const idTable = `unnest(CAST(? AS BIGINT[])) AS m (id)`

// planned stands before the arguments of a statement that PostgreSQL is to plan
// anew each time, for the set that it gets: few rows are found fastest through
// indexes, many by reading the tables once. A set unfolded from JSON has a hundred
// ids in its eyes, and a prepared statement soon keeps one plan for all sets.
const planned = pgx.QueryExecModeDescribeExec

// inTexts is inIDs for text.
func (db *DB) inTexts() string {
	if db.dialect == PostgreSQL {
		return "= ANY (ARRAY" + db.textSet() + ")"
	}
	return "IN " + db.textSet()
}

// textSet is idSet for text.
func (db *DB) textSet() string {
	if db.dialect == PostgreSQL {
		return "(SELECT jsonb_array_elements_text(CAST(CAST(? AS TEXT) AS JSONB)))"
	}
	return "(SELECT value FROM json_each(?))"
}

// jsonSet is a set as idSet and textSet take it.
func jsonSet[T int64 | ~string](in []T) string {
	if in == nil {
		return "[]"
	}
	b, err := json.Marshal(in)
	if err != nil { // numbers and strings always marshal
		return "[]"
	}
	return string(b)
}

// rowSet is a table of five numbers (c0 to c4) for one placeholder bound to jsonRows.
// All but the first are small: PostgreSQL adds up INTEGER in machine words, BIGINT
// digit by digit.
func (db *DB) rowSet() string {
	if db.dialect == PostgreSQL {
		return `(SELECT CAST(v->>0 AS BIGINT) AS c0, CAST(v->>1 AS INTEGER) AS c1, CAST(v->>2 AS INTEGER) AS c2, CAST(v->>3 AS INTEGER) AS c3, CAST(v->>4 AS INTEGER) AS c4
			FROM jsonb_array_elements(CAST(CAST(? AS TEXT) AS JSONB)) AS t (v))`
	}
	return `(SELECT value->>0 AS c0, value->>1 AS c1, value->>2 AS c2, value->>3 AS c3, value->>4 AS c4 FROM json_each(?))`
}

// jsonRows is rows as rowSet takes them.
func jsonRows(in [][5]int64) string {
	b, err := json.Marshal(in)
	if err != nil { // numbers always marshal
		return "[]"
	}
	return string(b)
}
