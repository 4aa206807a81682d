package api_test

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"dmgate/codec/push"
	"dmgate/gateway/api"
	"dmgate/storage"
)

// bootstraps is the answer to POST /v1/bootstraps.
type bootstraps struct {
	Batch   string `json:"batch"`
	Ordered int    `json:"ordered"`
	Refused int    `json:"refused"`
	Orders  []struct {
		Device storage.DeviceID `json:"device"`
		Order  string           `json:"order"`
		PIN    string           `json:"pin"`
		Error  *problem         `json:"error"`
	} `json:"orders"`
}

func (r *rig) order(body string) bootstraps {
	r.t.Helper()
	var out bootstraps
	r.want(r.call("POST", "/v1/bootstraps", body), 202, &out)
	return out
}

// Each device of a request gets an answer of its own, in the request's order; one that can not be bootstrapped does not
// sink the rest.
func TestBootstraps(t *testing.T) {
	r := newRig(t)
	first, second, nameless := r.device(1), r.device(2), new(api.Device)
	r.want(r.call("POST", "/v1/devices", `{"msisdn":"+491701111111"}`), 201, nameless)
	r.order(fmt.Sprintf(`{"devices":[%q]}`, second.ID))
	for _, c := range []struct {
		name, body string
		devices    []storage.DeviceID
		want       []string // "" for an order, else what is wrong
	}{
		{"known, unknown, ordered", `"sec":"userpin"`, []storage.DeviceID{"nobody", first.ID, second.ID, "", nameless.ID},
			[]string{
				"404 not found", "", "422 device a bootstrap is ordered already: ", "404 not found", "",
			}},
		{"all ordered", `"sec":""`, []storage.DeviceID{first.ID, second.ID}, []string{
			"422 device a bootstrap is ordered already: ", "422 device a bootstrap is ordered already: ",
		}},
		{"network PIN", `"sec":"netwpin"`, []storage.DeviceID{r.device(3).ID, nameless.ID}, []string{
			"", "422 sec netwpin needs the device's IMSI, which is not known",
		}},
		{"unknown sec", `"sec":"rot13"`, []storage.DeviceID{r.device(4).ID}, []string{"422 sec "}},
		{"short PIN", `"pin":"123"`, []storage.DeviceID{r.device(5).ID}, []string{"422 pin not 4 to 10 digits"}},
		{"PIN with letters", `"pin":"12ab"`, []storage.DeviceID{r.device(6).ID}, []string{"422 pin not 4 to 10 digits"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			list, _ := json.Marshal(c.devices)
			got := r.order(fmt.Sprintf(`{"devices":%s,%s}`, list, c.body))
			ordered := 0
			for i, o := range got.Orders {
				text := ""
				if e := o.Error; e != nil {
					text = strings.TrimSpace(fmt.Sprint(e.Status, " ", cmp.Or(e.Field, e.Title), " ", e.Detail))
				} else {
					ordered++
				}
				if o.Device != c.devices[i] || !strings.HasPrefix(text, c.want[i]) || (text == "") != (c.want[i] == "") {
					t.Errorf("device %d: %q %q, want %q", i, o.Device, text, c.want[i])
				}
				if (o.Order != "") != (text == "") || o.Error != nil && o.PIN != "" {
					t.Errorf("device %d: order %q, PIN %q, error %q", i, o.Order, o.PIN, text)
				}
			}
			if got.Ordered != ordered || got.Refused != len(c.devices)-ordered || got.Batch == "" {
				t.Errorf("batch %q, %d ordered, %d refused", got.Batch, got.Ordered, got.Refused)
			}
		})
	}
}

// A device that is named twice is ordered once.
func TestBootstrapNamedTwice(t *testing.T) {
	r := newRig(t)
	d := r.device(1)
	got := r.order(fmt.Sprintf(`{"devices":[%q,%q,%q]}`, d.ID, d.ID, d.ID))
	if got.Ordered != 1 || got.Refused != 2 {
		t.Errorf("%+v", got)
	}
	if pushes, err := r.store.Pushes(d.ID); err != nil || len(pushes) != 1 {
		t.Errorf("%d pushes, %v", len(pushes), err)
	}
}

