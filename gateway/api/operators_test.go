package api_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"dmgate/codec/cp"
	"dmgate/codec/push"
	"dmgate/gateway/api"
	"dmgate/gateway/operatorlist"
)

// sendAs makes a call whose body is of a kind.
func (r *rig) sendAs(method, path, body, kind string) reply {
	r.t.Helper()
	client := &http.Client{Transport: typed{kind}}
	return r.send(client, method, path, body, "Bearer "+adminKey)
}

type typed struct{ kind string }

func (t typed) RoundTrip(req *http.Request) (*http.Response, error) {
	kind, coding, _ := strings.Cut(t.kind, " ")
	req.Header.Set("Content-Type", kind)
	if coding != "" {
		req.Header.Set("Content-Encoding", coding)
	}
	return http.DefaultTransport.RoundTrip(req)
}

const example = `{"name":"Example","country":"DE","naps":[{"id":"N1","name":"Web","apn":"internet","internet":true,` +
	`"auth":"PAP","user":"u","secret":"s3cret"}],"proxies":[{"id":"P1","addr":"192.0.2.1","port":8080,"nap":"N1"}]}`

func TestOperators(t *testing.T) {
	r := newRig(t)
	var o operatorlist.Operator
	r.want(r.call("PUT", "/v1/operators/26201", example), 200, &o)
	if o.Code != "26201" || o.Source != "api" || !o.NAPs[0].HasSecret || o.NAPs[0].Secret != nil {
		t.Fatalf("%+v", o)
	}
	kept := strings.Replace(example, `,"secret":"s3cret"`, "", 1)
	r.want(r.call("PUT", "/v1/operators/26201", kept), 200, &o)
	r.get("/v1/operators/26201", &o)
	if !o.NAPs[0].HasSecret {
		t.Error("a secret that was not said is gone")
	}
	var page api.OperatorPage
	r.get("/v1/operators", &page)
	if len(page.Operators) != 1 || page.Operators[0].Code != "26201" {
		t.Errorf("%+v", page)
	}
	for _, c := range []struct{ path, body, field, detail string }{
		{"/v1/operators/2620", example, "code", `"2620" is no MCC and MNC of 5 or 6 digits`},
		{"/v1/operators/26201", `{"code":"26202"}`, "code", `"26202", and the path says "26201"`},
		{"/v1/operators/26201", `{"naps":[]}`, "naps", "0 access points and 0 proxies (want 1 to 16, and no more proxies)"},
		{"/v1/operators/26201", strings.Replace(example, "s3cret", `a\u0000`, 1), "naps[0].secret",
			"holds a control character, or is no UTF-8"},
	} {
		if p := r.refused(r.call("PUT", c.path, c.body), 422); p.Field != c.field || p.Detail != c.detail {
			t.Errorf("%+v, want %s: %s", p, c.field, c.detail)
		}
	}

	d := r.device(1)
	var sent api.Sendings
	r.want(r.call("POST", "/v1/access-points",
		fmt.Sprintf(`{"devices":[%q],"operator":"sim","sec":"netwpin"}`, d.ID)), 202, &sent)
	if sent.Ordered != 1 || sent.Orders[0].PIN != "" {
		t.Fatalf("%+v", sent)
	}
	ordered := r.order(fmt.Sprintf(`{"devices":[%q],"operator":"26201","nap":"N1"}`, d.ID))
	if ordered.Ordered != 1 {
		t.Fatalf("%+v", ordered)
	}
	pushes, err := r.store.Pushes(d.ID)
	if err != nil || len(pushes) != 2 {
		t.Fatalf("%d pushes: %v", len(pushes), err)
	}
	for i, accounts := range []int{0, 1} {
		p, _ := push.ReadPush(pushes[i].PDU)
		doc, err := cp.Read(p.Body)
		if err != nil || len(doc.Accounts) != accounts || len(doc.NAPDefs) != 1 || doc.NAPDefs[0].Auth.Secret != "s3cret" ||
			len(doc.Proxies) != 1 {
			t.Errorf("document %d: %+v, %v", i, doc, err)
		}
	}
	given := fmt.Sprintf(`{"devices":[%q],"naps":[{"id":"N1","apn":"x"}],"operator":"26201"}`, d.ID)
	r.want(r.call("POST", "/v1/access-points", given), 202, &sent)
	if sent.Refused != 1 {
		t.Errorf("an entry and settings: %+v", sent)
	}
	if strings.Contains(r.log.String(), "s3cret") || strings.Contains(r.call("GET", "/v1/feed", "").body, "s3cret") {
		t.Error("a secret was told")
	}
	r.want(r.call("DELETE", "/v1/operators/26201", ""), 200, &struct{}{})
	r.refused(r.call("GET", "/v1/operators/26201", ""), 404)
	r.refused(r.call("DELETE", "/v1/operators/26201", ""), 404)
}

func TestImportOperators(t *testing.T) {
	r := newRig(t)
	const csv = "code,operator,apn\n26201,Example,internet\n26201,Example,wap\n262,Bad,x\n"
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write([]byte(csv))
	z.Close()
	for _, c := range []struct {
		kind, body string
		want       string
	}{
		{"text/csv", csv, "26201 N1 N2 csv"},
		{"text/csv gzip", packed.String(), "26201 N1 N2 csv"},
		{"application/json", `[` + strings.Replace(example, "{", `{"code":"26201",`, 1) + `,{"code":"262"}]`, "26201 N1 json"},
		{"application/xml", `<apns><apn mcc="262" mnc="01" apn="a" carrier="C"/><apn mcc="x"/></apns>`, "26201 N1 xml"},
	} {
		var done api.ImportedOperators
		r.want(r.sendAs("POST", "/v1/operators/import", c.body, c.kind), 200, &done)
		if done.Operators != 1 || done.Refused != 1 || len(done.Problems) != 1 {
			t.Errorf("%s: %+v", c.kind, done)
		}
		var o operatorlist.Operator
		r.get("/v1/operators/26201", &o)
		got := o.Code
		for _, n := range o.NAPs {
			got += " " + n.ID
		}
		if got += " " + o.Source; got != c.want {
			t.Errorf("%s: %s, want %s", c.kind, got, c.want)
		}
	}
	for _, c := range []struct {
		kind, body string
		status     int
		detail     string
	}{
		{"text/plain", csv, 415, `"text/plain", want text/csv, application/json, application/x-ndjson or application/xml`},
		{"text/csv", "a,b\n", 422, `line 1: unknown column "a"`},
		{"application/xml", "<apns>\n<apn", 422, "line 2: unexpected EOF; 0 operators were taken before"},
		{"application/json", `[` + strings.Replace(example, "{", `{"code":"26207",`, 1) + "\n", 422,
			"line 2: the JSON text ends too early; 1 operators were taken before"},
	} {
		if p := r.refused(r.sendAs("POST", "/v1/operators/import", c.body, c.kind), c.status); !strings.HasPrefix(p.Detail, c.detail) {
			t.Errorf("%s: %s, want %s", c.kind, p.Detail, c.detail)
		}
	}
}
