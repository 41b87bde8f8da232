package secret

import (
	"strings"
	"testing"

	"breakwater"
)

func FuzzFind(f *testing.F) {
	f.Add("a.env", []byte("DB_PASSWORD=hunter2\nghp_0123456789abcdefghijABCDEFGHIJ012345"))
	f.Add("x.yaml", []byte("kind: Secret\ndata:\n  a: YWJjZGVmZ2hpamtsbW5v\n"))
	f.Add("a", []byte("-----BEGIN PRIVATE KEY-----\n\xff\u212aKEY-----"))
	f.Fuzz(func(t *testing.T, path string, text []byte) {
		if len(text) > 1<<14 {
			return
		}
		compare(t, path, string(text))
		for _, s := range finder().Find(path, text) {
			if strings.ContainsAny(s.Masked, "\n\r") || s.Line < 1 || s.Column < 1 {
				t.Fatalf("%+v", s)
			}
		}
	})
}

func FuzzRedact(f *testing.F) {
	f.Add("env", "DB_PASSWORD", "hunter2hunter2")
	f.Add("history", "", "RUN curl -u \"admin:Zu5ammenHalt\" http://x\necho root:abc | chpasswd")
	f.Add("label", "x", "postgres://a:bcdefghijklmnop@c ghp_0123456789abcdefghijABCDEFGHIJ012345")
	f.Fuzz(func(t *testing.T, where, name, value string) {
		if len(value)+len(name) > 1<<14 {
			return
		}
		masked, found := finder().Redactor().Text(breakwater.Where(where), name, value)
		if len(found) == 0 && masked != value {
			t.Fatalf("%q became %q and nothing was found", value, masked)
		}
	})
}

func FuzzRules(f *testing.F) {
	f.Add([]byte("[[rules]]\nid='a'\nregex='''(?i)key[a-z]{3,}'''\nkeywords=['key']"), []byte("KEYabcdef"))
	f.Add([]byte("[allowlist]\npaths=['a']\n[[rules]]\nid='b'\npath='x'"), []byte(""))
	f.Fuzz(func(t *testing.T, rules, text []byte) {
		if len(rules) > 1<<12 || len(text) > 1<<12 {
			return
		}
		rs := &ruleset{}
		if err := rs.readRules(rules); err != nil {
			if breakwater.KindOf(err) != breakwater.KindInvalid {
				t.Fatal(err)
			}
			return
		}
		rs.describe()
		e, err := newEngine(rs)
		if err != nil {
			return
		}
		// The windows must find what the whole text gives.
		got := e.scan("a", text)
		for _, r := range rs.rules {
			r.alts, r.sure, r.slow = nil, false, len(r.keywords) > 0
		}
		whole, err := wholeEngine(rs)
		if err != nil {
			t.Fatal(err)
		}
		if want := whole.scan("a", text); len(want) != len(got) {
			t.Fatalf("%d findings in windows, %d in the whole text", len(got), len(want))
		}
	})
}

// wholeEngine runs every expression on the whole text.
func wholeEngine(rs *ruleset) (*engine, error) {
	e, err := newEngine(rs)
	if err != nil {
		return nil, err
	}
	e.always = nil
	for i, r := range e.rules {
		r.alts, r.sure, r.slow = nil, false, len(r.keywords) > 0
		e.always = append(e.always, i)
	}
	for i := range e.refs {
		e.refs[i] = e.refs[i][:0]
	}
	return e, nil
}
