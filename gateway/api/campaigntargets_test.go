package api_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"dmgate/gateway/api"
	"dmgate/storage"
)

// post sends a file of targets with the headers given, name by name.
func (r *rig) post(id, file string, headers ...string) reply {
	r.t.Helper()
	req, err := http.NewRequest("POST", r.base+"/v1/campaigns/"+id+"/targets", strings.NewReader(file))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+adminKey)
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, string(text)}
}

// upload sends a file of targets, which has to be taken.
func (r *rig) upload(id, kind, file string) (added api.Added) {
	r.t.Helper()
	r.want(r.post(id, file, "Content-Type", kind), 200, &added)
	return added
}

// targets are all targets of a campaign.
func (r *rig) targets(id string) []storage.Target {
	r.t.Helper()
	found, err := r.store.Targets(id, 0, 1_000_000)
	if err != nil {
		r.t.Fatal(err)
	}
	return found
}

// A file is taken line by line: bad lines are told with their number and reason, the rest goes on; sent again, it adds
// nothing.
func TestTargets(t *testing.T) {
	const e164 = ` is no number in E.164 form ("+", then 7 to 15 digits)`
	for _, c := range []struct {
		kind, file string
		want       api.Added
	}{
		{"text/csv", "msisdn,imsi,pin,device\n+491700000001,262010000000001,1234,\n491700000002,,,\n,,,DEVICE\n\"+4917,,,\n" +
			"+491700000003,x,,\n\n+491700000004,,12,\n+491700000001,,,\n,,,nobody\n,,,\n+491700000005,,,\n",
			api.Added{Accepted: 3, Repeated: 1, Refused: 6, Problems: []api.Problem{
				{Line: 3, Reason: `msisdn: "491700000002"` + e164},
				{Line: 5, Reason: "column 1: the quote is not closed on this line"},
				{Line: 6, Reason: `imsi: "x" is not 6 to 15 digits`},
				{Line: 8, Reason: "pin: not 4 to 10 digits"},
				{Line: 10, Reason: `device: "nobody" is not known`},
				{Line: 11, Reason: `msisdn: ""` + e164},
			}}},
		{"application/x-ndjson", `{"msisdn":"+491700000001"}
{"msisdn":491700000002}
{"device":"DEVICE"}
{"msisdn":"+491700000003","pin":"1234","pin":"1234"}
{"msisdn":"+491700000001"}
`,
			api.Added{Accepted: 2, Repeated: 1, Refused: 2, Problems: []api.Problem{
				{Line: 2, Reason: "msisdn: a number in place of a string"},
				{Line: 4, Reason: `field "pin" is there twice`},
			}}},
	} {
		t.Run(c.kind, func(t *testing.T) {
			r := newRig(t)
			d := r.device(9)
			file := strings.ReplaceAll(c.file, "DEVICE", string(d.ID))
			id := r.campaign(`{"kind":"bootstrap","pin":"1234"}`).ID
			if got := r.upload(id, c.kind, file); !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
			again := c.want
			again.Repeated, again.Accepted = c.want.Repeated+c.want.Accepted, 0
			if got := r.upload(id, c.kind+"; charset=UTF-8", file); !reflect.DeepEqual(got, again) {
				t.Errorf("again: %+v", got)
			}
			accepted := 0
			for _, x := range r.targets(id) {
				if x.State != storage.TargetRefused {
					accepted++
				}
			}
			if accepted != c.want.Accepted {
				t.Errorf("%d targets, want %d", accepted, c.want.Accepted)
			}
		})
	}
}

