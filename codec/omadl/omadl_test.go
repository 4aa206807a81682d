package omadl

import (
	"encoding/xml"
	"testing"
)

func TestDescriptor(t *testing.T) {
	d := Descriptor{
		Type: "application/vnd.symbian.install", Size: 12345, URI: "http://dm.test/t/abc?x=1&y=2", Name: `Mail <1.2> & "more"`,
		NotifyURI: "http://dm.test/t/abc/notify",
	}
	got := string(d.Append(nil))
	want := `<?xml version="1.0" encoding="UTF-8"?><media xmlns="http://www.openmobilealliance.org/xmlns/dd">` +
		`<DDVersion>1.0</DDVersion><name>Mail &lt;1.2&gt; &amp; "more"</name><type>application/vnd.symbian.install</type>` +
		`<size>12345</size><objectURI>http://dm.test/t/abc?x=1&amp;y=2</objectURI>` +
		`<installNotifyURI>http://dm.test/t/abc/notify</installNotifyURI></media>`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	var read struct { // by a reader that is not ours
		XMLName xml.Name `xml:"http://www.openmobilealliance.org/xmlns/dd media"`
		Name    string   `xml:"name"`
		Size    int64    `xml:"size"`
		URI     string   `xml:"objectURI"`
	}
	if err := xml.Unmarshal([]byte(got), &read); err != nil || read.Name != d.Name || read.Size != d.Size || read.URI != d.URI {
		t.Errorf("%+v %v", read, err)
	}
}

func TestReadStatus(t *testing.T) {
	for _, c := range []struct{ body, want, fault string }{
		{"900 Success\n\r", "900 success", ""},
		{"901 Insufficient memory", "901 insufficient memory", ""},
		{"902", "902 the user cancelled it", ""},
		{" \r\n954\tx", "", `omadl: "954\tx" is no status from 900 to 999`},
		{"\r\n954\r\n", "954 loader error", ""},
		{"942 something else", "942", ""},
		{"", "", `omadl: "" is no status from 900 to 999`},
		{"200 OK", "", `omadl: "200 OK" is no status from 900 to 999`},
		{"9000 x", "", `omadl: "9000 x" is no status from 900 to 999`},
		{"-90 x", "", `omadl: "-90 x" is no status from 900 to 999`},
		{"success", "", `omadl: "success" is no status from 900 to 999`},
	} {
		got, err := ReadStatus([]byte(c.body))
		if c.fault != "" {
			if err == nil || err.Error() != c.fault {
				t.Errorf("%q: %v, want %s", c.body, err, c.fault)
			}
			continue
		}
		if err != nil || got.String() != c.want {
			t.Errorf("%q: %v %v, want %s", c.body, got, err, c.want)
		}
	}
}
