package api_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"dmgate/gateway/api"
	"dmgate/storage"
)

// known makes device i one that was discovered: it has LAWMO with an operation to lock it, and no other object.
func (r *rig) known(i int) *api.Device {
	r.t.Helper()
	d := r.device(i)
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	node := func(uri, format string, children ...string) storage.Node {
		return storage.Node{
			Device: d.ID, URI: uri, Code: 200, Format: format, Children: children, Session: "3E", Task: 7, MsgID: 2, Time: at,
		}
	}
	stale := node("./Gone", "node")
	stale.Code, stale.Time = 404, at.Add(-time.Hour)
	kind := node("./LAWMO?prop=Type", "chr")
	kind.Value = "urn:oma:mo:oma-lawmo:1.0"
	err := r.store.Commit(&storage.Commit{
		Device: d.ID, Time: at,
		Edit: func(d *storage.Device) error {
			d.Enter(storage.Discovered, at, "", storage.Wait{})
			d.Facts = map[string]string{"Man": "Acme", "Mod": "A1", "FwV": "1.0", "MaxMsgSize": "10000", "MaxObjSize": "1048576"}
			d.Walk = storage.Walk{Begun: at, Ended: at, Capabilities: "0123456789abcdef"}
			return nil
		},
		Nodes: []storage.Node{
			node(".", "node", "DevInfo", "DevDetail", "LAWMO"), node("./LAWMO", "node", "State", "Operations"), kind,
			node("./LAWMO/Operations", "node", "FullyLock"), stale,
		},
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return d
}

func TestCapabilities(t *testing.T) {
	r := newRig(t)
	d := r.known(1)
	path := "/v1/devices/" + string(d.ID) + "/capabilities"
	got := r.call("GET", path, "")
	var c api.Capabilities
	if err := json.Unmarshal([]byte(got.body), &c); err != nil || got.status != 200 {
		t.Fatalf("status %d, %v: %s", got.status, err, got.body)
	}
	if c.Device != d.ID || len(c.Version) != 16 || c.Rules == "" || c.Model != "Acme|A1|1.0" || !c.Complete ||
		c.Compiled == nil || c.Message != 10000 || c.Object != 1<<20 {
		t.Errorf("%+v", c)
	}
	names := make([]string, len(c.List))
	for i, is := range c.List {
		names[i] = fmt.Sprint(is.Name, " ", is.Possible)
		if len(is.Why) == 0 {
			t.Errorf("%s: no reason", is.Name)
		}
		for _, w := range is.How {
			if len(w.Evidence) > 0 {
				t.Errorf("%s: evidence that nobody has asked for", is.Name)
			}
		}
	}
	for _, want := range []string{"lock yes", "wipe no", "install no", "firmware no"} {
		if !slices.Contains(names, want) {
			t.Errorf("%q, want %s", names, want)
		}
	}
	lock := c.List[slices.Index(names, "lock yes")].How
	if len(lock) != 1 || lock[0].Recipe != "lawmo-lock" || lock[0].Confidence != "seen" ||
		!slices.Contains(slices.Collect(maps.Values(lock[0].Paths)), "./LAWMO/Operations/FullyLock") {
		t.Errorf("lock by %+v", lock)
	}

	explained := r.call("GET", path+"?explain", "")
	for _, want := range []string{
		`"uri":"./LAWMO/Operations"`, `"status":200`, `"session":"3E"`, `"task":7`, `"message":2`,
		`"time":"2026-01-01T00:00:00Z"`,
	} {
		if !strings.Contains(explained.body, want) {
			t.Errorf("explained it lacks %s: %s", want, explained.body)
		}
	}
}

// Who has a version is told that it is the one.
func TestCapabilitiesETag(t *testing.T) {
	r := newRig(t)
	path := "/v1/devices/" + string(r.known(1).ID) + "/capabilities"
	tag := r.call("GET", path, "").header.Get("ETag")
	other := r.call("GET", path+"?explain", "").header.Get("ETag")
	if len(tag) != 18 || other == tag {
		t.Fatalf("tags %s and, explained, %s", tag, other)
	}
	for known, status := range map[string]int{
		tag: 304, "W/" + tag: 304, `"x", ` + tag: 304, "*": 304, other: 200, `"x"`: 200, "": 200,
	} {
		req, err := http.NewRequest("GET", r.base+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+adminKey)
		req.Header.Set("If-None-Match", known)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != status || resp.Header.Get("ETag") != tag {
			t.Errorf("If-None-Match %s: status %d, ETag %s", known, resp.StatusCode, resp.Header.Get("ETag"))
		}
	}
}

// The tree by pages, as it was said, and what was said before it is looked at anew.
func TestTree(t *testing.T) {
	r := newRig(t)
	d := r.known(1)
	path := "/v1/devices/" + string(d.ID) + "/tree?limit=2"
	var seen []string
	for next := path; next != ""; {
		got := r.call("GET", next, "")
		var page api.TreePage
		if err := json.Unmarshal([]byte(got.body), &page); err != nil || got.status != 200 {
			t.Fatalf("status %d, %v: %s", got.status, err, got.body)
		}
		for _, n := range page.Nodes {
			seen = append(seen, fmt.Sprintf("%d %s %s%s %v", n.Status, n.URI, strings.Join(n.Children, "/"), n.Value, n.Stale))
		}
		if next = ""; page.Next != "" {
			next = path + "&after=" + strings.NewReplacer("?", "%3F", "/", "%2F").Replace(page.Next)
		}
	}
	want := []string{
		"200 . DevInfo/DevDetail/LAWMO false", "404 ./Gone  true", "200 ./LAWMO State/Operations false",
		"200 ./LAWMO/Operations FullyLock false", "200 ./LAWMO?prop=Type urn:oma:mo:oma-lawmo:1.0 false",
	}
	if !slices.Equal(seen, want) {
		t.Errorf("got  %q\nwant %q", seen, want)
	}
	shown := r.call("GET", "/v1/devices/"+string(d.ID), "").body
	object := `"objects":[{"uri":"./LAWMO","type":"urn:oma:mo:oma-lawmo:1.0","children":["State","Operations"]}]`
	if !strings.Contains(shown, object) || !strings.Contains(shown, `"capabilities":"0123456789abcdef"`) {
		t.Errorf("the device: %s", shown)
	}
}

func TestDiscover(t *testing.T) {
	r := newRig(t)
	got := r.call("POST", "/v1/devices/"+string(r.known(1).ID)+"/discover", "")
	var placed api.Placed
	if err := json.Unmarshal([]byte(got.body), &placed); err != nil || got.status != 202 || len(placed.Order) != 16 {
		t.Errorf("status %d, %v: %s", got.status, err, got.body)
	}
	again := r.call("POST", "/v1/devices/"+string(r.known(2).ID)+"/discover", "")
	if again.status != 202 || again.body == got.body {
		t.Errorf("another device: status %d: %s", again.status, again.body)
	}
	p := r.refused(r.call("POST", "/v1/devices/"+string(r.device(3).ID)+"/discover", ""), 422)
	if p.Field != "device" || p.Detail != "has no account of ours yet: it is registered" {
		t.Errorf("%+v", p)
	}
	for _, call := range []struct{ method, path string }{
		{"POST", "/v1/devices/nobody/discover"}, {"GET", "/v1/devices/nobody/tree"},
		{"GET", "/v1/devices/nobody/capabilities"},
	} {
		r.refused(r.call(call.method, call.path, ""), 404)
	}
}
