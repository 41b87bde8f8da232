package history

import (
	"regexp"
	"slices"
	"strings"
)

// operandChecks are what a rule can say of the words after a subcommand that no
// pattern can: which of them are packages, and which of those name a version.
// Each answers the first word that it means.
var operandChecks = map[string]func(s *Step, c *Command, rest []string) (string, bool){
	"unpinned-deb":   unpinned("-t -c -o -a --target-release --option --config-file", `=|/|\.deb$|[-+]$`),
	"unpinned-apk":   unpinned("-t -p -X --virtual --root --repository --keys-dir --cache-dir", `[=<>~]|\.apk$|/|^\.`),
	"unpinned-rpm":   unpinned("-c -x --setopt --repo --repoid --enablerepo --disablerepo --installroot --releasever --exclude -r --from", `-\d|[=<>]|/|\.rpm$|^@`),
	"unpinned-pip":   unpinned("-r -c -e -i -t -f --requirement --constraint --editable --index-url --extra-index-url --target --prefix --find-links --trusted-host --cache-dir --root --proxy --python --config-settings --global-option --progress-bar --retries --timeout", `[=<>~!]|@|^\.|/|\.(whl|zip|tar\.gz)$`),
	"unpinned-npm":   unpinned("--prefix --registry --cache --omit --loglevel", `.@(\d|\^|~|v\d|[<>=])|^\.|^/|\.tgz$|^(https?|git)[:+]|^[^@]+/`),
	"unpinned-gem":   unpinned("-v --version -i --install-dir -n --bindir -s --source -p --http-proxy", `:\d|\.gem$|/`),
	"unpinned-cargo": unpinned("--version --vers --git --branch --tag --rev --path --root --features --target", `@\d`),
	"insecure-url":   insecureURL,
	"open-mode":      openMode,
}

// unpinned makes the check that finds the first package without a version.
// valued lists the flags that take a word of their own; pinned matches words
// that have a version, or are files.
func unpinned(valued, pinned string) func(*Step, *Command, []string) (string, bool) {
	re := regexp.MustCompile(pinned)
	return func(s *Step, _ *Command, rest []string) (string, bool) {
		removed, all := removals(s)
		if all {
			return "", false
		}
		for i := 0; i < len(rest); i++ {
			w := rest[i]
			if strings.HasPrefix(w, "-") {
				if hasWord(valued, w) {
					i++
				}
				continue
			}
			if w == "" || strings.ContainsAny(w, "$`*(){}\\") || re.MatchString(w) || slices.Contains(removed, w) {
				continue
			}
			return w, true
		}
		return "", false
	}
}

// removals lists the packages that the step removes again: they are not in the
// image, so that their version does not matter. all: it removes whatever it
// installed (the apt-mark auto of official images).
func removals(s *Step) (names []string, all bool) {
	for i := range s.Commands {
		c := &s.Commands[i]
		switch c.Name {
		case "apt-mark":
			if rest, ok := subcommand(c.Args, []string{"auto"}); ok && slices.ContainsFunc(rest, func(w string) bool { return strings.Contains(w, "*") }) {
				return nil, true
			}
		case "apt-get", "apt", "apk", "yum", "dnf", "microdnf", "tdnf", "zypper":
			if rest, ok := subcommand(c.Args, []string{"remove", "purge", "autoremove", "del", "erase"}); ok {
				names = append(names, rest...)
			}
		}
	}
	return names, false
}

var (
	plainURL = regexp.MustCompile(`(?i)(?:^|[\s"'=(@+])((?:http|ftp)://[^\s"')]+)`)
	localURL = regexp.MustCompile(`(?i)^\w+://(?:[^@/]*@)?(?:localhost|127\.|\[::1\]|0\.0\.0\.0|host\.docker\.internal|169\.254\.)`)
)

// insecureURL finds a word that is fetched without encryption. Proxies and
// addresses of this machine are none.
func insecureURL(_ *Step, c *Command, rest []string) (string, bool) {
	for i, w := range rest {
		if i > 0 && (rest[i-1] == "-x" || rest[i-1] == "--proxy" || rest[i-1] == "-e" || rest[i-1] == "-H") && (c.Name == "curl" || c.Name == "wget") {
			continue
		}
		if strings.HasPrefix(w, "--proxy=") {
			continue
		}
		if m := plainURL.FindStringSubmatch(w); m != nil && !localURL.MatchString(m[1]) {
			return w, true
		}
	}
	return "", false
}

var (
	octalOpen    = regexp.MustCompile(`^=?0?[0246]?[0-7][0-7][2367]$`) // others may write, and no sticky bit
	symbolicOpen = regexp.MustCompile(`^(?:[ugo]*[oa][ugo]*|)[+=][rxXst]*w[rwxXst]*$`)
)

// openMode finds a mode of chmod that lets everybody write. With the sticky bit
// (1777, as /tmp has) nobody can replace another's files, and it is none. A
// mode of no letters (+w) is cut by the umask, and is none either.
func openMode(_ *Step, _ *Command, rest []string) (string, bool) {
	for _, w := range rest {
		if strings.HasPrefix(w, "--reference") {
			return "", false
		}
		if strings.HasPrefix(w, "-") {
			continue
		}
		if octalOpen.MatchString(w) {
			return w, true
		}
		for one := range strings.SplitSeq(w, ",") {
			if symbolicOpen.MatchString(one) && !strings.HasPrefix(one, "+") && !strings.HasPrefix(one, "=") {
				return w, !strings.Contains(w, "t")
			}
		}
		return "", false // the first word is the mode
	}
	return "", false
}
