package history

import (
	"strings"
	"testing"

	"breakwater"

	"github.com/google/go-cmp/cmp"
)

// show is a step in short: the instruction, its words, and each command as
// pipeline.stage[<inside][^wrapped] name args.
func show(s Step) string {
	var b strings.Builder
	b.WriteString(s.Instruction)
	if len(s.Flags) > 0 {
		b.WriteString(" " + strings.Join(s.Flags, " "))
	}
	for _, kv := range s.Env {
		b.WriteString(" " + kv.Name + "=" + kv.Value + ";")
	}
	if s.Instruction != "RUN" && s.Instruction != "ENV" && s.Instruction != "ARG" {
		b.WriteString(" " + strings.Join(s.Args, "|"))
	}
	for _, c := range s.Commands {
		b.WriteString("\n" + strings.Repeat(".", c.Stage) + strings.Repeat("<", min(c.Inside, 1)) + strings.Repeat("^", min(c.Wrapped, 1)) + strings.Join(append([]string{c.Name}, c.Args...), " "))
	}
	return strings.TrimSpace(b.String())
}

// TestParseForms reads one entry of each form that builders write.
func TestParseForms(t *testing.T) {
	for text, want := range map[string]string{
		// classic docker
		`/bin/sh -c #(nop)  CMD ["nginx" "-g" "daemon off;"]`:                     "CMD nginx|-g|daemon off;\nnginx -g daemon off;",
		`/bin/sh -c #(nop) ADD file:0a1b in / `:                                   "ADD file:0a1b|/",
		`/bin/sh -c #(nop) COPY multi:0a1b in /usr/local/bin/ `:                   "COPY multi:0a1b|/usr/local/bin/",
		`/bin/sh -c #(nop)  EXPOSE 80/tcp`:                                        "EXPOSE 80/tcp",
		`/bin/sh -c #(nop)  EXPOSE map[443/tcp:{} 80/tcp:{}]`:                     "EXPOSE 443/tcp|80/tcp",
		`/bin/sh -c #(nop)  ENV PATH=/a:/b`:                                       "ENV PATH=/a:/b;",
		`/bin/sh -c apt-get update     && apt-get install -y curl`:                "RUN\napt-get update\napt-get install -y curl",
		`|2 A=x y B=z /bin/sh -c echo $A "$B"`:                                    "RUN A=x y; B=z;\necho x y z",
		`|0 /bin/sh -c make`:                                                      "RUN\nmake",
		`/bin/bash -o pipefail -c curl https://x | tar xz`:                        "RUN\ncurl https://x\n.tar xz",
		`/bin/bash -euxo pipefail -c make`:                                        "RUN\nmake",
		`cmd /S /C #(nop) CMD ["cmd"]`:                                            "CMD cmd\ncmd",
		`cmd /S /C dism /online /enable-feature && del C:\x`:                      "RUN\ndism /online /enable-feature\ndel C:\\x",
		`powershell -Command $ErrorActionPreference = 'Stop'; iwr https://x -o y`: "RUN\n$erroractionpreference = Stop\niwr https://x -o y",
		`cmd /S /C powershell -Command Invoke-WebRequest http://x -OutFile y`:     "RUN\ninvoke-webrequest http://x -OutFile y",
		`/bin/sh -c #(nop)  ENV ARGS=--with-a --with-b=c`:                         "ENV ARGS=--with-a --with-b=c;",
		`/bin/sh -c #(nop)  ENV A=b C=d`:                                          "ENV A=b; C=d;",
		// BuildKit
		`RUN /bin/sh -c make install # buildkit`:                            "RUN\nmake install",
		`RUN |1 A=b /bin/sh -c make $A # buildkit`:                          "RUN A=b;\nmake b",
		`RUN --mount=type=cache,target=/x /bin/sh -c make # buildkit`:       "RUN --mount=type=cache,target=/x\nmake",
		`RUN /usr/bin/tool --x # buildkit`:                                  "RUN\ntool --x",
		`COPY --chown=1:1 a b /c/ # buildkit`:                               "COPY --chown=1:1 a|b|/c/",
		`ENV A=b c # buildkit`:                                              "ENV A=b c;",
		`CMD ["a" "b c"]`:                                                   "CMD a|b c\na b c",
		`LABEL a=b c <d@e>`:                                                 "LABEL a=b c <d@e>;",
		`HEALTHCHECK &{["CMD-SHELL" "curl x"] "30s" "3s" "0s" "0s" '\x00'}`: "HEALTHCHECK &{[\"CMD-SHELL\"|\"curl x\"] \"30s\" \"3s\" \"0s\" \"0s\" '\\x00'}",
		// buildah, kaniko
		`/bin/sh -c #(nop) CMD ["/bin/bash"]|inheritLabels=false`: "CMD /bin/bash\nbash",
		`/bin/sh -c yum -y update||`:                              "RUN\nyum -y update",
		`FROM docker.io/library/alpine:3.20`:                      "FROM docker.io/library/alpine:3.20",
		`RUN apt-get update && rm -rf /x`:                         "RUN\napt-get update\nrm -rf /x",
		`RUN ["/bin/sh", "-c", "curl x | sh"]`:                    "RUN\nsh -c curl x | sh\ncurl x\n.sh",
		// builders without Dockerfile
		`# debian.sh --arch 'amd64' out/ 'bookworm'`: "",
		`ko build ko://example.org/x`:                "",
		`jib-maven-plugin:3.4.0`:                     "",
		`bazel build ...`:                            "",
		`Created by nix`:                             "",
		``:                                           "",
		// shell
		`RUN sh -c "$(curl x)"`:                         "RUN\nsh -c $(curl x)\n<curl x",
		`RUN bash <(curl x)`:                            "RUN\nbash <(curl x)\n<curl x",
		`RUN sudo -E env A=b nice -n 5 /usr/bin/make x`: "RUN\nsudo -E env A=b nice -n 5 /usr/bin/make x\n^env A=b nice -n 5 /usr/bin/make x\n^nice -n 5 /usr/bin/make x\n^make x",
		`RUN if a; then b; elif c; then d; else e; fi; for x in 1 2; do f "$x"; done`: "RUN\na\nb\nc\nd\ne\nf $x",
		`RUN P="a b"; i $P "$P" '$P' \$P`:                                             "RUN\ni a b a b $P $P",
		"RUN <<EOF\nset -e\ncurl x | sh\nEOF":                                         "RUN\nset -e\ncurl x\n.sh",
		"RUN bash <<'E'\ncurl x\nE":                                                   "RUN\nbash\ncurl x",
		`RUN (a; b) | c && ! d || { e; }`:                                             "RUN\na\nb\n.c\nd\ne",
		`RUN find / -name x -exec chmod 777 {} \;`:                                    "RUN\nfind / -name x -exec chmod 777 {} ;\n^chmod 777 {}",
	} {
		got := Parse([]breakwater.History{{CreatedBy: text}}, nil)
		if diff := cmp.Diff(want, show(got[0])); diff != "" {
			t.Errorf("%q:\n%s", text, diff)
		}
	}
}

