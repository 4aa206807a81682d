package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"dmgate/gateway/config"
)

// dialFrom connects to the device listener from an address of its own, which on Linux all of 127.0.0.0/8 are.
func dialFrom(t *testing.T, g *gateway, host string) net.Conn {
	t.Helper()
	from := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(host)}}
	conn, err := from.Dial("tcp", g.deviceListen.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	return conn
}

// A source whose requests never come to their end holds as many connections as it may. One more is told so, and other
// sources notice nothing. When the slow ones are given up their places are free again.
func TestSlowSource(t *testing.T) {
	const share = 5
	g := started(t, func(c *config.Config) {
		c.Device.Source.Connections, c.Device.Source.Exempt = share, []string{"127.0.0.9"}
		c.Device.Timeout = readTimeout
	})
	half := whole(dmMessage(1))[:len(postHead)+40]
	var slow []*bufio.Reader
	for range share {
		conn := dialFrom(t, g, "127.0.0.2")
		fmt.Fprint(conn, half)
		slow = append(slow, bufio.NewReader(conn))
	}
	for range 3 {
		conn := dialFrom(t, g, "127.0.0.2")
		fmt.Fprint(conn, whole(dmMessage(1)))
		resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: "POST"})
		if err != nil {
			t.Fatalf("a connection too many is told nothing: %v", err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != 503 || resp.Header.Get("Retry-After") != "10" ||
			string(body) != "try again later\n" {
			t.Errorf("status %d, Retry-After %q, %q, %v", resp.StatusCode, resp.Header.Get("Retry-After"), body, err)
		}
	}
	for _, host := range []string{"127.0.0.1", "127.0.0.9"} {
		for range share {
			conn := dialFrom(t, g, host)
			fmt.Fprint(conn, whole(dmMessage(1)))
			expectAnswer(t, bufio.NewReader(conn), 200, "")
		}
	}
	for _, r := range slow {
		expectAnswer(t, r, 408, "the request did not come in time")
		if _, err := io.Copy(io.Discard, r); err != nil {
			t.Error(err)
		}
	}
	until(t, "a place is free", func() bool {
		conn := dialFrom(t, g, "127.0.0.2")
		defer conn.Close()
		fmt.Fprint(conn, whole(dmMessage(1)))
		resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: "POST"})
		return err == nil && resp.StatusCode == 200
	})
	var b bytes.Buffer
	g.metrics.WritePrometheus(&b)
	if bytes.Contains(b.Bytes(), []byte(`dmgate_dm_limited_total{limit="connections"} 0`)) {
		t.Error("nothing was counted")
	}
}

// until waits for what comes by itself.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(10 * time.Second); !holds(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("not in time: %s", what)
		}
	}
}

// Denied connections are heard out a few at a time. A flood of them that says nothing does not pile up.
func TestFloodOfConnections(t *testing.T) {
	g := started(t, func(c *config.Config) { c.Device.Source.Connections, c.Device.Source.Exempt = 1, nil })
	for range 4 * heardOut {
		dialFrom(t, g, "127.0.0.2")
	}
	conn := dialFrom(t, g, "127.0.0.3")
	fmt.Fprint(conn, whole(dmMessage(1)))
	expectAnswer(t, bufio.NewReader(conn), 200, "")
}
