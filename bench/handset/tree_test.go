package handset

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"dmgate/codec/syncml"
)

// TestTreeCommands walks through section 2.5 on an Android handset's tree. The lines happen one after the other.
func TestTreeCommands(t *testing.T) {
	h := New(RedBend, NewIdentity(7, 1), Temper{}, quick(t))
	tr := h.tree()
	c := RedBend.commands(&tr)
	for _, test := range []struct {
		command, uri, format, data string
		code                       int
		want                       string // Get: Format and Data
	}{
		{command: "Get", uri: ".", code: 200, want: "node DevInfo/DevDetail/DMAcc/FUMO/SCOMO/LAWMO/Ext"},
		{command: "Get", uri: "./DevInfo/DevId", code: 200, want: "chr IMEI:" + h.IMEI},
		{command: "Get", uri: "DevInfo/DmV", code: 200, want: "chr 1.2"},
		{command: "Get", uri: "./DevDetail/URI", code: 200, want: "node MaxDepth/MaxTotLen/MaxSegLen"},
		{command: "Get", uri: "./DevDetail/LrgObj", code: 200, want: "bool true"},
		{command: "Get", uri: "./SCOMO/Inventory/Delivered", code: 200, want: "node "},
		{command: "Get", uri: "./Nowhere", code: 404},
		{command: "Get", uri: "./DevInfo/Man/Deeper", code: 404},
		{command: "Get", uri: "./SCOMO/Download/RB_DP/Operations/Download", code: 405},
		{command: "Get", uri: "./FUMO/Update/PkgData", code: 405},
		{command: "Get", uri: "./FUMO?list=TNDS", code: 406},
		{command: "Get", uri: "./FUMO?prop=Type", code: 200, want: "chr urn:oma:mo:oma-fumo:1.0"},
		{command: "Get", uri: "./FUMO?prop=Format", code: 200, want: "chr node"},
		{command: "Get", uri: "./FUMO/State?prop=Name", code: 200, want: "chr State"},
		{command: "Get", uri: "./FUMO/State?prop=ACL", code: 200, want: "chr Get=*"},
		{command: "Get", uri: "./FUMO?prop=TStamp", code: 406},
		{command: "Get", uri: "./FUMO?what", code: 406},
		{command: "Get", uri: "./DevInfo/../DevDetail", code: 414},
		{command: "Get", uri: "./" + strings.Repeat("x", 32), code: 414},
		{command: "Get", uri: "./" + strings.Repeat("x/", 17) + "x", code: 414},
		{command: "Get", uri: "./" + strings.Repeat(strings.Repeat("x", 30)+"/", 9), code: 414},
		{command: "Replace", uri: "./Ext/RedBend/PollingIntervalInHours", data: "24", code: 200},
		{command: "Get", uri: "./Ext/RedBend/PollingIntervalInHours", code: 200, want: "int 24"},
		{command: "Replace", uri: "./DevInfo/Man", data: "x", code: 405},
		{command: "Replace", uri: "./Nowhere", data: "x", code: 404},
		{command: "Replace", uri: "./DevInfo", data: "x", code: 405},
		{command: "Replace", uri: "./FUMO?prop=Name", data: "x", code: 406},
		{command: "Add", uri: "./DMAcc/A", format: "node", code: 200},
		{command: "Add", uri: "./DMAcc/A", format: "node", code: 418},
		{command: "Add", uri: "./DMAcc/A/Leaf", data: "v", code: 200},
		{command: "Get", uri: "./DMAcc/A/Leaf", code: 200, want: "chr v"},
		{command: "Get", uri: "./DMAcc/A/Leaf?prop=ACL", code: 200, want: "chr Add=*&Delete=*&Get=*&Replace=*"},
		{command: "Add", uri: "./DMAcc/B/C", data: "v", code: 404},
		{command: "Add", uri: "./DMAcc/A/Leaf/C", data: "v", code: 405},
		{command: "Add", uri: "./DevInfo/X", data: "v", code: 405},
		{command: "Add", uri: "./SCOMO/Download/X", format: "node", code: 405},
		{command: "Add", uri: "./New", format: "node", code: 405},
		{command: "Delete", uri: "./DMAcc/A/Leaf", code: 200},
		{command: "Delete", uri: "./DMAcc/A", code: 200},
		{command: "Get", uri: "./DMAcc/A", code: 404},
		{command: "Delete", uri: "./DMAcc/A", code: 404},
		{command: "Delete", uri: "./DMAcc", code: 405},
		{command: "Delete", uri: ".", code: 405},
		{command: "Exec", uri: "./FUMO/DownloadAndUpdate", code: 202},
		{command: "Exec", uri: "./SCOMO/Download/RB_DP/Operations/DownloadInstall", code: 202},
		{command: "Exec", uri: "./LAWMO/Operations/Unlock", code: 404},
		{command: "Exec", uri: "./LAWMO/State", code: 405},
	} {
		var code int
		got := ""
		switch test.command {
		case "Get":
			var v value
			v, code = c.get(test.uri)
			got = v.format + " " + v.data
		case "Add":
			code = c.add(test.uri, test.format, "", test.data)
		case "Replace":
			code = c.replace(test.uri, test.data)
		case "Delete":
			code = c.remove(test.uri)
		case "Exec":
			_, _, code = c.execute(test.uri)
		}
		if code != test.code || test.want != "" && got != test.want {
			t.Errorf("%s %s: %d %q (want %d %q)", test.command, test.uri, code, got, test.code, test.want)
		}
	}
	if n := RedBend.tree(int(h.model)).child("Ext").child("RedBend").child("PollingIntervalInHours"); n.value != "168" {
		t.Errorf("the model's tree has changed: %q", n.value)
	}
}

