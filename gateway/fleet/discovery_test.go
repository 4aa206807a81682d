package fleet

import (
	"slices"
	"strings"
	"testing"

	"dmgate/sessions"
	"dmgate/storage"
)

// A device that is known, and that there is nothing to do for, costs a look for its jobs.
func TestKnownDeviceIsLeftAlone(t *testing.T) {
	r := newRig(t)
	dev := &storage.Device{
		ID: "d", DevID: "IMEI:1", State: storage.Discovered,
		Facts: map[string]string{"Man": "Acme", "Mod": "A1", "FwV": "1.0", storage.FactMaxMsgSize: "10000"},
	}
	dev.Walk = storage.Walk{Begun: epoch, Ended: epoch, Checked: epoch, Of: dev.Handset(), Rules: r.opt.Rules.Version()}
	out := sessions.Outcome{MaxMsg: 10000}
	now := epoch.Add(24 * 365 * 24 * 3600e9)
	var tasks []storage.Task
	if n := testing.AllocsPerRun(100, func() { tasks = r.Proved(now, dev, &out) }); n > 4 {
		t.Errorf("%v allocations, want the two of the store; the race detector adds some", n)
	}
	if len(tasks) > 0 || out.Commit.Edit != nil {
		t.Errorf("%d tasks, edited %v", len(tasks), out.Commit.Edit != nil)
	}
}

// What a device lists is its own affair: names that no URI can hold are left out, and there is an end to all lists.
func TestChildNames(t *testing.T) {
	long := strings.Repeat("x", maxName)
	for _, c := range []struct {
		list string
		more bool
		want []string
		cut  bool
	}{
		{"", false, nil, false},
		{"SCOMO/FUMO", false, []string{"SCOMO", "FUMO"}, false},
		{"/SCOMO//FUMO/", false, []string{"SCOMO", "FUMO"}, false},
		{"App%20Store/M\u00fcller/app~1", false, []string{"App%20Store", "M\u00fcller", "app~1"}, false},
		{"a/../b/./c", false, []string{"a", "b", "c"}, true},
		{"a/b\x00c/d\xff/e?prop=ACL/f\n", false, []string{"a"}, true},
		{long + "/" + long + "x", false, []string{long}, true},
		{strings.Repeat("n/", maxChildren), false, slices.Repeat([]string{"n"}, maxChildren), false},
		{strings.Repeat("n/", 1<<16), false, slices.Repeat([]string{"n"}, maxChildren), true},
		{strings.Repeat(long+"/", 100), false, slices.Repeat([]string{long}, maxNames/maxName), true},
		{"SCOMO/FUMO/Nok", true, []string{"SCOMO", "FUMO"}, true}, // the name goes on in the next message
		{strings.Repeat("x", 1<<20), false, nil, true},
	} {
		if got, cut := childNames([]byte(c.list), c.more); !slices.Equal(got, c.want) || cut != c.cut {
			t.Errorf("%.60q, more %v: %d names %.60q, cut %v; want %d, cut %v",
				c.list, c.more, len(got), got, cut, len(c.want), c.cut)
		}
	}
}