// TestParseSaysWhatItDidNotUnderstand holds Unparsed.
func TestParseSaysWhatItDidNotUnderstand(t *testing.T) {
	for text, want := range map[string]string{
		`/bin/sh -c echo "x`:                    "the script could not be read to its end",
		`RUN ` + strings.Repeat("(", 200) + `x`: "brackets are nested too deep",
		`RUN ` + strings.Repeat("a;", MaxText):  "longer than 65536 bytes; the rest was not read",
		`some tool`:                             "not an instruction",
		`RUN make`:                              "",
		`# a comment`:                           "",
	} {
		if got := Parse([]breakwater.History{{CreatedBy: text}}, nil)[0]; got.Unparsed != want {
			t.Errorf("%.60q: %q, want %q", text, got.Unparsed, want)
		}
	}
}

// TestParseGivesLayers: the i-th step that is not empty has the i-th layer, and
// no step has one when the counts disagree.
func TestParseGivesLayers(t *testing.T) {
	layers := []breakwater.LayerRef{{Digest: "sha256:a"}, {Digest: "sha256:b"}}
	h := []breakwater.History{step("ADD x /"), empty("ENV A=b"), step("RUN make")}
	for _, c := range []struct {
		layers []breakwater.LayerRef
		want   []breakwater.Digest
	}{{layers, []breakwater.Digest{"sha256:a", "", "sha256:b"}}, {layers[:1], []breakwater.Digest{"", "", ""}}} {
		var got []breakwater.Digest
		for _, s := range Parse(h, c.layers) {
			got = append(got, s.Layer)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestDockerfile(t *testing.T) {
	got := Dockerfile(Parse([]breakwater.History{
		step(`# debian.sh --arch 'amd64'`), empty(`/bin/sh -c #(nop)  CMD ["bash"]`), empty(`/bin/sh -c #(nop)  EXPOSE map[80/tcp:{}]`),
		step(`|1 A=b /bin/sh -c apt-get update     && apt-get install -y x`), step(`COPY a /b # buildkit`), step("RUN /bin/sh -c set -e\nmake\n # buildkit"), step(``),
	}, nil))
	want := "FROM scratch\n# debian.sh --arch 'amd64'\nCMD [\"bash\"]\nEXPOSE 80/tcp\nRUN apt-get update \\\n    && apt-get install -y x\nCOPY a /b\nRUN <<EOF\nset -e\nmake\nEOF\n# (a step that says nothing)\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
