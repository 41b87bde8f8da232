package password

import (
	"bytes"
	"context"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/scrypt"
)

func judge(t testing.TB, o Options) *Judge {
	t.Helper()
	j, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// Hashes of "qwerty123" and "dragon" made by mkpasswd (whois 5.5), openssl passwd,
// and of known answers of the database manuals.
var planted = []struct{ scheme, account, hash, reason string }{
	{"yescrypt", "", "$y$j9T$2m3wld8DZoIdunGjYVj6r.$5Yie5Pz0IyXWSQBK/1S7ciHGVCXBO29DJNQiFvuwoQ8", ReasonOwn},
	{"yescrypt", "root", "$y$j9T$Ym6VmyWNir4xu6GQMBe311$IN1enGmt9GtxhA9N74c1moYtSE7s5lTGLweMyBSHcHD", ReasonAccount},
	{"yescrypt", "", "$y$j75$y6l6KH0mk/dsWTotlbcC0/$E8AxXIOFaMxUsWsustxVpbgrhSItYJiuFmmG63nuGL.", ReasonBuiltIn},
	{"scrypt", "", "$7$CU..../....dJqcDIGfUrcKU79cwgram0$yTxnegOkeMJfsuHlCICevrANX3WLDhCOj74RZwYdS/8", ReasonOwn},
	{"bcrypt", "", "$2b$05$VM/q26CYLAJlMKtcDfD/euGPA56GqXHehjiXdGYFQW11xvpFP0QTS", ReasonBuiltIn},
	{"sha512crypt", "", "$6$NkGuSY767UVMX5xK$MKHE9V7L2X6rBxnKfOtztS00M5Vrn5LF5Z6PHCtOHTuqHAWGZ9wOf8cXtZPKAb7YG37XV8xshG0.PYwLzRYz/0", ReasonBuiltIn},
	{"sha256crypt", "", "$5$GIxiIKuNM/jE8iqN$n2ZPk4lK7OQG3c.g7U0CJF1jBa2qMoDRmWxmTIoF636", ReasonBuiltIn},
	{"md5crypt", "", "$1$5la1TNlf$qyqOVeNNph6qrA/9yFnzO0", ReasonBuiltIn},
	{"apr1", "", "$apr1$FnC.uEn7$TN7CH9TWHuyD2tUnJBubR.", ReasonBuiltIn},
	{"mysql_native", "", "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19", ReasonBuiltIn},     // password
	{"mysql_native", "root", "*81F5E21E35407D884A6CD4A731AEBFB6AF209E1B", ReasonAccount}, // root
	{"ldap_sha1", "", "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", ReasonBuiltIn},                // password
	{"md5", "", "5f4dcc3b5aa765d61d8327deb882cf99", ReasonBuiltIn},                       // password
	{"sha1", "", "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8", ReasonBuiltIn},              // password
	{"sha256", "", "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8", ReasonBuiltIn},
	{"postgres_md5", "postgres", "md53175bce1d3201d16594cebf9d7eb3f9d", ReasonAccount}, // postgres
}

func TestPlantedHashesAreGuessed(t *testing.T) {
	builtIn, own := judge(t, Options{}), judge(t, Options{Words: []string{"qwerty123"}})
	for _, tc := range planted {
		t.Run(tc.scheme+" "+tc.account, func(t *testing.T) {
			j := builtIn
			if tc.reason == ReasonOwn {
				j = own
			}
			v := j.Hash(t.Context(), j.Budget(), tc.account, tc.hash)
			if !v.Weak || v.Reason != tc.reason || v.Scheme != tc.scheme || v.Masked == "" || v.Untried != "" {
				t.Fatalf("%+v, want weak by %s, %s", v, tc.reason, tc.scheme)
			}
			if got := Scheme(tc.hash); got != tc.scheme {
				t.Errorf("Scheme = %s", got)
			}
		})
	}
}

func TestMadeHashesAreGuessed(t *testing.T) {
	b64 := base64.RawStdEncoding.EncodeToString
	salt := []byte("a salt of 16 byt")
	key, err := scrypt.Key([]byte("letmein"), salt, 1<<4, 8, 1, 32)
	if err != nil {
		t.Fatal(err)
	}
	derived, err := pbkdf2.Key(sha256.New, "letmein", salt, 100, 32)
	if err != nil {
		t.Fatal(err)
	}
	j := judge(t, Options{})
	for name, hash := range map[string]string{
		"argon2id": fmt.Sprintf("$argon2id$v=19$m=64,t=1,p=1$%s$%s", b64(salt), b64(argon2.IDKey([]byte("letmein"), salt, 1, 64, 1, 32))),
		"argon2i":  fmt.Sprintf("$argon2i$v=19$m=64,t=2,p=2$%s$%s", b64(salt), b64(argon2.Key([]byte("letmein"), salt, 2, 64, 2, 32))),
		"scrypt":   fmt.Sprintf("$scrypt$ln=4,r=8,p=1$%s$%s", b64(salt), b64(key)),
		"pbkdf2":   fmt.Sprintf("$pbkdf2-sha256$100$%s$%s", b64(salt), b64(derived)),
	} {
		if v := j.Hash(t.Context(), j.Budget(), "x", hash); !v.Weak || v.Scheme != name || v.Masked != "l***n" {
			t.Errorf("%s: %+v", name, v)
		}
	}
	django := "pbkdf2_sha256$100$" + string(salt) + "$" + base64.StdEncoding.EncodeToString(derived)
	if v := j.Hash(t.Context(), j.Budget(), "x", django); !v.Weak {
		t.Errorf("django: %+v", v)
	}
	// RFC 7677's example exchange is of the password "pencil".
	scram := "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
	if v := j.Hash(t.Context(), j.Budget(), "user", scram); !v.Weak || v.Scheme != "scram-sha-256" {
		t.Errorf("scram: %+v", v)
	}
}

func TestStrongHashesAreNotGuessed(t *testing.T) {
	j := judge(t, Options{PerHash: 200 * time.Millisecond})
	for _, hash := range []string{
		"$y$j9T$Ejn6Fy1e4rijhUHh9FjLN1$HYOOTH0REptfxeVB3VtNaG9END5Ij8qgDxEhCIwIhrB",
		"$6$ZGh2m21HgY5BvxJS$4Ffv2VE0vdmyPE1zsNwoSJZg4h8X5rhT4zPZiwsgqXKMRTNeecQ6.dFVuYca0uPq9cmPTADtgyH80AFiXEGNz1",
	} {
		v := j.Hash(t.Context(), j.Budget(), "root", hash)
		if v.Weak || v.Tried == 0 || v.Masked != "" || !strings.Contains(v.Untried, "of") {
			t.Errorf("%s: %+v", hash[:3], v)
		}
	}
	full := judge(t, Options{})
	v := full.Hash(t.Context(), full.Budget(), "root", strings.Repeat("ab", 32))
	if v.Weak || v.Untried != "" || v.Tried < 2000 {
		t.Errorf("a cheap scheme is tried with all guesses: %+v", v)
	}
}

func TestCostlyHashesAreRefusedBeforeComputing(t *testing.T) {
	j := judge(t, Options{})
	sum := strings.Repeat("a", 86)
	for _, hash := range []string{
		"$2b$31$VM/q26CYLAJlMKtcDfD/euGPA56GqXHehjiXdGYFQW11xvpFP0QTS",
		"$6$rounds=999999999$salt$" + sum,
		"$6$rounds=18446744073709551615$salt$" + sum,
		"$5$rounds=999999999$salt$" + sum[:43],
		"$y$jFT$2m3wld8DZoIdunGjYVj6r.$5Yie5Pz0IyXWSQBK/1S7ciHGVCXBO29DJNQiFvuwoQ8",
		"$7$zzzzzzzzzzzsalt$" + sum[:43],
		"$7$SzzzzU....salt$" + sum[:43],
		"$argon2id$v=19$m=4194304,t=1,p=1$c2FsdHNhbHQ$" + sum[:43],
		"$argon2id$v=19$m=64,t=4294967295,p=1$c2FsdHNhbHQ$" + sum[:43],
		"$argon2id$v=19$m=64,t=1,p=255$c2FsdHNhbHQ$" + sum[:43],
		"$scrypt$ln=63,r=8,p=1$c2FsdA$" + sum[:43],
		"$scrypt$ln=20,r=8,p=1$c2FsdA$" + sum[:43],
		"$pbkdf2-sha256$1000000000$c2FsdA$" + sum[:43],
		"SCRAM-SHA-256$1000000000:c2FsdA==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:x",
		"$6$" + strings.Repeat("x", 1000), "$gy$j9T$N5$abc", "Wtwi.Hx8CJDOU", "$6$$" + sum,
	} {
		began := time.Now()
		v := j.Hash(t.Context(), j.Budget(), "root", hash)
		if v.Weak || v.Untried == "" || v.Tried != 0 {
			t.Errorf("%.40s: %+v", hash, v)
		}
		if took := time.Since(began); took > 200*time.Millisecond {
			t.Errorf("%.40s took %v", hash, took)
		}
	}
}

func TestBudgetIsShared(t *testing.T) {
	if race {
		t.Skip("guesses are so slow under the race detector that the clock ends them")
	}
	j := judge(t, Options{Budget: 400 * time.Millisecond, PerHash: 300 * time.Millisecond})
	b := j.Budget()
	strong := "$y$j9T$Ejn6Fy1e4rijhUHh9FjLN1$HYOOTH0REptfxeVB3VtNaG9END5Ij8qgDxEhCIwIhrB"
	verdicts := j.Hashes(t.Context(), b, []Question{{Account: "a", Hash: strong}, {Account: "b", Hash: strong}, {Account: "c", Hash: strong}})
	total := 0
	for _, v := range verdicts {
		if v.Tried < 3 || v.Untried == "" {
			t.Errorf("%+v", v)
		}
		total += v.Tried
	}
	if total > 12 {
		t.Errorf("%d guesses of 35 ms in 400 ms", total)
	}
	if v := j.Hash(t.Context(), b, "d", strong); v.Tried != 0 || !strings.Contains(v.Untried, "spent") {
		t.Errorf("after the budget: %+v", v)
	}
}

// The clock stands behind the table: a scheme that is dearer than the table
// says cannot use more than three times the budget.
func TestClockEndsGuessing(t *testing.T) {
	j := judge(t, Options{})
	b := NewBudget(20 * time.Millisecond)
	slow := target{scheme: "slow", cost: time.Microsecond + time.Millisecond, fits: func([]byte) bool {
		for end := time.Now().Add(5 * time.Millisecond); time.Now().Before(end); {
		}
		return false
	}}
	began := time.Now()
	v, ok := j.crack(t.Context(), b, slow, j.guesses("root", nil), 100_000)
	if ok || !strings.Contains(v.Untried, "really used") || time.Since(began) > 5*time.Second {
		t.Errorf("%+v %v after %v", v, ok, time.Since(began))
	}
}

func TestCancelledAndKept(t *testing.T) {
	j := judge(t, Options{PerHash: 100 * time.Millisecond})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	strong := "$y$j9T$Ejn6Fy1e4rijhUHh9FjLN1$HYOOTH0REptfxeVB3VtNaG9END5Ij8qgDxEhCIwIhrB"
	if v := j.Hash(ctx, j.Budget(), "root", strong); !strings.HasPrefix(v.Untried, "cancelled") {
		t.Errorf("%+v", v)
	}
	first := j.Hash(t.Context(), j.Budget(), "root", strong)
	again := j.Hash(ctx, j.Budget(), "root", strong) // answered without computing, so a dead ctx does not matter
	if diff := cmp.Diff(first, again); diff != "" {
		t.Error(diff)
	}
}

func TestPlain(t *testing.T) {
	j := judge(t, Options{Words: []string{"Corporate-Word-77"}})
	for _, tc := range []struct{ account, password, reason string }{
		{"root", "", ReasonEmpty},
		{"tomcat", "Tomcat@123", ReasonAccount},
		{"x", "corporate-word-77", ReasonOwn},
		{"x", "PASSWORD1", ReasonBuiltIn},
		{"x", "k9$Q", ReasonTooShort},
		{"x", "hgkeuwpd", ReasonTooPlain},
		{"x", "abababababababab", ReasonTooPlain},
		{"x", "kV9#tmQ2~zLwE8", ""},
		{"x", "hgkeuwpdnbvq", ""},
	} {
		v := j.Plain(tc.account, tc.password)
		if v.Reason != tc.reason || v.Weak != (tc.reason != "") {
			t.Errorf("Plain(%q, %q) = %+v", tc.account, tc.password, v)
		}
	}
}

func TestMask(t *testing.T) {
	for in, want := range map[string]string{"": "", "a": "***", "abcde": "***", "abcdef": "a***f", "äbcdefü": "ä***ü", "\xffabcdef": "***"} {
		if got := Mask(in); got != want {
			t.Errorf("Mask(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestOptionsAndFingerprint(t *testing.T) {
	if _, err := New(Options{Words: make([]string, MaxWords+1)}); err == nil {
		t.Error("a list without bounds is taken")
	}
	if _, err := New(Options{Budget: -1}); err == nil {
		t.Error("a negative budget is taken")
	}
	plain, own := judge(t, Options{}), judge(t, Options{Words: []string{"secret-of-ours"}})
	if plain.Fingerprint() == own.Fingerprint() || strings.Contains(own.Fingerprint(), "secret") {
		t.Error(own.Fingerprint())
	}
	if n := len(plain.builtIn); n < 2000 {
		t.Errorf("%d words", n)
	}
	if got := bytes.Count(passwords, []byte("\n")) - bytes.Count(passwords, []byte(comment)); got != len(plain.builtIn) {
		t.Errorf("%d lines make %d words", got, len(plain.builtIn))
	}
}

func FuzzHash(f *testing.F) {
	for _, p := range planted {
		f.Add(p.hash, p.account)
	}
	f.Add("$6$rounds=9$s$", "")
	j := judge(f, Options{Budget: 2 * time.Millisecond, PerHash: 2 * time.Millisecond})
	f.Fuzz(func(t *testing.T, hash, account string) {
		if Scheme(hash) == "" {
			t.Errorf("no scheme for %q", hash)
		}
		v := j.Hash(t.Context(), j.Budget(), account, hash)
		if v.Scheme == "" || v.Weak == (v.Reason == "") || v.CPU > 2*time.Millisecond {
			t.Errorf("%+v", v)
		}
	})
}

// BenchmarkSchemes is where the table of costs in scheme.go comes from.
func BenchmarkSchemes(b *testing.B) {
	for _, p := range planted {
		t, refused := parse(p.hash, p.account)
		if refused != "" {
			b.Fatal(refused)
		}
		b.Run(t.scheme, func(b *testing.B) {
			for range b.N {
				t.fits([]byte("not the password"))
			}
			b.ReportMetric(float64(t.cost), "table-ns/op")
		})
	}
}
