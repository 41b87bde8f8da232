package scan_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"breakwater"
	"breakwater/internal/malware"
	"breakwater/internal/password"
	"breakwater/internal/scan"
)

// hashes of passwords, some of them guessable, of several schemes and costs.
var hashes = []string{
	weakHash,
	"$6$NkGuSY767UVMX5xK$MKHE9V7L2X6rBxnKfOtztS00M5Vrn5LF5Z6PHCtOHTuqHAWGZ9wOf8cXtZPKAb7YG37XV8xshG0.PYwLzRYz/0",
	"$6$ZGh2m21HgY5BvxJS$4Ffv2VE0vdmyPE1zsNwoSJZg4h8X5rhT4zPZiwsgqXKMRTNeecQ6.dFVuYca0uPq9cmPTADtgyH80AFiXEGNz1",
	"$6$rounds=999999999$salt$" + strings.Repeat("a", 86),
	"$9$unknown$x",
}

// busyImage has many layers and files, and something for every check in each of
// them, some of it more than once and under several names.
func busyImage(t testing.TB, r *repository) breakwater.Digest {
	t.Helper()
	rnd := rand.New(rand.NewPCG(3, 4))
	archive := zipFile(t, "in/a.com", eicar)
	var layers []blobLayer
	for l := range 12 {
		list := []entry{{name: "etc/os-release", body: debian12},
			{name: "var/lib/dpkg/status", body: deb("tool", "1."+fmt.Sprint(l), "src") + deb(fmt.Sprint("p", l), "2", "")},
			{name: "var/lib/dpkg/info/tool.list", body: "/.\n/usr/share/tool/c.conf\n"}}
		for f := range 250 {
			dir := fmt.Sprintf("srv/l%d/d%d/", l, rnd.IntN(40))
			switch f % 25 {
			case 0:
				list = append(list, entry{name: dir + "settings.py", body: "token = \"" + fileToken + "\"\n"})
			case 1:
				list = append(list, entry{name: dir + "a.jar", body: archive})
			case 2:
				list = append(list, entry{name: dir + "node_modules/x/settings.py", body: "token = \"" + fileToken + "\"\n"})
			case 3:
				list = append(list, entry{name: dir + "yarn.lock", body: yarnLock})
			case 4:
				list = append(list, entry{name: dir + "package-lock.json", body: "{"})
			case 5:
				list = append(list, entry{name: dir + "again.yarn.lock", hard: dir + "yarn.lock"}, entry{name: dir + "again.py", hard: dir + "settings.py"},
					entry{name: dir + "below.py", hard: fmt.Sprintf("srv/l%d/d%d/settings.py", rnd.IntN(l+1), rnd.IntN(40))})
			case 6:
				list = append(list, entry{name: fmt.Sprintf("srv/l%d/d%d", rnd.IntN(12), rnd.IntN(40)) + "/.wh.settings.py"})
			case 7:
				list = append(list, entry{name: dir + "broken.zip", body: archive[:len(archive)-30]})
			default:
				list = append(list, entry{name: fmt.Sprintf("%sf%d", dir, rnd.IntN(200)), body: strings.Repeat(fmt.Sprint(rnd.IntN(50), "words "), rnd.IntN(300))})
			}
		}
		var shadow strings.Builder
		for i, h := range hashes {
			if underRace {
				h = "*" // the clock behind the budget is met, as guesses take many times what they should
			}
			fmt.Fprintf(&shadow, "user%d:%s:19000:0:99999:7:::\n", (i+l)%len(hashes), h)
		}
		list = append(list, entry{name: "etc/shadow", body: shadow.String()}, entry{name: "etc/redis.conf", body: "requirepass password\n"}, entry{name: "usr/share/tool/c.conf", body: "password = \"" + deletedToken + "\"\n"})
		layers = append(layers, gz(t, list...))
	}
	return r.imageOf(t, `{"architecture":"amd64","os":"linux","config":{"Env":["TOKEN=`+envToken+`"],"Labels":{"b":"`+labelToken+`","a":"x"},"Volumes":{"/b":{},"/a":{}}},"history":[{"created_by":"RUN echo 'root:secret99' | chpasswd"}]}`, layers...)
}

