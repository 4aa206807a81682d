package fleet

import (
	"errors"
	"strings"
	"testing"
	"time"

	"dmgate/codec/push"
	"dmgate/storage"
)

func TestLinkGoesByWhatSuitsTheDevice(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct {
		man, mod, devTyp string
		way              string
	}{
		{"Nokia", "N95", "smartphone", linkSI},
		{"NOKIA", "6300", "", linkSI},
		{"SonyEricsson", "K750i", "phone", linkSI},
		{"MTK", "MAUI", "", linkSI},
		{"SAMSUNG", "SGH-D900", "", linkSI},
		{"SAMSUNG", "SM-G900F", "", linkSMS},
		{"Samsung Electronics", "GT-I9100", "", linkSMS},
		{"HMD Global", "Nokia 3", "", linkSMS},
		{"Apple", "iPhone", "", linkSMS},
		{"Microsoft", "Lumia 650", "", linkSMS},
		{"Sierra Wireless", "HL7692", "module", ""},
		{"Quectel", "BG96", "LTE modem", ""},
		{"", "", "", linkSMS},
		{"Fairphone", "FP5", "phone", linkSMS},
	} {
		dev := &storage.Device{Facts: map[string]string{"Man": c.man, "Mod": c.mod, "DevTyp": c.devTyp}}
		way, why := r.linkWay(dev)
		if way != c.way || why == "" {
			t.Errorf("%s %s %s: by %q (%s), want %q", c.man, c.mod, c.devTyp, way, why, c.way)
		}
	}
}

func TestLinkPush(t *testing.T) {
	r := newRig(t)
	dev := r.register("+9990001")
	const url = "http://gw.test:8080/t/abc"
	text := linkText("{title}: {url}", "Mail & more", url)
	si, err := r.linkPush(dev, "order1", linkSI, url, text)
	if err != nil || si.Text != "" || si.Kind != "link" || si.Order != "order1" || si.MSISDN != dev.MSISDN ||
		si.State != storage.PushQueued || si.Flow != r.flow("", dev.MSISDN) {
		t.Errorf("%+v %v", si, err)
	}
	p, err := push.ReadPush(si.PDU)
	if err != nil || p.ContentType != push.TypeSIC || p.Signed {
		t.Fatalf("%+v %v", p, err)
	}
	got, err := push.ReadIndication(p.Body)
	want := push.Indication{
		Href: url, ID: "order1", Action: "signal-high", Created: epoch, Expires: epoch.Add(7 * 24 * time.Hour), Text: "Mail & more",
	}
	if err != nil || !got.Created.Equal(want.Created) || !got.Expires.Equal(want.Expires) {
		t.Errorf("%+v %v", got, err)
	}
	if got.Created, got.Expires = want.Created, want.Expires; got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	for _, c := range []struct{ way, text, want string }{
		{linkSMS, text, "Mail & more: " + url},
		{linkSMS, "Get it", "Get it " + url},
		{linkAny, "Get it: " + url + " now", "Get it: " + url + " now"},
	} {
		sms, err := r.linkPush(dev, "order1", c.way, url, c.text)
		if err != nil || sms.Text != c.want || sms.PDU != nil {
			t.Errorf("%+v %v, want %s", sms, err, c.want)
		}
	}
	dev.Facts = map[string]string{"DevTyp": "module"}
	var field *FieldError
	if _, err := r.linkPush(dev, "order1", linkAny, url, text); !errors.As(err, &field) {
		t.Error(err)
	}
	if _, err := r.linkPush(dev, "order1", "fax", url, text); err == nil || !strings.Contains(err.Error(), `no way "fax"`) {
		t.Error(err)
	}
}
