package history

import (
	"strings"
	"testing"
	"time"

	"breakwater"
)

// hostile are entries made to exhaust a parser.
func hostile() []string {
	rep := func(s string, n int) string { return strings.Repeat(s, n) }
	return []string{
		"RUN " + rep("(", 30000), "RUN " + rep("$(", 30000), "RUN " + rep("{ ", 30000), "RUN " + rep("if ", 20000),
		"RUN " + rep("! ", 30000), "RUN [[ " + rep("! ", 30000) + "]]", "RUN ((" + rep("-", 30000) + "1))", "RUN " + rep("${a:-", 10000),
		"RUN " + rep("a|", 30000) + "a", "RUN " + rep("a&&", 20000) + "a", "RUN " + rep("a ", 30000), "RUN " + rep("<<A ", 15000) + rep("\nA", 5000),
		"RUN " + rep("`", 30001), "RUN " + rep("'", 30001), "RUN " + rep("sudo ", 13000), "RUN " + rep("x=$x$x;", 9000) + "echo $x",
		"RUN x=" + rep("a", 4000) + rep(";x=$x$x$x$x", 5000), "RUN " + rep("sh -c 'sh -c \"", 4000), "RUN " + rep("time ", 13000) + "a",
		"|9999 " + rep("A=b ", 15000) + "/bin/sh -c x", "|1 A=" + rep(" /bin/sh -c ", 5000), "CMD [" + rep(`"a" `, 15000) + "]", "CMD " + rep("[", 60000),
		"ENV " + rep("A=b ", 15000), "ENV " + rep(`\`, 60000), "COPY <<A <<B /x\n" + rep("a\n", 30000), "ONBUILD " + rep("ONBUILD ", 8000) + "RUN x",
		"HEALTHCHECK " + rep("--a ", 15000), "cmd /S /C " + rep("a & ", 15000), "powershell -Command " + rep("(", 60000), rep("\x00\xff", 30000),
		"RUN case " + rep("a in b) case ", 4000), "RUN function " + rep("f() ", 10000), "RUN " + rep("a=(", 20000), "RUN " + rep("coproc ", 9000) + "a",
		"RUN " + rep("while ", 10000), "RUN find " + rep("-exec find ", 5000), "RUN $((" + rep("a?", 20000) + "))", "RUN " + rep("<(", 20000),
	}
}

// TestHostileHistory: whatever the entries, the work is bounded: bytes, commands
// and findings. It holds no clock, which says more of the machine than of us;
// the log tells what it took.
func TestHostileHistory(t *testing.T) {
	r := mustRules(t, "")
	var all []breakwater.History
	for range 10 {
		for _, text := range hostile() {
			all = append(all, step(text))
		}
	}
	begin := time.Now()
	steps := Parse(all, nil)
	t.Logf("%d hostile steps parsed in %v", len(all), time.Since(begin))
	commands, refused := 0, 0
	for _, s := range steps {
		commands += len(s.Commands)
		if len(s.Commands) > maxCommands || len(s.Raw) > MaxText+16 {
			t.Errorf("step %d has %d commands and %d bytes", s.Index, len(s.Commands), len(s.Raw))
		}
		if s.Unparsed == tooMuch {
			refused++
		}
	}
	if commands > maxAll+maxCommands || refused == 0 {
		t.Errorf("%d commands; %d steps refused", commands, refused)
	}
	begin = time.Now()
	got := Check(breakwater.Inventory{History: all}, r)
	t.Logf("and checked in %v: %d findings", time.Since(begin), len(got))
	if n := len(Dockerfile(steps)); n > maxDockerfile+2*MaxText {
		t.Errorf("a Dockerfile of %d bytes", n)
	}
}

func FuzzParse(f *testing.F) {
	for _, c := range ruleCases {
		for _, s := range append(c.hit, c.miss...) {
			f.Add(s)
		}
	}
	for _, s := range nginxSteps {
		f.Add(s.CreatedBy)
	}
	r := mustRules(f, "")
	f.Fuzz(func(t *testing.T, text string) {
		h := []breakwater.History{{CreatedBy: text}}
		steps := Parse(h, nil)
		if len(steps) != 1 {
			t.Fatalf("%d steps", len(steps))
		}
		for i, c := range steps[0].Commands {
			if c.Inside > len(steps[0].Commands) || c.Wrapped > i {
				t.Errorf("command %d stands inside %d, wrapped by %d", i+1, c.Inside, c.Wrapped)
			}
		}
		Dockerfile(steps)
		for _, finding := range Check(breakwater.Inventory{History: h}, r) {
			if finding.Rule == "" || len(finding.Current) > maxCurrent || len(finding.Suggest) > maxSuggest {
				t.Errorf("%+v", finding)
			}
		}
	})
}

func FuzzLoadRules(f *testing.F) {
	for _, name := range []string{"rules/secret.yaml", "rules/right.yaml"} {
		b, err := embedded.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add([]byte(strings.ReplaceAll(string(b), "BW-BUILD", "OUR")))
	}
	f.Add([]byte("disable: [BW-BUILD-060]\nseverity: {BW-BUILD-061: critical}"))
	inv := breakwater.Inventory{History: nginxSteps}
	f.Fuzz(func(t *testing.T, own []byte) {
		r, err := LoadRules(own)
		if err != nil {
			if breakwater.KindOf(err) != breakwater.KindInvalid {
				t.Error(err)
			}
			return
		}
		if len(own) < 4096 {
			Check(inv, r)
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	r := mustRules(b, "")
	inv := breakwater.Inventory{History: postgresSteps}
	b.ReportAllocs()
	for b.Loop() {
		Check(inv, r)
	}
}