// hurried are all checks, with a budget for passwords that does not pay for all
// hashes of busyImage, and nothing in memory of earlier guesses.
func hurried(t testing.TB) scan.Options {
	t.Helper()
	o := allChecks(t, malware.Options{})
	judge, err := password.New(password.Options{Budget: 400 * time.Millisecond, PerHash: 150 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	o.Passwords = judge
	return o
}

// TestSameBytes: the facts of each layer, and the inventory, are the same bytes
// however many goroutines look, in whatever order, and whatever is remembered.
func TestSameBytes(t *testing.T) {
	r := newRepository()
	digest := busyImage(t, r)
	before := runtime.GOMAXPROCS(0)
	t.Cleanup(func() { runtime.GOMAXPROCS(before) })
	var inventory []byte
	var facts map[string][]byte
	runs := 0
	compare := func(where string, c *memory, inv breakwater.Inventory) {
		t.Helper()
		got, err := json.Marshal(inv)
		if err != nil {
			t.Fatal(err)
		}
		runs++
		if inventory == nil {
			inventory, facts = got, maps.Clone(c.m)
			for check, n := range found(inv) {
				if n == 0 {
					t.Errorf("no facts of %s, so nothing is proved", check)
				}
			}
			if !underRace && !strings.Contains(string(got), "untried") || !underRace && !strings.Contains(string(got), "micros") {
				t.Error("no password guessed, or all tried")
			}
			if len(facts) != 12 {
				t.Errorf("facts of %d layers", len(facts))
			}
			return
		}
		if !bytes.Equal(got, inventory) {
			at := 0
			for at < min(len(got), len(inventory)) && got[at] == inventory[at] {
				at++
			}
			t.Fatalf("%s: another inventory from byte %d: %.200q, not %.200q", where, at, got[max(0, at-60):], inventory[max(0, at-60):])
		}
		if !slices.Equal(slices.Sorted(maps.Keys(c.m)), slices.Sorted(maps.Keys(facts))) {
			t.Fatalf("%s: other layers", where)
		}
		for key, b := range facts {
			if !bytes.Equal(c.m[key], b) {
				t.Fatalf("%s: other facts of %s", where, key)
			}
		}
	}
	for _, procs := range []int{1, 2, 4} {
		if underRace && procs == 1 {
			continue
		}
		runtime.GOMAXPROCS(procs)
		for parallel := 1; parallel <= 8; parallel++ {
			if ends := parallel == 1 || parallel == 8; !ends && (parallel != 3 || procs != 2 || testing.Short() || underRace) {
				continue
			}
			o := hurried(t)
			o.Parallel = parallel
			c := newMemory()
			s := newScanner(t, c, o)
			where := fmt.Sprintf("GOMAXPROCS %d, %d layers at a time", procs, parallel)
			compare(where, c, mustScan(t, s, r, digest, breakwater.ScopeAll))
			clear(c.m)
			compare(where+", with what is remembered", c, mustScan(t, s, r, digest, breakwater.ScopeAll))
			inv := mustScan(t, s, r, digest, breakwater.ScopeAll)
			if inv.Bytes != 0 {
				t.Fatalf("%s: layers were read again", where)
			}
			var first breakwater.Inventory
			if err := json.Unmarshal(inventory, &first); err != nil {
				t.Fatal(err)
			}
			inv.Bytes = first.Bytes // what was read, which is nothing with a cache
			compare(where+", from the cache", c, inv)
		}
	}
	if runs < 12 {
		t.Errorf("%d runs", runs)
	}
}

// TestFactsAgain: facts survive their cached form.
func TestFactsAgain(t *testing.T) {
	r := newRepository()
	digest := busyImage(t, r)
	c := newMemory()
	mustScan(t, newScanner(t, c, hurried(t)), r, digest, breakwater.ScopeAll)
	for key, b := range c.m {
		version, _, _ := strings.Cut(key, "/sha256:")
		f, err := scan.Decode(b, version)
		if err != nil {
			t.Fatalf("%s: %v", key, err)
		}
		again, err := f.Encode()
		if err != nil || !bytes.Equal(again, b) {
			t.Errorf("%s: %d bytes became %d (%v)", key, len(b), len(again), err)
		}
	}
}