// A thousand devices in one request are a thousand orders of one batch.
func TestBootstrapMany(t *testing.T) {
	r := newRig(t)
	var ids []storage.DeviceID
	for i := range 300 {
		ids = append(ids, r.device(i).ID)
	}
	list, _ := json.Marshal(ids)
	got := r.order(fmt.Sprintf(`{"devices":%s,"priority":7}`, list))
	seen := make(map[string]bool)
	for i, o := range got.Orders {
		seen[o.Order] = true
		if o.Device != ids[i] || o.Error != nil || !regexp.MustCompile(`^[0-9]{6}$`).MatchString(o.PIN) {
			t.Fatalf("order %d: %+v", i, o)
		}
	}
	if got.Ordered != len(ids) || len(seen) != len(ids) {
		t.Errorf("%d ordered, %d different orders", got.Ordered, len(seen))
	}
	var d api.Device
	r.get("/v1/devices/"+string(ids[77]), &d)
	if len(d.Orders) != 1 || d.Orders[0].Batch != got.Batch || d.State != storage.Ordered || d.Wait == nil ||
		d.Wait.For != "a modem" {
		t.Errorf("%+v", d)
	}
}

// The PIN is told in the answer to the order and nowhere else; what a device's account is secured with is told nowhere
// at all.
func TestSecretsAreKept(t *testing.T) {
	for sec, own := range map[string]string{"userpin": "73914", "usernetwpin": "", "userpinmac": "8264013975",
		"netwpin": ""} {
		t.Run(sec, func(t *testing.T) {
			r := newRig(t)
			d := r.device(1)
			got := r.order(fmt.Sprintf(`{"devices":[%q],"sec":%q,"pin":%q,"apn":"internet"}`, d.ID, sec, own))
			pin := got.Orders[0].PIN
			if (pin == "") != (sec == "netwpin") {
				t.Fatalf("PIN %q", pin)
			}
			// The push goes its way, and everything that can go wrong is logged.
			jobs, err := r.store.Pushes(d.ID)
			if err != nil {
				t.Fatal(err)
			}
			job := jobs[0]
			for _, state := range []storage.PushState{storage.PushSending, storage.PushQueued, storage.PushSending,
				storage.PushSent, storage.PushFailed} {
				job.State, job.Modem, job.Error = state, "a", "the modem hangs"
				job.Attempts++
				if err := r.fleet.Save(&job); err != nil {
					t.Fatal(err)
				}
			}
			r.call("POST", "/v1/bootstraps", fmt.Sprintf(`{"devices":[%q,"nobody"],"pin":"1"}`, d.ID))
			r.broken.err = fmt.Errorf("disk")
			r.call("POST", "/v1/bootstraps", fmt.Sprintf(`{"devices":[%q],"sec":%q,"pin":%q}`, d.ID, sec, own))
			r.broken.err = nil

			account, err := r.store.Account(d.ID)
			if err != nil {
				t.Fatal(err)
			}
			secrets := map[string]string{
				"password": account.Password, "server password": account.ServerPassword, "PDU": string(job.PDU),
				"admin key": adminKey,
			}
			for name, value := range map[string]string{"PIN": pin, "given PIN": own} {
				if value != "" {
					secrets[name] = value
				}
			}
			p, err := push.ReadPush(job.PDU)
			if err != nil {
				t.Fatal(err)
			}
			secrets["MAC"] = p.MAC
			secrets["client nonce"], secrets["server nonce"] = string(account.ClientNonce), string(account.ServerNonce)
			for where, text := range r.everything(d) {
				for name, value := range secrets {
					for _, form := range []string{
						value, base64.StdEncoding.EncodeToString([]byte(value)), hex.EncodeToString([]byte(value)),
						strings.ToUpper(hex.EncodeToString([]byte(value))),
					} {
						if contains(text, form) {
							t.Errorf("%s: the %s is told: %s", where, name, text)
						}
					}
				}
			}
		})
	}
}

// contains says whether text holds a secret. One of digits has to stand alone: an offset or a time may hold its digits
// by chance.
func contains(text, secret string) bool {
	if strings.Trim(secret, "0123456789") != "" {
		return strings.Contains(text, secret)
	}
	return slices.Contains(regexp.MustCompile(`[0-9]+`).FindAllString(text, -1), secret)
}

