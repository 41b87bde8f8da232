package audit

// groups say what each group of baseline rules is about.
var groups = map[string]string{
	"Accounts":   "Accounts, their identifiers, shells and home directories",
	"Apache":     "Configuration of the Apache HTTP server",
	"Cron":       "Scheduled jobs and who may change them",
	"Docker":     "Configuration of a container engine inside the image",
	"Files":      "Permissions of files and directories, programs that change identity",
	"Image":      "How the image itself is configured to run",
	"Kernel":     "Kernel and network parameters that the image sets",
	"Login":      "Defaults for passwords, sessions and new accounts",
	"MongoDB":    "Configuration of MongoDB",
	"MySQL":      "Configuration of MySQL and MariaDB",
	"Nginx":      "Configuration of nginx",
	"PAM":        "Authentication modules: password quality, lockout, su",
	"PHP":        "Configuration of PHP and its process manager",
	"PostgreSQL": "Configuration and client authentication of PostgreSQL",
	"Redis":      "Configuration of Redis",
	"SSH":        "Configuration of the SSH server",
	"Sudo":       "Who may act as whom",
	"Tomcat":     "Configuration of Apache Tomcat",
}

// GroupDescription says what a group of baseline rules is about; the group's own
// name for one that the operator made.
func GroupDescription(group string) string {
	if text := groups[group]; text != "" {
		return text
	}
	return group
}