// TestMakesDiffer in what a server has to find out about them (section 9).
func TestMakesDiffer(t *testing.T) {
	for _, test := range []struct {
		make   *Make
		uri    string
		code   int
		answer string
	}{
		{S60, ".", 200, "DevInfo/DevDetail/DMAcc/NAP/SCM"},
		{S60, "./DevDetail/DevTyp", 200, "smartphone"},
		{S60, "./DevDetail/URI/MaxSegLen", 200, "9"},
		{S60, "./SCM", 200, "Inventory/Download/Ext"},
		{S60, "./SCM?list=TNDS", 404, ""},
		{S60, "./SCM?prop=Type", 406, ""},
		{S60, "./DMAcc/DMId000/AppAuth/Auth000/AAuthSecret", 405, ""},
		{S60, "./DMAcc/DMId000/ServerID", 200, "dm.example"},
		{Windows, "/DevInfo/Man", 400, ""},
		{BasicOnly, ".", 425, ""},
		{BasicOnly, "./DevInfo/DmV", 200, "1.1.2"},
		{BasicOnly, "./FUMO", 404, ""},
		{BasicOnly, "./SCOMO", 404, ""},
		{BasicOnly, "./SCM", 404, ""},
		{BasicOnly, "./DevInfo?list=TNDS", 405, ""},
		{BasicOnly, "./SyncML/DMAcc/DMId000/ServerPW", 405, ""},
		{LDM, ".", 200, "DevInfo/DevDetail/DMAcc/FUMO"},
		{LDM, "./FUMO?prop=Type", 200, "urn:oma:mo:oma-fumo:1.0"},
	} {
		s := newTestServer(t)
		h := New(test.make, NewIdentity(7, 1), Temper{}, quick(t))
		s.bootstrap(h)
		tr := h.tree()
		c := h.Make.commands(&tr)
		if v, code := c.get(test.uri); code != test.code || v.data != test.answer {
			t.Errorf("%s: Get %s: %d %q (want %d %q)", h.Make.Name, test.uri, code, v.data, test.code, test.answer)
		}
	}
}

// TestCommands: statuses of a whole message, in its order, with Sequence and Atomic (section 2.3).
func TestCommands(t *testing.T) {
	for _, test := range []struct {
		name   string
		make   *Make
		script string
		want   []string
		value  string // of ./FUMO/PkgName afterwards
	}{
		{
			"Sequence", RedBend, "Sequence\n Get ./DevInfo/Man\n Get ./Nowhere\n Get ./DevInfo/Mod",
			[]string{"Sequence 200", "Get ./DevInfo/Man 200", "Get ./Nowhere 404", "Get ./DevInfo/Mod 200"}, "",
		},
		{
			"Atomic", RedBend, "Atomic\n Replace ./FUMO/PkgName chr a\n Replace ./FUMO/PkgVersion chr b",
			[]string{"Atomic 200", "Replace ./FUMO/PkgName 200", "Replace ./FUMO/PkgVersion 200"}, "a",
		},
		{
			"Atomic undone", RedBend, "Atomic\n Replace ./FUMO/PkgName chr a\n Replace ./Nowhere chr b\n Delete ./FUMO",
			[]string{"Atomic 507", "Replace ./FUMO/PkgName 216", "Replace ./Nowhere 404", "Delete ./FUMO 215"}, "",
		},
		{
			"Atomic not undone", LDM, "Atomic\n Replace ./FUMO/PkgName chr a\n Replace ./Nowhere chr b",
			[]string{"Atomic 507", "Replace ./FUMO/PkgName 516", "Replace ./Nowhere 404"}, "a",
		},
		{
			"alerts", RedBend, "Alert 1100 hello\nAlert 1101 sure?\nAlert 1102 name?\nAlert 1100",
			[]string{"Alert 1100 200", "Alert 1101 200", "Alert 1102 406", "Alert 1100 412"}, "",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newTestServer(t, test.script)
			h := New(test.make, NewIdentity(7, 1), Temper{}, quick(t))
			s.bootstrap(h)
			if err := h.Session(t.Context()); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(s.statuses, test.want) {
				t.Errorf("statuses %q (want %q)", s.statuses, test.want)
			}
			if v, ok := h.Lookup("./FUMO/PkgName"); !ok || v != test.value {
				t.Errorf("PkgName %q (want %q)", v, test.value)
			}
		})
	}
}

