package fleet

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"dmgate/storage"
)

// A reference has nothing that tells who the device is, who uses it or how it is reached.
func TestReferenceTellsOfNoDevice(t *testing.T) {
	dev := &storage.Device{
		ID: "abcdefgh23456789", MSISDN: "+491701234567", IMSI: "262011234567890", DevID: "IMEI:358242011234567",
		Facts: map[string]string{
			"Man": "Nokia", "Mod": "E71", "FwV": "100", "DevId": "IMEI:358242011234567", "Lang": "sw", "Ext/OmcCode": "XEF",
			"OEM": "made for 491701234567", storage.FactTNDS: "yes", storage.FactMaxMsgSize: "10240",
		},
	}
	long := strings.Repeat("x", maxName+1)
	nodes := []storage.Node{
		{URI: ".", Code: 200, Format: "node", Children: []string{"DMAcc", "SCOMO", "491701234567", long}},
		{URI: "./DMAcc", Code: 200, Children: []string{"dmgate", "other"}},
		{URI: "./DMAcc/dmgate/ServerID", Code: 200, Value: "dmgate"},
		{URI: "./DMAcc?prop=Type", Code: 200, Value: "urn:oma:mo:oma-dm-dmacc:1.0"},
		{URI: "./DMAcc?prop=ACL", Code: 200, Value: "Get=dmgate"},
		{URI: "./DevDetail/FwV", Code: 200, Value: "100"},
		{URI: "./DevDetail/OEM", Code: 200, Value: "for IMEI 358242011234567"},
		{URI: "./DevInfo/DevId", Code: 200, Value: "IMEI:358242011234567"},
		{URI: "./DevInfo/Lang", Code: 200, Value: "sw"},
		{URI: "./Device/Vendor/MSFT/EnterpriseDesktopAppManagement/MSI/%7B12%7D/Status", Code: 200, Value: "70"},
		{URI: "./NAP/NAPId001/Addr", Code: 200, Value: "internet"},
		{URI: "./SCOMO/Download", Code: 200, Children: []string{"RB_DP", "{12-34}", "abcdefgh23456789"}},
		{URI: "./SCOMO/Download/20260101/PkgURL", Code: 200, Value: "https://gw.test/t/secret"},
		{URI: "./SCOMO/Inventory/Deployed", Code: 200, Children: []string{"com.example.dating"}},
		{URI: "./SCOMO/Inventory/Deployed/com.example.dating", Code: 200, Children: []string{"Version"}},
		{URI: "./SCOMO/State", Code: 200, Format: "int", Value: "10"},
		{URI: "./SCOMO?list=TNDS", Code: 200, Value: "<MgmtTree/>"},
	}
	want := []string{
		`{"URI":".","Code":200,"Format":"node","Type":"","Children":["DMAcc","SCOMO"],"Value":"","Cut":true}`,
		`{"URI":"./DMAcc","Code":200,"Format":"","Type":"","Children":null,"Value":"","Cut":true}`,
		`{"URI":"./DMAcc?prop=ACL","Code":200,"Format":"","Type":"","Children":null,"Value":"","Cut":false}`,
		`{"URI":"./DMAcc?prop=Type","Code":200,"Format":"","Type":"","Children":null,"Value":"urn:oma:mo:oma-dm-dmacc:1.0","Cut":false}`,
		`{"URI":"./DevDetail/FwV","Code":200,"Format":"","Type":"","Children":null,"Value":"100","Cut":false}`,
		`{"URI":"./DevDetail/OEM","Code":200,"Format":"","Type":"","Children":null,"Value":"","Cut":false}`,
		`{"URI":"./DevInfo/DevId","Code":200,"Format":"","Type":"","Children":null,"Value":"","Cut":false}`,
		`{"URI":"./DevInfo/Lang","Code":200,"Format":"","Type":"","Children":null,"Value":"","Cut":false}`,
		`{"URI":"./SCOMO/Download","Code":200,"Format":"","Type":"","Children":["RB_DP"],"Value":"","Cut":true}`,
		`{"URI":"./SCOMO/Inventory/Deployed","Code":200,"Format":"","Type":"","Children":null,"Value":"","Cut":true}`,
		`{"URI":"./SCOMO/State","Code":200,"Format":"int","Type":"","Children":null,"Value":"","Cut":false}`,
		`{"URI":"./SCOMO?list=TNDS","Code":200,"Format":"","Type":"","Children":null,"Value":"","Cut":false}`,
	}
	r := referenceOf(dev, nodes)
	for i, n := range r.Nodes {
		got, err := json.Marshal(n)
		if err != nil || i >= len(want) || string(got) != want[i] {
			t.Errorf("node %d: %s\nwant %s", i, got, append(want, "none")[min(i, len(want))])
		}
	}
	if len(r.Nodes) != len(want) {
		t.Errorf("%d nodes, want %d", len(r.Nodes), len(want))
	}
	if got, want := fmt.Sprint(r.Facts), "map[FwV:100 Man:Nokia MaxMsgSize:10240 Mod:E71]"; got != want || r.TNDS != "yes" {
		t.Errorf("facts %s, TNDS %s, want %s", got, r.TNDS, want)
	}
}

// Of a tree that is too large what stands high in it is kept, and a hostile one is cut.
func TestReferenceIsBounded(t *testing.T) {
	var nodes []storage.Node
	for i := range 2 * maxReferenceNodes {
		nodes = append(nodes, storage.Node{URI: fmt.Sprintf("./A/B%d/C", i), Code: 200})
	}
	children := make([]string, 2*maxReferenceChildren)
	for i := range children {
		children[i] = fmt.Sprintf("B%d", i)
	}
	nodes = append(nodes, storage.Node{URI: "./A", Code: 200, Children: children, Type: strings.Repeat("\x01\xFF", 4096)})
	r := referenceOf(&storage.Device{}, nodes)
	if len(r.Nodes) != maxReferenceNodes || r.Nodes[0].URI != "./A" {
		t.Fatalf("%d nodes, the first of them %s", len(r.Nodes), r.Nodes[0].URI)
	}
	if a := r.Nodes[0]; len(a.Children) != maxReferenceChildren || !a.Cut || len(a.Type) > maxName ||
		!utf8.ValidString(a.Type) || strings.Contains(a.Type, "\x01") {
		t.Errorf("%d children, cut %v, type %q", len(a.Children), a.Cut, a.Type)
	}
	for i := range nodes {
		nodes[i].Children = children
		for k := range nodes[i].Children {
			children[k] = strings.Repeat("n", 100)
		}
	}
	r = referenceOf(&storage.Device{}, nodes)
	size := 0
	for i := range r.Nodes {
		size += textOf(&r.Nodes[i])
	}
	if size > maxReferenceText || len(r.Nodes) == 0 {
		t.Errorf("%d nodes of %d bytes", len(r.Nodes), size)
	}
}
