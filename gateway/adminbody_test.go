package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"dmgate/gateway/config"
	"dmgate/gateway/fleet"
	"dmgate/storage"
)

// The admin listener bounds every body but a file of targets, and knows half of one from a whole.
func TestAdminBodies(t *testing.T) {
	const limit = 10_000
	g := started(t, func(c *config.Config) { c.Admin.Body = limit })
	c, err := g.fleet.CreateCampaign(fleet.NewCampaign{What: storage.Action{Kind: "bootstrap", PIN: "1234"}})
	if err != nil {
		t.Fatal(err)
	}
	targets := "/v1/campaigns/" + c.ID + "/targets"
	var file strings.Builder
	file.WriteString("msisdn\n")
	for i := range limit {
		fmt.Fprintf(&file, "+49170%07d\n", i)
	}
	head := func(path, more string) string {
		return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer %s\r\n%s\r\n\r\n", path, g.key, more)
	}
	chunk := func(s string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(s), s) }
	const chunked, csv = "Transfer-Encoding: chunked", "Content-Type: text/csv\r\n"
	const tooLarge = `{"title":"bad request","status":413,"detail":"the body is too large"}`
	for _, c := range []struct {
		name, send string
		half       bool // the client ends its side
		status     int
		text       string
	}{
		{"device", head("/v1/devices", fmt.Sprintf("Content-Length: %d", limit+1)) + strings.Repeat(" ", limit+1), false, 413,
			tooLarge},
		{"device, in chunks", head("/v1/devices", chunked) + strings.Repeat(chunk(strings.Repeat(" ", 1000)), 100), false,
			413, tooLarge},
		{"sign-in", head("/signin", chunked) + strings.Repeat(chunk(strings.Repeat("x", 1000)), 100), false, 413, tooLarge},
		{"device cut off", head("/v1/devices", chunked) + chunk(`{"msisdn":"+491700000001"}`), true, 400,
			`{"title":"bad request","status":400,"detail":"no sound HTTP request"}`},
		{"file cut off", head(targets, csv+chunked) + chunk("msisdn\n+491700000001\n+49170"), true, 400,
			`{"title":"the file broke off","status":400,"detail":"after line 2: it ends too early; what came before is kept: ` +
				`send the file again","kept":{"accepted":1,"repeated":0,"refused":0,"problems":[]}}`},
		{"file", head(targets, fmt.Sprintf("%sContent-Length: %d", csv, file.Len())) + file.String(), false, 200,
			`{"accepted":9999,"repeated":1,"refused":0,"problems":[]}`},
		{"file, in chunks", head(targets, csv+chunked) + chunk(file.String()) + "0\r\n\r\n", false, 200,
			`{"accepted":0,"repeated":10000,"refused":0,"problems":[]}`},
		{"file of nobody", head("/v1/campaigns/x/targets", csv+chunked) + chunk(file.String()) + "0\r\n\r\n", false, 404,
			`{"title":"not found","status":404}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn, err := net.Dial("tcp", g.adminListen.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(20 * time.Second))
			if _, err := io.WriteString(conn, c.send); err != nil {
				t.Errorf("the request is not heard out: %v", err)
			}
			if c.half {
				conn.(*net.TCPConn).CloseWrite()
			}
			r := bufio.NewReader(conn)
			resp, err := http.ReadResponse(r, nil)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(resp.Body)
			if err != nil || resp.StatusCode != c.status || strings.TrimSpace(string(body)) != c.text {
				t.Errorf("status %d %s %v\nwant %d %s", resp.StatusCode, body, err, c.status, c.text)
			}
			if _, err := r.ReadByte(); err != io.EOF {
				t.Errorf("the connection goes on: %v", err)
			}
		})
	}
	if d, err := g.store.Devices("", 1); err != nil || len(d) != 0 {
		t.Errorf("%d devices %v", len(d), err)
	}
}
