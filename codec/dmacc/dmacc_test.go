package dmacc

import (
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"dmgate/codec/cp"
	"dmgate/codec/internal/oracle"
	"dmgate/codec/push"
	"dmgate/codec/syncml"
	"dmgate/codec/tnds"
)

func sample() cp.DMAccount {
	return cp.DMAccount{
		ServerID: "dm.example", Name: "Example", Addr: "https://dm.example/dm", ToNAPID: "./Inbox/N1",
		Device: cp.Login{Type: "DIGEST,BASIC", Name: "u1", Secret: "p1", Nonce: "n1"},
		Server: cp.Login{Name: "dm.example", Secret: "s1"},
	}
}

// The tree of section 8.1, leaf for leaf.
func TestNode(t *testing.T) {
	a := sample()
	tree := tnds.Tree{Nodes: []tnds.Node{Node("acc", &a)}}
	var got []string
	tree.Walk(Inbox, func(uri string, n *tnds.Node) {
		if n.Value != nil {
			got = append(got, strings.TrimPrefix(uri, "./Inbox/acc/")+"="+string(n.Value))
		}
	})
	want := []string{
		"AppID=w7", "ServerID=dm.example", "Name=Example", "ToConRef/1/ConRef=./Inbox/N1",
		"AppAddr/1/Addr=https://dm.example/dm", "AppAddr/1/AddrType=URI", "AppAddr/1/Port/1/PortNbr=443",
		"AAuthPref=DIGEST",
		"AppAuth/1/AAuthLevel=CLCRED", "AppAuth/1/AAuthType=DIGEST", "AppAuth/1/AAuthName=u1", "AppAuth/1/AAuthSecret=p1",
		"AppAuth/1/AAuthData=n1",
		"AppAuth/2/AAuthLevel=SRVCRED", "AppAuth/2/AAuthType=BASIC", "AppAuth/2/AAuthName=dm.example",
		"AppAuth/2/AAuthSecret=s1",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	root := &tree.Nodes[0]
	if root.Props.DDFName != ID || root.Props.ACL != "Get=dm.example&Replace=dm.example&Delete=dm.example" {
		t.Errorf("root %+v", root.Props)
	}
	if f := root.Find("AppAuth/1/AAuthData").Props.Format; f != "bin" {
		t.Errorf("nonce of format %s", f)
	}
}

func TestBootstrap(t *testing.T) {
	nap := tnds.Interior("N1", tnds.Leaf("NAPID", "chr", "N1"))
	b := Bootstrap{Account: sample(), Device: "IMEI:1", More: []tnds.Node{nap}}
	var m syncml.Message
	if err := m.Read(b.Append(nil), syncml.WBXML, nil); err != nil {
		t.Fatal(err)
	}
	if len(m.Commands) != 1 || !m.Final || m.Header.Cred.Present() {
		t.Fatalf("%+v", m)
	}
	add := &m.Commands[0]
	it := &add.Items[0]
	if add.Kind != syncml.Add || string(add.CmdID) != "1" || string(it.Target.URI) != "./Inbox" ||
		string(it.Meta.Format) != "bin" || string(it.Meta.Type) != "application/vnd.syncml.dmtnds+wbxml" {
		t.Errorf("%+v", add)
	}
	tree, err := tnds.Read(it.Data, nil)
	if err != nil || len(tree.Nodes) != 2 || tree.Nodes[0].Name != "N1" || tree.Nodes[1].Name != "dm.example" {
		t.Errorf("%+v, %v", tree, err)
	}
	p, err := b.Push(push.UserPIN, push.Key{PIN: "1234"})
	if err != nil || p.ContentType != push.TypeDMWBXML || p.AppID != push.AppDM ||
		!push.Verify(push.UserPIN, p.MAC, push.Key{PIN: "1234"}, p.Body) {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := b.Push(push.UserPINMAC, push.Key{}); err == nil {
		t.Error("signed in a way that the profile has not")
	}
	got, ok, err := Read(&m)
	want := sample()
	want.Port, want.Device.Type, want.Server.Type = 443, "DIGEST", "BASIC"
	if err != nil || !ok || !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v, %v, %v\nwant %+v", got, ok, err, want)
	}
}

// A login without a type, and a tree whose Format stands with the Add and not with its Item.
func TestReadBase64(t *testing.T) {
	want := sample()
	want.Device.Type = ""
	b := Bootstrap{Account: want}
	var m, again syncml.Message
	if err := m.Read(b.Append(nil), syncml.WBXML, nil); err != nil {
		t.Fatal(err)
	}
	add := &m.Commands[0]
	add.Meta.Format, add.Items[0].Meta.Format, add.Items[0].Data = []byte("b64"), nil, m.Base64(add.Items[0].Data)
	if err := again.Read(m.Append(nil, syncml.XML), syncml.XML, nil); err != nil {
		t.Fatal(err)
	}
	want.Port, want.Device.Type, want.Server.Type = 443, "DIGEST", "BASIC"
	if got, ok, err := Read(&again); err != nil || !ok || !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v, %v, %v\nwant %+v", got, ok, err, want)
	}
}