// Targets are listed by number, also those of one state, and in the report.
func TestTargetPagesAndReport(t *testing.T) {
	r := newRig(t)
	id := r.campaign(`{"kind":"bootstrap","pin":"1234"}`).ID
	file := "msisdn\n"
	for i := range 25 {
		file += fmt.Sprintf("+4917000000%02d\n=1+%d\n", i, i)
	}
	r.upload(id, "text/csv", file)
	all := r.targets(id)
	for _, state := range []storage.TargetState{"", storage.TargetPending, storage.TargetRefused, storage.TargetDone} {
		var want []uint64
		for _, x := range all {
			if state == "" || x.State == state {
				want = append(want, x.Number)
			}
		}
		for _, limit := range []int{1, 7, 25, 50, 51, 1000} {
			var seen []uint64
			for after := uint64(0); ; {
				var page api.TargetPage
				r.get(fmt.Sprintf("/v1/campaigns/%s/targets?limit=%d&after=%d&state=%s", id, limit, after, state), &page)
				for _, x := range page.Targets {
					seen = append(seen, x.Number)
				}
				if after = page.Next; after == 0 {
					break
				}
			}
			if !slices.Equal(seen, want) {
				t.Errorf("state %q, pages of %d: %v, want %v", state, limit, seen, want)
			}
		}
	}
	got := r.call("GET", "/v1/campaigns/"+id+"/report.csv", "")
	if got.status != 200 || got.header.Get("Content-Type") != "text/csv; charset=utf-8; header=present" ||
		got.header.Get("Content-Disposition") != `attachment; filename="campaign-`+id+`.csv"` {
		t.Errorf("%d %v", got.status, got.header)
	}
	lines := strings.Split(got.body, "\r\n")
	time := regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`)
	for i, want := range []string{
		"number,line,msisdn,device,state,stage,attempts,order,since,reason",
		"1,2,+491700000000,,pending,,0,,TIME,",
		`2,3,,,refused,,0,,TIME,"msisdn: ""=1+0"" is no number in E.164 form (""+"", then 7 to 15 digits)"`,
	} {
		if got := time.ReplaceAllString(lines[i], "TIME"); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	if len(lines) != 52 || lines[51] != "" {
		t.Errorf("%d lines, want 51 and nothing more", len(lines))
	}
}

// What is no file of targets as a whole is refused, and the connection ends with the answer.
func TestNoTargets(t *testing.T) {
	r := newRig(t)
	id := r.campaign(`{"kind":"notify"}`).ID
	const csv, json = "text/csv", "application/x-ndjson"
	const wanted = "want text/csv or application/x-ndjson, in UTF-8"
	packed := zip("msisdn\n+491700000001\n")
	for _, c := range []struct {
		name, kind, coding, file string
		status                   int
		detail                   string
	}{
		{"no type", "", "", "x", 415, `"", ` + wanted},
		{"JSON", "application/json", "", "{}", 415, `"application/json", ` + wanted},
		{"another charset", "text/csv; charset=latin1", "", "msisdn\n", 415, `"text/csv; charset=latin1", ` + wanted},
		{"no type at all", "text/csv; charset", "", "msisdn\n", 415, `"text/csv; charset", ` + wanted},
		{"another coding", csv, "br", "msisdn\n", 415, `"br", want gzip or none`},
		{"nothing", csv, "", "", 422,
			"line 1: the file is empty, want a header line with some of msisdn, imsi, dev_id, pin, device"},
		{"no header", csv, "", "+491700000001\n", 422,
			"line 1: no header line: want the names of the columns, some of msisdn, imsi, dev_id, pin, device"},
		{"unknown columns", csv, "", "msisdn,phone\n", 422,
			`line 1: unknown columns "phone"; want some of msisdn, imsi, dev_id, pin, device`},
		{"UTF-16", json, "", "\xFF\xFE{\x00", 422, "line 1: the file is UTF-16, want UTF-8"},
		{"no gzip", csv, "gzip", "msisdn\n+491700000001\n", 400,
			"after line 0: it is no sound gzip; what came before is kept: send the file again"},
		{"half a gzip", csv, "gzip", packed[:len(packed)-9], 400,
			"after line 2: it ends too early; what came before is kept: send the file again"},
	} {
		t.Run(c.name, func(t *testing.T) {
			headers := []string{"Content-Type", c.kind}
			if c.coding != "" {
				headers = append(headers, "Content-Encoding", c.coding)
			}
			got := r.post(id, c.file, headers...)
			r := *r
			r.t = t
			if p := r.refused(got, c.status); p.Detail != c.detail {
				t.Errorf("%q, want %q", p.Detail, c.detail)
			}
		})
	}
	if got := r.targets(id); len(got) > 1 {
		t.Errorf("%d targets", len(got))
	}
	r.refused(r.post("nobody", "msisdn\n", "Content-Type", csv), 404)
	r.refused(r.send(http.DefaultClient, "POST", "/v1/campaigns/"+id+"/targets", "msisdn\n", ""), 401)
	r.want(r.call("POST", "/v1/campaigns/"+id+"/cancel", ""), 200, new(api.Campaign))
	r.refused(r.post(id, "msisdn\n+491700000009\n", "Content-Type", csv), 409)
}

func zip(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.WriteString(w, text)
	w.Close()
	return b.String()
}

func TestTargetsPacked(t *testing.T) {
	r := newRig(t)
	id := r.campaign(`{"kind":"bootstrap","pin":"1234"}`).ID
	var added api.Added
	got := r.post(id, zip("msisdn\n+491700000001\n+491700000002"), "Content-Type", "text/csv", "Content-Encoding", "gzip")
	if r.want(got, 200, &added); added.Accepted != 2 {
		t.Errorf("%+v", added)
	}
}

// numbers is a file of n targets.
func numbers(n int) string {
	var b strings.Builder
	b.WriteString("msisdn\n")
	for i := range n {
		fmt.Fprintf(&b, "+49170%07d\n", i)
	}
	return b.String()
}

// A file that breaks off keeps what came of it, but for a line that is not known to be whole: half a number is another
// number. Sent again it goes on from there.
func TestBrokenUpload(t *testing.T) {
	const n = 5000
	file := numbers(n)
	for _, c := range []struct {
		name   string
		head   string
		cut    func(conn net.Conn)
		status int // where the client still hears it
		detail string
	}{
		{"client gone", fmt.Sprintf("Content-Length: %d", len(file)), func(conn net.Conn) {
			io.WriteString(conn, file[:len(file)/2+5])
			conn.Close()
		}, 0, ""},
		{"client has ended its side", fmt.Sprintf("Content-Length: %d", len(file)), func(conn net.Conn) {
			io.WriteString(conn, file[:len(file)/2+5])
			conn.(*net.TCPConn).CloseWrite()
		}, 400, "it ends too early"},
		{"between chunks", "Transfer-Encoding: chunked", func(conn net.Conn) {
			fmt.Fprintf(conn, "%x\r\n%s\r\n", len(file)/2+5, file[:len(file)/2+5])
			conn.(*net.TCPConn).CloseWrite()
		}, 400, "it ends too early"},
		{"stalled", fmt.Sprintf("Content-Length: %d", len(file)), func(conn net.Conn) {
			io.WriteString(conn, file[:len(file)/2+5])
		}, 408, "the next line did not come in time"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.api.SetLineWithin(200 * time.Millisecond)
			id := r.campaign(`{"kind":"bootstrap","pin":"1234"}`).ID
			conn, err := net.Dial("tcp", strings.TrimPrefix(r.base, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(20 * time.Second))
			fmt.Fprintf(conn, "POST /v1/campaigns/%s/targets HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer %s\r\n"+
				"Content-Type: text/csv\r\n%s\r\n\r\n", id, adminKey, c.head)
			c.cut(conn)
			whole := strings.Count(file[:len(file)/2+5], "\n") - 1
			if c.status != 0 {
				resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
				if err != nil {
					t.Fatal(err)
				}
				body, _ := io.ReadAll(resp.Body)
				want := fmt.Sprintf(`{"title":"the file broke off","status":%d,"detail":"after line %d: %s; what came before `+
					`is kept: send the file again","kept":{"accepted":%d,"repeated":0,"refused":0,"problems":[]}}`+"\n",
					c.status, whole+1, c.detail, whole)
				if string(body) != want {
					t.Errorf("got  %swant %s", body, want)
				}
			}
			r.until("what came is kept", func() bool { return len(r.targets(id)) == whole })
			added := r.upload(id, "text/csv", file)
			if added.Accepted != n-whole || added.Repeated != whole || added.Refused != 0 {
				t.Errorf("again: %+v, want %d repeated", added, whole)
			}
			seen := make(map[string]bool)
			for _, x := range r.targets(id) {
				seen[x.MSISDN] = true
			}
			if len(seen) != n || len(r.targets(id)) != n {
				t.Errorf("%d targets with %d numbers", len(r.targets(id)), len(seen))
			}
		})
	}
}