// everything is all that can be read of the gateway: every call that reads, and the log.
func (r *rig) everything(d *api.Device) map[string]string {
	r.t.Helper()
	all := map[string]string{"log": r.log.String()}
	for _, path := range []string{
		"devices", "devices?msisdn=" + strings.Replace(d.MSISDN, "+", "%2B", 1), "devices/" + string(d.ID),
		"devices/" + string(d.ID) + "/results", "feed?limit=1000", "modems", "overview",
	} {
		got := r.send(http.DefaultClient, "GET", "/v1/"+path, "", "Bearer "+adminKey)
		if got.status != 200 {
			r.t.Fatalf("%s: status %d", path, got.status)
		}
		all[path] = got.body
	}
	if !strings.Contains(all["feed?limit=1000"], "the modem hangs") || !strings.Contains(all["log"],
		"bootstrap not ordered") {
		r.t.Fatalf("too little has happened: %v", all)
	}
	return all
}

// A request that comes again, also at the same time, sends nothing twice and tells the same PIN, whatever has become of
// its orders since.
func TestBootstrapKey(t *testing.T) {
	r := newRig(t)
	var ids []storage.DeviceID
	for i := range 20 {
		ids = append(ids, r.device(i).ID)
	}
	list, _ := json.Marshal(ids)
	body := func(key, more string) string { return fmt.Sprintf(`{"key":%q,"devices":%s%s}`, key, list, more) }
	post := func(body string) (out api.Bootstraps) {
		got := r.call("POST", "/v1/bootstraps", body)
		if err := json.Unmarshal([]byte(got.body), &out); err != nil || got.status != 202 {
			t.Errorf("%d %s", got.status, got.body)
		}
		return out
	}
	answers := make(chan api.Bootstraps)
	for range 4 {
		go func() { answers <- post(body("a", "")) }()
	}
	ordered := 0
	var first api.Bootstraps
	for range 4 {
		got := <-answers
		ordered += got.Ordered
		if got.Ordered+got.Repeated != len(ids) || got.Batch == "" {
			t.Fatalf("%+v", got)
		}
		for i, o := range got.Orders {
			if first.Orders != nil && (o.Order != first.Orders[i].Order || o.PIN != first.Orders[i].PIN) ||
				o.Order != got.Batch+"."+string(ids[i]) || len(o.PIN) != 6 {
				t.Errorf("%+v, after %+v", o, first.Orders[i])
			}
		}
		first = got
	}
	if ordered != len(ids) {
		t.Errorf("%d ordered", ordered)
	}
	if first.Orders[0].PIN == first.Orders[1].PIN && first.Orders[1].PIN == first.Orders[2].PIN {
		t.Error("all have the same PIN")
	}
	pushes := func(want int) {
		t.Helper()
		for _, id := range ids {
			if p, err := r.store.Pushes(id); err != nil || len(p) != want {
				t.Fatalf("%d pushes, %v, want %d", len(p), err, want)
			}
		}
	}
	pushes(1)
	if got := post(body("b", "")); got.Refused != len(ids) || got.Orders[0].Error.Detail !=
		"a bootstrap is ordered already: "+first.Orders[0].Order {
		t.Errorf("another key: %+v", got)
	}
	for _, o := range first.Orders { // all are over
		err := r.store.Commit(&storage.Commit{Device: o.Device, Time: time.Now(),
			Ends: []storage.OrderEnd{{ID: o.Order, State: storage.OrderFailed, Reason: "test"}},
			Edit: func(d *storage.Device) error { d.State = storage.Unanswered; return nil }})
		if err != nil {
			t.Fatal(err)
		}
	}
	if got := post(body("a", "")); got.Repeated != len(ids) || got.Orders[7].PIN != first.Orders[7].PIN {
		t.Errorf("after the end: %+v", got)
	}
	pushes(1)
	if got := post(body("b", `,"sec":"userpinmac"`)); got.Ordered != len(ids) || got.Orders[0].PIN == "" {
		t.Errorf("another key after the end: %+v", got)
	}
	pushes(2)
	if got := post(body("b", `,"sec":"userpinmac"`)); got.Repeated != len(ids) || got.Orders[0].PIN != "" {
		t.Errorf("a PIN that hangs on the document: %+v", got.Orders[0])
	}
	if p := r.refused(r.call("POST", "/v1/bootstraps", body(strings.Repeat("k", 201), "")), 422); p.Field != "key" {
		t.Errorf("%+v", p)
	}
}
