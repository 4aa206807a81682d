package main

import (
	"bytes"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dmgate/modempool/modemsim"
)

// decodeText decodes what a file may hold.
func decodeText(out io.Writer, as string, in []byte) error {
	lines, err := unhex(in)
	if err != nil {
		return err
	}
	return decode(out, as, lines)
}

// What decode makes of things: by name, and by guessing. The samples are those of the fact sheet.
func TestDecode(t *testing.T) {
	cases := []struct{ name, as, hex, want string }{
		{"SI", "si", "02056A0045C60E03646D2E746573742F780011033100080103476574206170700001" + "01", "https://dm.test/x"},
		{"SL", "sl", "02066A00850B03646D2E746573742F78000601", "https://dm.test/x"},
		{"notification", "notification",
			"00943DD49AE64416B0788E0B4CDA3ED202D8000000123412636F6D2E6D676D747372762E6D616E616765", "server: com.mgmtsrv.manage"},
		{"push of a notification", "push",
			"010603C4AF87" + "00943DD49AE64416B0788E0B4CDA3ED202D8000000123412636F6D2E6D676D747372762E6D616E616765",
			"application id: 0x07"},
		{"provisioning document", "cp", "030B6A00C54601C655018711060" + "34E310001" + "0101", `value="N1"`},
		{"SyncML", "syncml", "02A4016A00 6D 6C 71 03312E320001 72 03444D2F312E320001 65 03310001 5B 03310001" +
			"6E57 03610001 01 6757 03620001 01 01 6B 12 01 01", "<SessionID>1</SessionID>"},
		{"status report", "sms", "06070B919471103254766221011310000062210113100500" + "00", "delivered"},
	}
	for _, c := range cases {
		for _, as := range []string{c.as, "auto"} {
			t.Run(c.name+" as "+as, func(t *testing.T) {
				var out bytes.Buffer
				if err := decodeText(&out, as, []byte(c.hex)); err != nil {
					t.Fatal(err)
				}
				if !strings.Contains(out.String(), c.want) {
					t.Errorf("want %q in\n%s", c.want, out.String())
				}
			})
		}
	}
}

// Bad input ends with one line that names the offset, and nothing on standard output.
func TestDecodeBadInput(t *testing.T) {
	for _, c := range []struct{ name, as, in, want string }{
		{"nothing", "auto", "", "offset 0: empty input"},
		{"text", "auto", "hello", "offset 0: neither"},
		{"cut short", "auto", "02A4016A006D6C71", "wbxml: offset 8: document ends inside an element"},
		{"XML cut short", "auto", "<SyncML xmlns='SYNCML:SYNCML1.2'><SyncHdr>", "xml: offset 42"},
		{"another root", "auto", "<html/>", "offset 0: neither"},
		{"no such push", "push", "010703C4AF87", "push: offset 1"},
		{"second SMS cut short", "sms", "61000C9194711032547600F5\n6100", "line 1: tpdu: offset 12"},
		{"two of one", "syncml", "02\n02", "wbxml: offset 2: document ends in the charset"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			err := decodeText(&out, c.as, []byte(c.in))
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want %q in one line", err, c.want)
			}
		})
	}
}

// The corpus in all its forms decodes to the same XML, and encodes to what libwbxml makes of it.
func TestCorpus(t *testing.T) {
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join("../codec/syncml/baseline/corpus", name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for _, p := range []string{"p1", "p3", "p4"} {
		var want string
		for _, form := range []string{".xml", ".wbxml", ".inl.wbxml", ".st.wbxml"} {
			for _, in := range [][]byte{read(p + form), []byte(hex.EncodeToString(read(p + form)))} {
				var out bytes.Buffer
				if err := decodeText(&out, "auto", in); err != nil {
					t.Fatalf("%s%s: %v", p, form, err)
				}
				if want == "" {
					want = out.String()
				}
				if out.String() != want {
					t.Errorf("%s%s differs from the XML", p, form)
				}
			}
		}
		got, err := encode("auto", read(p+".xml"))
		if err != nil || !bytes.Equal(got, read(p+".inl.wbxml")) {
			t.Errorf("%s encoded differs from libwbxml's (%v)", p, err)
		}
	}
}

// What push prints is what decode reads: the TPDUs of a signed document.
func TestPushDryRunDecodes(t *testing.T) {
	const doc = `<wap-provisioningdoc version="1.0"><characteristic type="APPLICATION">` +
		`<parm name="APPID" value="w7"/><parm name="PROVIDER-ID" value="dm.example"/></characteristic></wap-provisioningdoc>`
	p := pushCmd{To: "+491701234567", PIN: "1234"}
	pdu, err := p.build([]byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	tpdus, err := p.tpdus(pdu)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	lines := make([]line, len(tpdus))
	for i, tpdu := range tpdus {
		lines[i].pdu = tpdu
	}
	if err := decode(&out, "auto", lines); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"SMS-SUBMIT to +491701234567, report wanted, port 2948", "SEC: userpin", `value="dm.example"`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("want %q in\n%s", want, out.String())
		}
	}
	p.To = "nobody"
	if _, err := p.build([]byte(doc)); err == nil || !strings.Contains(err.Error(), "--to") {
		t.Errorf("a push to nobody: %v", err)
	}
}

// A push sent by hand goes through a real pty to the network, once.
func TestPushSends(t *testing.T) {
	bank, err := modemsim.Start(modemsim.Options{Modems: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer bank.Close()
	p := pushCmd{To: "+491701234567", Port: bank.Paths()[0], Wait: 20 * time.Second}
	if err := p.send(bytes.Repeat([]byte{1}, 300)); err != nil {
		t.Fatal(err)
	}
	if n := bank.Counts()[0].Accepted; n != 3 {
		t.Errorf("%d SMS, want 3", n)
	}
	bank.Unplug(0)
	p.Wait = 200 * time.Millisecond
	if err := p.send([]byte{1}); err == nil || !strings.Contains(err.Error(), "not sent (queued)") {
		t.Errorf("without a modem: %v", err)
	}
}
