package job

// Args is the arguments of one kind of job.
type Args interface {
	Kind() string
	queue() string
	priority() int // 1 first … 4 last
}

// Probe asks a foreign registry whether we may read it.
type Probe struct {
	RegistryID string `json:"registry_id"`
}

// Kind names the job in the database.
func (Probe) Kind() string  { return "probe" }
func (Probe) queue() string { return queueSync }
func (Probe) priority() int { return 1 }

// Sync reads what a foreign registry holds.
type Sync struct {
	RegistryID string `json:"registry_id"`
}

// Kind names the job in the database.
func (Sync) Kind() string  { return "sync" }
func (Sync) queue() string { return queueSync }
func (Sync) priority() int { return 2 }

// Scan looks into one image manifest for one project.
type Scan struct {
	ProjectID string `json:"project_id"`
	Digest    string `json:"digest"`
	// Scope is what to look for, a breakwater.Scope; 0: everything.
	Scope int32 `json:"scope,omitempty"`
	// Background marks a first scan that nobody is waiting for; it yields to others.
	Background bool `json:"-"`
}

// Kind names the job in the database.
func (Scan) Kind() string  { return "scan" }
func (Scan) queue() string { return queueScan }
func (s Scan) priority() int {
	if s.Background {
		return 3
	}
	return 2
}

// Dispatch turns a scan task into Scan jobs, batch by batch, at the task's rate.
type Dispatch struct {
	TaskID string `json:"task_id"`
}

// Kind names the job in the database.
func (Dispatch) Kind() string  { return "dispatch" }
func (Dispatch) queue() string { return queueDefault }
func (Dispatch) priority() int { return 1 }

// Update reads the advisory feeds.
type Update struct{}

// Kind names the job in the database.
func (Update) Kind() string  { return "update_feeds" }
func (Update) queue() string { return queueFeed }
func (Update) priority() int { return 2 }

// Housekeep does what is due: daily syncs and feed updates, garbage collection,
// and lost work found again.
type Housekeep struct{}

// Kind names the job in the database.
func (Housekeep) Kind() string  { return "housekeep" }
func (Housekeep) queue() string { return queueDefault }
func (Housekeep) priority() int { return 2 }

// The queues: a slow registry does not hold up scans, nor a feed import either.
const (
	queueDefault = "default"
	queueScan    = "scan"
	queueSync    = "sync"
	queueFeed    = "feed"
)