// Names of the node: given, made of the ServerID, or neither.
func TestNodeName(t *testing.T) {
	for _, c := range []struct{ node, server, want string }{
		{"acc", "s", "acc"}, {"", "a/b", "a_b"}, {"", "", "1"},
	} {
		if got := (&Bootstrap{Node: c.node, Account: cp.DMAccount{ServerID: c.server}}).node(); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

func TestReadNothing(t *testing.T) {
	var m syncml.Message
	m.AddCommand(syncml.Get)
	m.AddItem().Target.URI = []byte(Inbox)
	m.AddCommand(syncml.Add)
	m.AddItem().Target.URI = []byte("./X")
	it := m.AddItem()
	it.Target.URI = []byte(Inbox)
	it.Data = (&tnds.Tree{Nodes: []tnds.Node{tnds.Interior("x")}}).AppendXML(nil)
	if _, ok, err := Read(&m); ok || err != nil {
		t.Errorf("%v, %v", ok, err)
	}
	it.Data = []byte("\x03")
	if _, ok, err := Read(&m); ok || err == nil {
		t.Errorf("a broken tree: %v, %v", ok, err)
	}
}

// Whatever the account, a phone reads of it what was meant; through libwbxml as well, which makes no base64 of a nonce.
func TestRoundTrip(t *testing.T) {
	wbxml2xml := oracle.Need(t, "wbxml2xml")
	word := rapid.StringMatching(`[a-zA-Z0-9.ü<&-]{1,12}`)
	nonce := rapid.StringMatching(`-[a-z0-9]{1,9}`) // never base64
	login := func(t *rapid.T) cp.Login {
		return cp.Login{Type: rapid.SampledFrom([]string{"BASIC", "DIGEST", "HMAC"}).Draw(t, "type"),
			Name: word.Draw(t, "name"), Secret: word.Draw(t, "secret"), Nonce: nonce.Draw(t, "nonce")}
	}
	account := rapid.Custom(func(t *rapid.T) cp.DMAccount {
		return cp.DMAccount{ServerID: word.Draw(t, "id"), Name: word.Draw(t, "name"), Addr: "http://" + word.Draw(t, "host"),
			Port: rapid.IntRange(1, 65535).Draw(t, "port"), ToNAPID: word.Draw(t, "nap"), Device: login(t), Server: login(t)}
	})
	read := func(doc []byte, enc syncml.Encoding) cp.DMAccount {
		t.Helper()
		var m syncml.Message
		if err := m.Read(doc, enc, nil); err != nil {
			t.Fatalf("%v\n%s", err, doc)
		}
		got, ok, err := Read(&m)
		if err != nil || !ok {
			t.Fatalf("%v, %v\n%s", ok, err, doc)
		}
		return got
	}
	for seed := range 60 {
		want := account.Example(seed)
		doc := (&Bootstrap{Account: want}).Append(nil)
		if got := read(doc, syncml.WBXML); !reflect.DeepEqual(got, want) {
			t.Fatalf("got  %+v\nwant %+v", got, want)
		}
		var m syncml.Message
		if err := m.Read(doc, syncml.WBXML, nil); err != nil {
			t.Fatal(err)
		}
		if got := read(m.Append(nil, syncml.XML), syncml.XML); !reflect.DeepEqual(got, want) {
			t.Fatalf("as XML: got  %+v\nwant %+v", got, want)
		}
		viaXML := oracle.Run(t, doc, wbxml2xml, "-m", "0", "-o", "-", "-")
		got := read(viaXML, syncml.XML)
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("by way of libwbxml:\ngot  %+v\nwant %+v\n%s", got, want, viaXML)
		}
	}
}