// What a device answers is read for what it means.
func TestHearNodes(t *testing.T) {
	for name, c := range map[string]struct {
		uri    string
		answer storage.Answer
		want   storage.Node
	}{
		"an interior node": {
			"./SCOMO", give(200, "node", "a/b"),
			storage.Node{Code: 200, Format: "node", Children: []string{"a", "b"}},
		},
		"one without children": {"./SCOMO", give(200, "node", ""), storage.Node{Code: 200, Format: "node"}},
		"a leaf":               {"./X/State", give(200, "int", "10"), storage.Node{Code: 200, Format: "int", Value: "10"}},
		"neither, as it is told": {
			"./X", give(200, "", "a/b"),
			storage.Node{Code: 200, Value: "a/b", Children: []string{"a", "b"}},
		},
		"a value without a status": {"./X", give(0, "chr", "v"), storage.Node{Code: 200, Format: "chr", Value: "v"}},
		"nothing":                  {"./X", give(0, "", ""), storage.Node{}},
		"absent":                   {"./X", give(404, "", ""), storage.Node{Code: 404}},
		"barred":                   {"./X", give(425, "node", "a"), storage.Node{Code: 425}},
		"not to be read":           {"./X", give(405, "", ""), storage.Node{Code: 405}},
		"a long value": {
			"./X", give(200, "chr", strings.Repeat("v", 1<<20)),
			storage.Node{Code: 200, Format: "chr", Value: strings.Repeat("v", maxValue), Cut: true},
		},
		"cut between characters": {
			"./X", give(200, "chr", strings.Repeat("\u00fc", 1<<10)+"x"),
			storage.Node{Code: 200, Format: "chr", Value: strings.Repeat("\u00fc", maxValue/2), Cut: true},
		},
		"bytes": {"./X", give(200, "bin", "\xff\x00"), storage.Node{Code: 200, Format: "bin"}},
		"a secret": {
			"./DMAcc/a/AppAuth/b/AAuthSecret", give(200, "chr", "s3cret"),
			storage.Node{Code: 200, Format: "chr"},
		},
		"a property": {
			"./X?prop=Type", give(200, "chr", "urn:oma:mo:oma-fumo:1.0"),
			storage.Node{Code: 200, Format: "chr", Value: "urn:oma:mo:oma-fumo:1.0"},
		},
		"a root worth believing": {
			".", give(200, "node", "DevInfo/FUMO"),
			storage.Node{Code: 200, Format: "node", Children: []string{"DevInfo", "FUMO"}},
		},
		"a bare root": {
			".", give(200, "node", "DevInfo/DevDetail/DMAcc"),
			storage.Node{Code: 200, Format: "node", Children: []string{"DevInfo", "DevDetail", "DMAcc"}, Cut: true},
		},
	} {
		t.Run(name, func(t *testing.T) {
			dev := &storage.Device{ID: "d"}
			out := sessions.Outcome{Commit: storage.Commit{
				Device: "d", Time: epoch, Results: []storage.Results{{Task: 6, Session: "0"}, {Task: 7, Session: "3E", MsgID: 2}},
			}}
			task := &storage.Task{ID: 7, Purpose: purposeTree, Commands: []storage.Command{get(c.uri)}}
			hearNodes(dev, task, []storage.Answer{c.answer}, &out)
			want := c.want
			want.Device, want.URI, want.Session, want.Task, want.MsgID, want.Time = "d", c.uri, "3E", 7, 2, epoch
			if len(out.Commit.Nodes) != 1 || !sameNode(&out.Commit.Nodes[0], &want) {
				t.Errorf("got  %+v\nwant %+v", out.Commit.Nodes, want)
			}
		})
	}
}

func give(code int, format, data string) storage.Answer {
	a := storage.Answer{Code: code, Format: []byte(format)}
	if data != "" {
		a.Data = []byte(data)
	}
	return a
}

func sameNode(a, b *storage.Node) bool {
	x, y := *a, *b
	same := slices.Equal(x.Children, y.Children)
	x.Children, y.Children = nil, nil
	mx, _ := x.MarshalMsg(nil)
	my, _ := y.MarshalMsg(nil)
	return same && string(mx) == string(my)
}

// What rules want to know is asked only where it makes a URI.
func TestAskable(t *testing.T) {
	for uri, want := range map[string]bool{
		".":                                   true,
		"./SCOMO":                             true,
		"./SCOMO?prop=Type":                   true,
		"./A%20B/M\u00fcller":                 true,
		"./":                                  false,
		"./A//B":                              false,
		"./A/../B":                            false,
		"./A/B\x00":                           false,
		"./A?list=StructData":                 false,
		"./" + strings.Repeat("a/", 11) + "a": true,
		"./" + strings.Repeat("a/", 12) + "a": false,
		"./" + strings.Repeat("abcdefg/", 70) + "a": false,
	} {
		if got := isAskable(uri); got != want {
			t.Errorf("%.40q: %v", uri, got)
		}
	}
}

// A device that turns out to be another one, or to have other firmware. What it does not say does not count.
func TestDifference(t *testing.T) {
	was := storage.Handset{DevID: "IMEI:1", Man: "Acme", Mod: "A1", DmV: "1.2", Lang: "en", FwV: "1.0", SwV: "1"}
	for _, c := range []struct {
		is   storage.Handset
		want string
	}{
		{was, ""},
		{storage.Handset{}, ""},
		{storage.Handset{DevID: "IMEI:1", Man: "Acme", Mod: "A1", DmV: "1.3", Lang: "de"}, ""},
		{storage.Handset{DevID: "IMEI:2"}, "DevId IMEI:1 became IMEI:2"},
		{storage.Handset{Man: "Other"}, "manufacturer Acme became Other"},
		{storage.Handset{Man: "Acme", Mod: "A2"}, "model A1 became A2"},
		{storage.Handset{FwV: "1.1"}, "firmware 1.0 became 1.1"},
		{storage.Handset{SwV: "2"}, "software 1 became 2"},
	} {
		if got := difference(&was, &c.is); got != c.want {
			t.Errorf("%+v: %q, want %q", c.is, got, c.want)
		}
	}
}
