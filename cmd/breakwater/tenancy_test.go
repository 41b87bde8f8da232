package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"breakwater"

	"github.com/google/go-cmp/cmp"
)

// TestTenancy makes every operation of every door, and every request below
// /v2/, as one project's admin about another project's things: with a token and
// with a signature, at the own project's path and at the other's. Nothing of
// the other is told, and nothing of it is changed; both ways round.
func TestTenancy(t *testing.T) {
	e := newEstate(t)
	for n, victim := range e.tenants {
		attacker := e.tenants[1-n]
		t.Run(attacker.name, func(t *testing.T) {
			before := victim.state()
			attacker.tryDoors(t, victim)
			attacker.tryRegistry(t, victim)
			e.settle()
			if diff := cmp.Diff(strings.Split(before, "\n"), strings.Split(victim.state(), "\n")); diff != "" {
				t.Errorf("%s changed what is %s's:\n%s", attacker.name, victim.name, diff)
			}
		})
	}
}

// want is what an attempt must be answered with. In every case the answer says
// nothing of the victim.
type want string

const (
	absent  want = "absent"   // the door's own answer for what is not there
	nothing want = "nothing"  // a list of nothing
	free    want = "free"     // success; the second time it is the attacker's own conflict
	own     want = "own"      // success, about the attacker's things alone
	taken   want = "taken"    // 409: names of namespaces are the installation's
	noEntry want = "no entry" // 401: the caller is not let in
)

// attempt is one request about the victim's things. A %s in path is a project
// id, where the operation has one.
type attempt struct {
	id, method, path, body string
	want                   want
}

// tryDoors makes all attempts and holds the table to the doors: an operation
// that is served and not in the table fails.
func (a *tenant) tryDoors(t *testing.T, victim *tenant) {
	tried := map[string]bool{}
	for _, try := range attempts(a, victim) {
		tried[try.id] = true
		for way, sign := range map[string]func(*http.Request, string){"token": a.byToken, "key": a.byKey} {
			if !strings.HasPrefix(try.path, "/v5/%s/") {
				a.hold(t, victim, try, way, a.send(sign, try.method, try.path, try.body))
				if try.want != noEntry && !public[try.id] { // the other project, said in a header
					try := attempt{try.id, try.method, try.path, try.body, absent}
					a.hold(t, victim, try, way+" and header", a.send(sign, try.method, try.path, try.body, "X-Project-Id: "+victim.creds.ProjectID))
				}
				continue
			}
			a.hold(t, victim, try, way, a.send(sign, try.method, fmt.Sprintf(try.path, a.creds.ProjectID), try.body))
			got := a.send(sign, try.method, fmt.Sprintf(try.path, victim.creds.ProjectID), try.body)
			if got.status != http.StatusNotFound {
				t.Errorf("%s by %s at the other's path: %d %s", try.id, way, got.status, got.body)
			}
			a.tells(t, victim, try, got)
		}
	}
	for _, d := range a.estate.house.doors {
		for id, served := range d.door.Operations() {
			if served && !tried[id] {
				t.Errorf("%s: %s is served, and this test does not try it", d.name, id)
			}
		}
	}
}

// public are the operations that anybody may make, whose answer is the same for all.
var public = map[string]bool{"ListApiVersions": true, "ShowApiVersion": true, "CreateToken": true}

// hold compares an answer with what it must be.
func (a *tenant) hold(t *testing.T, victim *tenant, try attempt, way string, got reply) {
	t.Helper()
	good := false
	switch try.want {
	case absent:
		good = got.status == http.StatusNotFound || got.status == http.StatusBadRequest && got.code == "HSS.0011"
	case nothing:
		good = got.status == http.StatusOK && (strings.Contains(got.body, `"total_num":0`) || got.body == "[]\n" || strings.Contains(got.body, ":[]}"))
	case own:
		good = got.status < 300
	case free:
		good = got.status < 300 || got.code == "HSS.1409"
	case taken:
		good = got.status == http.StatusConflict
	case noEntry:
		good = got.status == http.StatusUnauthorized
	}
	if !good {
		t.Errorf("%s %s %s %s by %s: %d %s, want %s", try.id, try.method, try.path, try.body, way, got.status, got.body, try.want)
	}
	a.tells(t, victim, try, got)
}

// tells fails when an answer holds anything that is the victim's.
func (a *tenant) tells(t *testing.T, victim *tenant, try attempt, got reply) {
	t.Helper()
	answer := got.body
	for k, values := range got.header {
		answer += "\n" + k + ": " + strings.Join(values, " ")
	}
	for _, mark := range victim.marks() {
		if strings.Contains(answer, mark) {
			t.Errorf("%s %s %s tells %q: %s", try.id, try.method, try.path, mark, answer)
		}
	}
}

