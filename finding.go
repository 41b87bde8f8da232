package breakwater

// Rule is what every rule of our own says about itself, whatever the check: the
// part that people read. Rules are data (rules/ in the repository, embedded).
type Rule struct {
	ID          string   `json:"id"`
	Title       string   `json:"title"`
	Description string   `json:"description,omitempty"`
	Severity    Severity `json:"severity"`
	Remediation string   `json:"remediation,omitempty"`
	Reference   string   `json:"reference,omitempty"` // where the rule comes from: a standard and its number, or a URL
}

// Finding is one thing that a rule of ours says of an image: a malicious file, a
// secret, a failed baseline rule, a weak password, software that is not
// compliant, a risky build command. What advisories say of packages is a
// Vulnerability.
type Finding struct {
	Check    Check    `json:"check"`
	Rule     string   `json:"rule"`
	Title    string   `json:"title"`
	Severity Severity `json:"severity"`
	// Path is the file (without a leading slash), or what stands for one: an
	// environment variable, a label, a step of the history. See Where.
	Path  string `json:"path,omitempty"`
	Where Where  `json:"where,omitempty"` // empty: a file
	Line  int    `json:"line,omitempty"`  // from 1; 0: no line
	Layer Digest `json:"layer,omitempty"`
	// Deleted is the later layer that deletes or replaces the file: it is not in
	// the running container and can still be pulled out of the image.
	Deleted Digest `json:"deleted,omitempty"`
	// Subject is whom or what it is about: an account, a package, an instruction.
	Subject string `json:"subject,omitempty"`
	Version string `json:"version,omitempty"` // of the package
	SHA256  string `json:"sha256,omitempty"`  // of the malicious file, hex
	Size    int64  `json:"size,omitempty"`
	Engine  string `json:"engine,omitempty"` // what found a malicious file: hash, signature, clamd
	// Service and Millis are of a weak password: whose account it is, and the CPU
	// time that guessing it took.
	Service string `json:"service,omitempty"`
	Millis  int64  `json:"millis,omitempty"`
	// Current is what the image has, with any secret value masked; Suggest is
	// what it should have.
	Current string `json:"current,omitempty"`
	Suggest string `json:"suggest,omitempty"`
	// Description and Remediation say why and what to do, where they are about
	// this one finding rather than about its rule.
	Description string `json:"description,omitempty"`
	Remediation string `json:"remediation,omitempty"`
}

// Where is the part of an image that a finding lies in.
type Where string

// The parts of an image; a file when empty.
const (
	WhereFile    Where = ""
	WhereEnv     Where = "env"
	WhereLabel   Where = "label"
	WhereHistory Where = "history"
	WhereConfig  Where = "config" // the image's own configuration: user, entrypoint
)

// Secret is a credential that was seen. Its value is never kept: Masked has at
// most its first and last characters.
type Secret struct {
	Rule     string   `json:"rule"`
	Title    string   `json:"title"`
	Severity Severity `json:"severity"`
	Where    Where    `json:"where,omitempty"`
	Path     string   `json:"path"`
	Line     int      `json:"line"` // from 1
	Column   int      `json:"column,omitempty"`
	Masked   string   `json:"masked"`
	Layer    Digest   `json:"layer,omitempty"`
	Deleted  Digest   `json:"deleted,omitempty"`
}

// Malware is a malicious file that was seen.
type Malware struct {
	Rule        string   `json:"rule"` // the rule's id, or the signature's name
	Title       string   `json:"title"`
	Description string   `json:"description,omitempty"`
	Severity    Severity `json:"severity"`
	Engine      string   `json:"engine"` // hash, signature, clamd
	Path        string   `json:"path"`
	Inside      string   `json:"inside,omitempty"` // the member, when Path is an archive
	SHA256      string   `json:"sha256"`           // of the file at Path, hex
	Size        int64    `json:"size"`
	Layer       Digest   `json:"layer,omitempty"`
	Deleted     Digest   `json:"deleted,omitempty"`
}

// ConfigFile is what one configuration file says, directive by directive, with
// the value of every password left out. Rules are held against it, and again
// when they change, without the file.
type ConfigFile struct {
	Kind    string        `json:"kind"` // sshd, login.defs, pam, passwd, shadow, nginx …
	Path    string        `json:"path"`
	Layer   Digest        `json:"layer,omitempty"`
	Mode    uint32        `json:"mode"` // permission bits with setuid, setgid and sticky as in chmod(1): 07777
	UID     int           `json:"uid,omitempty"`
	GID     int           `json:"gid,omitempty"`
	Entries []ConfigEntry `json:"entries,omitempty"`
	// Accounts are the lines of a passwd, shadow or group file.
	Accounts []Account `json:"accounts,omitempty"`
	// Weak are the passwords in it that were guessed; Untried says why some were
	// not tried (the budget was spent, an unknown hash).
	Weak    []WeakPassword `json:"weak,omitempty"`
	Untried string         `json:"untried,omitempty"`
	// Cut says that the file was longer than is read.
	Cut bool `json:"cut,omitempty"`
}