// A client that is slow and not silent has all the time.
func TestSlowUpload(t *testing.T) {
	r := newRig(t)
	r.api.SetLineWithin(300 * time.Millisecond)
	id := r.campaign(`{"kind":"bootstrap","pin":"1234"}`).ID
	lines := strings.SplitAfter(numbers(8), "\n")
	in, out := io.Pipe()
	go func() {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for _, l := range lines {
			io.WriteString(out, l)
			<-tick.C
		}
		out.Close()
	}()
	req, err := http.NewRequest("POST", r.base+"/v1/campaigns/"+id+"/targets", in)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+adminKey)
	req.Header.Set("Content-Type", "text/csv")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || string(body) != `{"accepted":8,"repeated":0,"refused":0,"problems":[]}`+"\n" {
		t.Errorf("%s %v", body, err)
	}
}

// A gateway that is to end ends an upload, which keeps what came.
func TestUploadEnds(t *testing.T) {
	r := newRig(t)
	id := r.campaign(`{"kind":"bootstrap","pin":"1234"}`).ID
	close(r.done)
	p := r.refused(r.post(id, numbers(2), "Content-Type", "text/csv"), 503)
	if p.Detail != "after line 0: the gateway is ending; what came before is kept: send the file again" {
		t.Errorf("%+v", p)
	}
}

// until waits for what comes by itself.
func (r *rig) until(what string, holds func() bool) {
	r.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(10 * time.Second); !holds(); <-tick.C {
		if time.Now().After(end) {
			r.t.Fatalf("not in time: %s", what)
		}
	}
}

// A report that can not be read to its end breaks off with the connection: half of one must not look like a whole one.
func TestBrokenReport(t *testing.T) {
	r := newRig(t)
	id := r.campaign(`{"kind":"bootstrap","pin":"1234"}`).ID
	r.upload(id, "text/csv", numbers(2500))
	path := "/v1/campaigns/" + id + "/report.csv"
	if got := r.call("GET", path, ""); strings.Count(got.body, "\r\n") != 2501 {
		t.Errorf("%d lines", strings.Count(got.body, "\r\n"))
	}
	r.broken.targets.Store(2)
	req, err := http.NewRequest("GET", r.base+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+adminKey)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return // it broke before anything was sent
	}
	defer resp.Body.Close()
	if text, err := io.ReadAll(resp.Body); err == nil {
		t.Errorf("a whole report of %d bytes", len(text))
	}
}