// tryRegistry makes every request below /v2/ about the victim's repositories.
func (a *tenant) tryRegistry(t *testing.T, victim *tenant) {
	app, same := victim.image("app"), victim.image("same")
	theirs, mine := "/v2/"+victim.name+"/app", "/v2/"+a.name+"/app"
	session := victim.upload[strings.LastIndexByte(victim.upload, '/')+1:]
	manifest := `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"` +
		victim.layer + `","size":1},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"` + victim.layer + `","size":1}]}`
	gone := []int{http.StatusNotFound}
	scope := a.bearer("repository:"+victim.name+"/same:pull", "repository:"+victim.name+"/app:pull,push,delete", "repository:"+victim.name+"/new:pull,push", "repository:"+a.name+"/app:pull,push,delete", "registry:catalog:*")
	for _, try := range []struct {
		method, path, body string
		status             []int
	}{
		{"GET", theirs + "/manifests/" + app.Version, "", gone},
		{"HEAD", theirs + "/manifests/" + app.Version, "", gone},
		{"GET", theirs + "/manifests/" + app.Digest, "", gone},
		{"HEAD", theirs + "/manifests/" + app.Digest, "", gone},
		{"GET", "/v2/" + victim.name + "/same/manifests/" + same.Digest, "", gone},
		{"GET", theirs + "/blobs/" + victim.layer, "", gone},
		{"HEAD", theirs + "/blobs/" + victim.layer, "", gone},
		{"GET", theirs + "/tags/list", "", gone},
		{"GET", theirs + "/referrers/" + same.Digest, "", []int{http.StatusOK, http.StatusNotFound}}, // the protocol wants an empty list
		{"PUT", theirs + "/manifests/v9", manifest, gone},
		{"PUT", theirs + "/manifests/" + app.Version, manifest, gone},
		{"PUT", theirs + "/manifests/" + breakwater.DigestOf([]byte(manifest)).String(), manifest, gone},
		{"DELETE", theirs + "/manifests/" + app.Version, "", gone},
		{"DELETE", theirs + "/manifests/" + app.Digest, "", gone},
		{"DELETE", theirs + "/blobs/" + victim.layer, "", gone},
		{"POST", theirs + "/blobs/uploads/", "", gone},
		{"POST", "/v2/" + victim.name + "/new/blobs/uploads/", "", gone},
		{"POST", theirs + "/blobs/uploads/?digest=" + victim.layer, "x", gone},
		{"POST", theirs + "/blobs/uploads/?mount=" + a.layer + "&from=" + a.name + "/app", "", gone},
		{"GET", victim.upload, "", gone},
		{"PATCH", victim.upload, "more", gone},
		{"PUT", victim.upload + "?digest=" + victim.layer, "more", gone},
		{"DELETE", victim.upload, "", gone},
		// The other's bytes and sessions, in a repository of one's own.
		{"GET", mine + "/manifests/" + app.Digest, "", gone},
		{"GET", mine + "/blobs/" + victim.layer, "", gone},
		{"HEAD", mine + "/blobs/" + victim.layer, "", gone},
		{"DELETE", mine + "/blobs/" + victim.layer, "", gone},
		{"PUT", mine + "/manifests/stolen", manifest, []int{http.StatusNotFound, http.StatusBadRequest}},
		{"POST", mine + "/blobs/uploads/?mount=" + victim.layer + "&from=" + victim.name + "/app", "", []int{http.StatusAccepted}},
		{"POST", mine + "/blobs/uploads/?mount=" + victim.layer, "", []int{http.StatusAccepted}},
		{"GET", mine + "/blobs/uploads/" + session, "", gone},
		{"PATCH", mine + "/blobs/uploads/" + session, "more", gone},
		{"PUT", mine + "/blobs/uploads/" + session + "?digest=" + victim.layer, "more", gone},
		{"DELETE", mine + "/blobs/uploads/" + session, "", gone},
		// What all may ask.
		{"GET", mine + "/referrers/" + same.Digest, "", []int{http.StatusOK}},
		{"GET", "/v2/_catalog", "", []int{http.StatusOK}},
		{"GET", "/v2/_catalog?last=" + victim.name[:1], "", []int{http.StatusOK}},
		{"GET", "/v2/", "", []int{http.StatusOK}},
	} {
		for way, got := range map[string]reply{
			"password": a.docker(try.method, try.path, try.body, "Content-Type: "+contentType(try.body)),
			"token":    a.send(nil, try.method, try.path, try.body, "Authorization: Bearer "+scope, "Content-Type: "+contentType(try.body)),
		} {
			good := false
			for _, s := range try.status {
				good = good || got.status == s
			}
			if !good {
				t.Errorf("%s %s by %s: %d %s, want %d", try.method, try.path, way, got.status, got.body, try.status)
			}
			a.tells(t, victim, attempt{method: try.method, path: try.path}, got)
		}
	}
	// Their project's name with one's own key is nobody's login.
	_, password := a.login()
	got := a.send(func(r *http.Request, _ string) {
		r.SetBasicAuth(victim.creds.ProjectName+"@"+a.creds.AccessKey, password)
	}, "GET", "/v2/", "")
	if got.status != http.StatusUnauthorized {
		t.Errorf("a login with the other's project: %d", got.status)
	}
}

func contentType(body string) string {
	if strings.HasPrefix(body, "{") {
		return "application/vnd.oci.image.manifest.v1+json"
	}
	return "application/octet-stream"
}