// ConfigEntry is one directive.
type ConfigEntry struct {
	// Section is the block that it stands in, outermost first, joined by "/":
	// "mysqld", "http/server/location /admin", "Match User root".
	Section string `json:"section,omitempty"`
	Key     string `json:"key"`
	Value   string `json:"value,omitempty"` // "***" when Secret and not empty
	Line    int    `json:"line"`
	Secret  bool   `json:"secret,omitempty"` // a password, a key: the value was left out
}

// Account is one account as passwd and shadow, or a service's own user file, list it.
type Account struct {
	Name  string `json:"name"`
	UID   int    `json:"uid"` // -1: the file does not say
	GID   int    `json:"gid"` // -1: the file does not say
	Home  string `json:"home,omitempty"`
	Shell string `json:"shell,omitempty"`
	// Password is none (another file has it), empty, locked, or hash.
	Password string `json:"password,omitempty"`
	Scheme   string `json:"scheme,omitempty"` // of a hash: yescrypt, sha512crypt …
	// The ageing fields of shadow(5), in days; -1: not set.
	MinDays int `json:"min_days,omitempty"`
	MaxDays int `json:"max_days,omitempty"`
	Line    int `json:"line"`
	// Members of a group line.
	Members []string `json:"members,omitempty"`
}

// WeakPassword is a password that was guessed.
type WeakPassword struct {
	Service string `json:"service"` // system, mysql, redis …
	User    string `json:"user"`
	Path    string `json:"path"`
	Line    int    `json:"line"`
	Layer   Digest `json:"layer,omitempty"`
	Scheme  string `json:"scheme"` // yescrypt, sha512crypt, …, plain, none
	Reason  string `json:"reason"` // empty, account_name, built_in_list, own_list
	Masked  string `json:"masked"`
	Micros  int64  `json:"micros,omitempty"` // CPU time that it took, in microseconds
}

// Notable is an entry whose permissions matter: setuid, setgid, writable by
// everybody, a device.
type Notable struct {
	Path  string `json:"path"`
	Kind  string `json:"kind"` // file, dir, device
	Mode  uint32 `json:"mode"` // as in chmod(1): 07777
	UID   int    `json:"uid,omitempty"`
	GID   int    `json:"gid,omitempty"`
	Layer Digest `json:"layer,omitempty"`
}

// Setup is what the image's configuration says of how it runs (OCI config.md,
// "config"). Values that look like credentials are masked.
type Setup struct {
	User       string            `json:"user,omitempty"`
	Env        []string          `json:"env,omitempty"` // NAME=value
	Labels     map[string]string `json:"labels,omitempty"`
	Ports      []string          `json:"ports,omitempty"` // "8080/tcp"
	Volumes    []string          `json:"volumes,omitempty"`
	Entrypoint []string          `json:"entrypoint,omitempty"`
	Cmd        []string          `json:"cmd,omitempty"`
	WorkingDir string            `json:"working_dir,omitempty"`
	StopSignal string            `json:"stop_signal,omitempty"`
	Health     bool              `json:"health,omitempty"` // a health check is set
}

// BaselineResult is what one baseline rule says of one image.
type BaselineResult struct {
	Rule   string      `json:"rule"`
	Passed bool        `json:"passed"`
	Cases  []CheckCase `json:"cases,omitempty"` // what was compared; of a failed rule at least one
}

// CheckCase is one comparison that a baseline rule made.
type CheckCase struct {
	Description string `json:"description"`
	Current     string `json:"current"`
	Suggest     string `json:"suggest"`
	Path        string `json:"path,omitempty"`
	Line        int    `json:"line,omitempty"`
	Layer       Digest `json:"layer,omitempty"`
	Failed      bool   `json:"failed"`
}

// PasswordPolicy is what the image's PAM and login.defs demand of a new
// password; true means that the demand is made.
type PasswordPolicy struct {
	Present   bool   `json:"present"` // the image has files that could make a demand
	MinLength bool   `json:"min_length"`
	Upper     bool   `json:"upper"`
	Lower     bool   `json:"lower"`
	Digit     bool   `json:"digit"`
	Special   bool   `json:"special"`
	Suggest   string `json:"suggest,omitempty"`
}
