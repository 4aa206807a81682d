package cp

import (
	"reflect"
	"testing"

	"dmgate/codec/internal/vector"
)

// The verified sample of section 6.2: an APN, a w7 account with the logins of both sides, and INIT.
const sampleWBXML = `03 0B 6A 00 C5 46 01 |
	C6 55 01 87 11 06 03'N1'00 01 87 07 06 03'Op'00 01 87 10 06 AB 01 87 08 06 03'internet'00 01 87 09 06 89 01 01 |
	C6 00 01 55 01 87 36 06 03'w7'00 01 87 38 06 03'dm.example'00 01 87 07 06 03'Example'00 01
	87 00 00 22 06 03'N1'00 01
	C6 00 01 56 01 87 34 06 03'https://dm.example/dm'00 01 C6 53 01 87 23 06 03'443'00 01 01 01
	C6 57 01 87 30 06 8D 01 87 31 06 03'u1'00 01 87 32 06 03'p1'00 01 87 2F 06 03'n1'00 01 01
	C6 57 01 87 30 06 03'CLIENT'00 01 87 31 06 03'dm.example'00 01 87 32 06 03's1'00 01 87 2F 06 03'n2'00 01 01
	87 05 03'INIT'00 01 01 01`

func sample() *Document {
	return &Document{
		NAPDefs: []NAPDef{{ID: "N1", Name: "Op", APN: "internet"}},
		Accounts: []DMAccount{{
			ServerID: "dm.example",
			Name:     "Example",
			Addr:     "https://dm.example/dm",
			Port:     443,
			ToNAPID:  "N1",
			Device:   Login{Name: "u1", Secret: "p1", Nonce: "n1"},
			Server:   Login{Name: "dm.example", Secret: "s1", Nonce: "n2"},
			Init:     true,
		}},
	}
}

func TestSample(t *testing.T) {
	want := vector.Bytes(t, sampleWBXML)
	if len(want) != 241 {
		t.Fatalf("sample of %d bytes, want 241", len(want))
	}
	if got := sample().AppendWBXML(nil); string(got) != string(want) {
		t.Errorf("got  % X\nwant % X", got, want)
	}
	d, err := Read(want)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(d, sample()) {
		t.Errorf("read %+v", d)
	}
	if err := d.Validate(); err != nil {
		t.Error(err)
	}
	if d, err = ReadXML(d.AppendXML(nil)); err != nil || !reflect.DeepEqual(d, sample()) {
		t.Errorf("by way of XML: %+v, %v", d, err)
	}
}