// TestLargeObject: chunks get 213, the last of them the status of the command (section 2.2).
func TestLargeObject(t *testing.T) {
	s := newTestServer(t,
		"Replace ./FUMO/PkgName chr abc\n...", "Replace ./FUMO/PkgName chr def\n...", "Replace ./FUMO/PkgName chr gh")
	chunk(s, 8)
	h := New(RedBend, NewIdentity(7, 1), Temper{}, quick(t))
	s.bootstrap(h)
	if err := h.Session(t.Context()); err != nil {
		t.Fatal(err)
	}
	clean(t, h)
	if v, _ := h.Lookup("./FUMO/PkgName"); v != "abcdefgh" {
		t.Errorf("PkgName %q", v)
	}
	uri := "Replace ./FUMO/PkgName "
	if want := []string{uri + "213", uri + "213", uri + "200"}; !slices.Equal(s.statuses, want) {
		t.Errorf("statuses %q (want %q)", s.statuses, want)
	}
}

// TestLargeObjectS60: no Size is 411, and an interruption ends the session with 1223 (trap 17).
func TestLargeObjectS60(t *testing.T) {
	first := "Replace ./DMAcc/DMId000/Name chr abc\n..."
	for _, test := range []struct {
		size   int
		script []string
		status string // of the first chunk
		err    error
	}{
		{0, []string{first}, "411", nil},
		{6, []string{first, "Get ./DevInfo/Man"}, "213", ErrAborted},
	} {
		s := newTestServer(t, test.script...)
		chunk(s, test.size)
		h := New(S60, NewIdentity(7, 1), Temper{}, quick(t))
		s.bootstrap(h)
		if err := h.Session(t.Context()); !errors.Is(err, test.err) {
			t.Errorf("size %d: %v (want %v)", test.size, err, test.err)
		}
		if want := "Replace ./DMAcc/DMId000/Name " + test.status; s.statuses[0] != want {
			t.Errorf("size %d: %q (want %q)", test.size, s.statuses[0], want)
		}
		if aborted := slices.ContainsFunc(s.alerts, func(a string) bool {
			return strings.HasPrefix(a, "1223")
		}); aborted != (test.err != nil) || !violated(h, RuleObject) {
			t.Errorf("size %d: alerts %q, violations %v", test.size, s.alerts, h.Violations())
		}
	}
}

// TestItems: items that fare alike share a Status, others have one each; NoResp gets none.
func TestItems(t *testing.T) {
	s := newTestServer(t, "Get ./DevInfo/Man", "Get ./DevInfo/Man", "Get ./DevInfo/Man")
	s.tamper = func(turn int, out *syncml.Message) {
		c := &out.Commands[len(out.Commands)-1]
		switch {
		case c.Kind != syncml.Get:
		case turn == 1:
			out.AddItem().Target.URI = []byte("./DevInfo/Mod")
		case turn == 2:
			out.AddItem().Target.URI = []byte("./Nowhere")
		case turn == 3:
			c.NoResp = true
		}
	}
	h := New(RedBend, NewIdentity(7, 1), Temper{}, quick(t))
	s.bootstrap(h)
	if err := h.Session(t.Context()); err != nil {
		t.Fatal(err)
	}
	clean(t, h)
	uri := "Get ./DevInfo/Man "
	if want := []string{uri + "200", uri + "200", uri + "404"}; !slices.Equal(s.statuses, want) {
		t.Errorf("statuses %q (want %q)", s.statuses, want)
	}
	man, mod, _ := h.Model()
	if s.results["./DevInfo/Man"] != man+man+man || s.results["./DevInfo/Mod"] != mod {
		t.Errorf("results %q", s.results)
	}
}
