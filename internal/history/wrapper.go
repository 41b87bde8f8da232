package history

import "strings"

// wrappers are commands that run the command in their words. The value lists
// the flags that take a word of their own; skip is how many words of its own
// come before the command.
var wrappers = map[string]struct {
	valued string
	skip   int
}{
	"sudo": {valued: "-u -g -h -p -C -r -t -T -U -D -R --user --group --chdir"}, "doas": {valued: "-u -C"},
	"env": {valued: "-u -C --unset --chdir"}, "exec": {valued: "-a"}, "command": {}, "builtin": {}, "nohup": {},
	"nice": {valued: "-n --adjustment"}, "ionice": {valued: "-c -n -p"}, "eatmydata": {}, "setsid": {}, "stdbuf": {valued: "-i -o -e"},
	"time": {valued: "-f -o"}, "busybox": {}, "tini": {valued: "-e -p"}, "dumb-init": {valued: "-r"}, "linux32": {}, "linux64": {},
	"timeout": {valued: "-s -k --signal --kill-after", skip: 1}, "gosu": {skip: 1}, "su-exec": {skip: 1}, "chroot": {skip: 1},
	"xargs":   {valued: "-n -I -P -L -d -a -s -E --max-args --replace --max-procs --max-lines --delimiter --arg-file --max-chars"},
	"setpriv": {}, "faketime": {skip: 1}, "proxychains": {}, "proxychains4": {}, "unshare": {}, "ld.so": {},
}

// isShell names the programs that run a script given to them.
func isShell(name string) bool {
	switch name {
	case "sh", "bash", "ash", "dash", "ksh", "zsh":
		return true
	}
	return false
}

// unwrap finds what a command runs: the words of another command, or a script.
func unwrap(c Command) (inner []string, script string) {
	switch {
	case isShell(c.Name):
		return nil, afterFlag(c.Args, 'c')
	case c.Name == "su" || c.Name == "runuser":
		return nil, afterFlag(c.Args, 'c')
	case c.Name == "eval":
		return nil, strings.Join(c.Args, " ")
	case c.Name == "find":
		return findExec(c.Args), ""
	case strings.HasPrefix(c.Name, "python"):
		return pythonModule(c.Args), ""
	}
	w, ok := wrappers[c.Name]
	if !ok {
		return nil, ""
	}
	skip := w.skip
	for i := 0; i < len(c.Args); i++ {
		arg := c.Args[i]
		switch {
		case arg == "--":
			continue
		case strings.HasPrefix(arg, "-") && len(arg) > 1:
			if hasWord(w.valued, arg) {
				i++
			}
		case assignment(arg) && (c.Name == "env" || c.Name == "sudo"):
		case skip > 0:
			skip--
		default:
			return c.Args[i:], ""
		}
	}
	return nil, ""
}

func hasWord(list, w string) bool {
	for one := range strings.FieldsSeq(list) {
		if one == w {
			return true
		}
	}
	return false
}

func assignment(s string) bool {
	name, _, ok := strings.Cut(s, "=")
	return ok && name != "" && !strings.ContainsAny(name, "/$-. ")
}

// afterFlag is the word after -c, which may be one of several letters (-exc).
func afterFlag(args []string, letter byte) string {
	for i, a := range args {
		if len(a) > 1 && a[0] == '-' && a[1] != '-' && strings.IndexByte(a, letter) > 0 && i+1 < len(args) {
			return args[i+1]
		}
	}
	return ""
}

// findExec is the command of find's -exec.
func findExec(args []string) []string {
	for i, a := range args {
		switch a {
		case "-exec", "-execdir", "-ok", "-okdir":
			rest := args[i+1:]
			for j, end := range rest {
				if end == ";" || end == "+" {
					return rest[:j]
				}
			}
			return rest
		}
	}
	return nil
}

// pythonModule is the command that "python -m pip …" stands for.
func pythonModule(args []string) []string {
	for i, a := range args {
		if a == "-m" && i+1 < len(args) {
			return args[i+1:]
		}
		if !strings.HasPrefix(a, "-") {
			return nil
		}
	}
	return nil
}
