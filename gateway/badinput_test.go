package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"dmgate/bench/handset"
	"dmgate/codec/push"
	"dmgate/codec/syncml"
	"dmgate/gateway/config"
	"dmgate/gateway/device"
	"dmgate/gateway/fleet"
	"dmgate/storage"
)

// started is a whole gateway on ports of its own, without modems.
func started(t *testing.T, set func(*config.Config)) *gateway {
	t.Helper()
	c := config.Default()
	c.Data, c.Device.Listen, c.Admin.Listen = t.TempDir(), "127.0.0.1:0", "127.0.0.1:0"
	c.Device.Drain = 100 * time.Millisecond
	set(&c)
	g, err := build(c, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- g.run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Errorf("the gateway ended with %v", err)
		}
	})
	return g
}

// bootstrapped makes handset i known to g and hands it the segments of its bootstrap, which wait for a modem.
func bootstrapped(t *testing.T, g *gateway, k *handset.Make, i int, world *handset.World) *handset.Handset {
	t.Helper()
	h := handset.New(k, handset.NewIdentity(i, 1), handset.Temper{}, world)
	d, err := g.fleet.Register(fleet.NewDevice{MSISDN: h.MSISDN, IMSI: h.IMSI, DevID: h.DevID()})
	if err != nil {
		t.Fatal(err)
	}
	placed, err := g.fleet.Bootstrap(fleet.Bootstrap{Device: d.ID})
	if err != nil {
		t.Fatal(err)
	}
	pushes, err := g.store.Pushes(d.ID)
	if err != nil {
		t.Fatal(err)
	}
	segments, err := push.Split(pushes[0].PDU, push.Ports{Dst: push.PortPush}, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, ud := range segments {
		h.Receive(ud)
	}
	h.Tell(placed.PIN)
	return h
}

// dmMessage is package 1 of a device that nobody knows: the gateway challenges it.
func dmMessage(msgID int) []byte {
	var m syncml.Message
	h := &m.Header
	h.VerDTD, h.VerProto, h.SessionID, h.MsgID = m.Text("1.2"), m.Text("DM/1.2"), m.Text("1"), m.Number(msgID)
	h.Target.URI, h.Source.URI = m.Text("http://dm.example/dm"), m.Text("IMEI:490154203237518")
	c := m.AddCommand(syncml.Alert)
	c.CmdID, c.Data = m.Number(1), m.Text("1201")
	m.Final = true
	return m.Append(nil, syncml.WBXML)
}

const postHead = "POST /dm HTTP/1.1\r\nHost: dm.example\r\nContent-Type: application/vnd.syncml.dm+wbxml\r\n"

// withLength is a request with the Content-Length given, which need not be that of the body.
func withLength(n int, body []byte) string {
	return fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", postHead, n, body)
}

func whole(body []byte) string { return withLength(len(body), body) }

func chunked(body []byte) string {
	return fmt.Sprintf("%sTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", postHead, len(body), body)
}

// expectAnswer reads one answer. A status of 100 is passed over.
func expectAnswer(t *testing.T, r *bufio.Reader, status int, text string) {
	t.Helper()
	resp, err := http.ReadResponse(r, &http.Request{Method: "POST"})
	if err == nil && resp.StatusCode == http.StatusContinue {
		resp, err = http.ReadResponse(r, &http.Request{Method: "POST"})
	}
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != status || status != 200 && strings.TrimSpace(string(body)) != text {
		t.Errorf("status %d %q, want %d %q", resp.StatusCode, body, status, text)
	}
	if s := resp.Header.Get("Server"); s != "" {
		t.Errorf("Server %q", s)
	}
}

const (
	bodyLimit   = 64 << 10
	readTimeout = 500 * time.Millisecond
)

// What a connection may bring that is no message of a device. Each is told what is wrong with it. Afterwards the
// connection serves the next message, or it is closed where nobody can say where that would begin; the handsets that
// hold sessions beside it notice nothing.
func TestBadInput(t *testing.T) {
	good, big := dmMessage(1), make([]byte, 8<<20)
	const (
		unsound  = "no sound HTTP request"
		tooLarge = "the body is too large"
		header   = "the header is too large"
		late     = "the request did not come in time"
	)
	cases := []struct {
		name   string
		send   string
		status int
		text   string
		closes bool
	}{
		{"good", whole(good), 200, "", false},
		{"good, chunked", chunked(good), 200, "", false},
		{"good, after asking", strings.Replace(whole(good), "\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n", 1), 200, "",
			false},
		{"empty", whole(nil), 400, "wbxml: offset 0: empty document", false},
		{"truncated", whole(good[:len(good)-1]), 400,
			fmt.Sprintf("wbxml: offset %d: document ends inside an element (depth 1)", len(good)-1), false},
		{"truncated, chunked", chunked(good[:20]), 400, "wbxml: offset 15: inline string without its NUL", false},
		{"looping", whole(append(good[:6:6], bytes.Repeat([]byte{0x6C}, 1000)...)), 400,
			"wbxml: offset 21: elements nested deeper than 16", false},
		{"compressed", whole([]byte("\x1F\x8B\x08\x00")), 400, "wbxml: offset 0: version byte 0x1F (want 0x01 to 0x03)",
			false},
		{"as large as may be", whole(big[:bodyLimit]), 400, "wbxml: offset 0: version byte 0x00 (want 0x01 to 0x03)", false},
		{"a byte too large", whole(big[:bodyLimit+1]), 413, tooLarge, true},
		{"a byte too large, chunked", chunked(big[:bodyLimit+1]), 413, tooLarge, true},
		{"much too large", whole(big), 413, tooLarge, true},
		{"much too large, chunked", chunked(big), 413, tooLarge, true},
		{"much too large, asking first", postHead + "Expect: 100-continue\r\nContent-Length: 8388608\r\n\r\n", 413,
			tooLarge, true},
		{"larger than there is", postHead + "Content-Length: 9223372036854775807\r\n\r\n", 413, tooLarge, true},
		{"longer than it says", withLength(len(good)-3, good), 400,
			fmt.Sprintf("wbxml: offset %d: document ends inside an element (depth 2)", len(good)-3), true},
		{"shorter than it says", withLength(len(good)+1, good), 408, late, true},
		{"half a header", "POST /dm HTTP/1.1\r\nHost: dm", 408, late, true},
		{"length that is none", postHead + "Content-Length: 1x\r\n\r\n", 400, unsound, true},
		{"negative length", postHead + "Content-Length: -1\r\n\r\n", 400, unsound, true},
		{"two lengths", strings.Replace(whole(good), "\r\n\r\n", "\r\nContent-Length: 3\r\n\r\n", 1), 400, unsound, true},
		{"chunk of no length", postHead + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400, unsound, true},
		{"chunk of all lengths", postHead + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffff\r\nx", 413, tooLarge, true},
		{"many header lines", postHead + strings.Repeat("X-Flood: aaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n", 5000) + "\r\n", 431,
			header, true},
		{"long header line", postHead + "X-Flood: " + strings.Repeat("a", 1<<20) + "\r\n\r\n", 431, header, true},
		{"long path", "POST /dm?d=" + strings.Repeat("a", 1<<20) + " HTTP/1.1\r\n\r\n", 431, header, true},
		{"no HTTP", "hello\r\n\r\n", 400, unsound, true},
		{"TLS", "\x16\x03\x01\x00\xC8\x01\x00\x00\xC4\x03\x03\r\n\r\n", 400, unsound, true},
	}
	g := started(t, func(c *config.Config) { c.Device.Body, c.Device.Timeout = bodyLimit, readTimeout })
	beside := watch(t, g)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			conn := dial(t, g)
			r := bufio.NewReader(conn)
			fmt.Fprint(conn, whole(good))
			expectAnswer(t, r, 200, "")
			// A client that has to write all of it before it reads gets to do so.
			if _, err := io.WriteString(conn, c.send); err != nil {
				t.Errorf("the request is not heard out: %v", err)
			}
			expectAnswer(t, r, c.status, c.text)
			if !c.closes {
				fmt.Fprint(conn, whole(good))
				expectAnswer(t, r, 200, "")
				return
			}
			if _, err := io.Copy(io.Discard, r); err != nil {
				t.Errorf("the connection is not closed in good order: %v", err)
			}
		})
	}
	beside()
}

func dial(t *testing.T, g *gateway) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", g.deviceListen.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	return conn
}

// watch lets handsets of two makes hold one session after the other until the function that it returns is called, which
// checks that none of them has met with anything out of the ordinary.
func watch(t *testing.T, g *gateway) (stop func()) {
	world := handset.NewWorld(handset.Settings{})
	t.Cleanup(world.Close)
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	handsets := []*handset.Handset{
		bootstrapped(t, g, handset.RedBend, 1, world), bootstrapped(t, g, handset.BasicOnly, 2, world),
	}
	failed := make(chan error, len(handsets))
	for _, h := range handsets {
		go func() {
			for ctx.Err() == nil {
				if err := h.Session(context.Background()); err != nil {
					failed <- err
					return
				}
			}
			failed <- nil
		}()
	}
	return func() {
		t.Helper()
		cancel()
		for range handsets {
			if err := <-failed; err != nil {
				t.Errorf("a session beside: %v", err)
			}
		}
		for _, h := range handsets {
			if r := h.Result(); r.Violations > 0 || r.Repeats > 0 || r.Closed < 10 || r.State != handset.Managed {
				t.Errorf("handset beside: %+v %v", r, h.Violations())
			}
		}
		if n := g.fleet.Overview().States[storage.Discovered]; n != len(handsets) {
			t.Errorf("%d devices are discovered, want %d", n, len(handsets))
		}
	}
}

// A body that comes byte after byte, but in time, is a body like any other.
func TestSlowBody(t *testing.T) {
	g := started(t, func(*config.Config) {})
	conn := dial(t, g)
	conn.(*net.TCPConn).SetNoDelay(true)
	for _, b := range []byte(whole(dmMessage(1))) {
		if _, err := conn.Write([]byte{b}); err != nil {
			t.Fatal(err)
		}
	}
	expectAnswer(t, bufio.NewReader(conn), 200, "")
}

// Messages that come all at once are answered one by one.
func TestPipelined(t *testing.T) {
	g := started(t, func(*config.Config) {})
	conn := dial(t, g)
	r := bufio.NewReader(conn)
	fmt.Fprint(conn, whole(dmMessage(1))+whole([]byte("x"))+whole(dmMessage(2)))
	expectAnswer(t, r, 200, "")
	expectAnswer(t, r, 400, "wbxml: offset 0: version byte 0x78 (want 0x01 to 0x03)")
	expectAnswer(t, r, 200, "")
}

// The limits of the configuration are those that the listener keeps to.
func TestConfiguredLimits(t *testing.T) {
	g := started(t, func(c *config.Config) { c.Device.Depth, c.Device.Items, c.Device.String = 5, 2, 30 })
	head := "<SyncML><SyncHdr/><SyncBody>"
	for body, want := range map[string]string{
		head + "<Add><Item><Data><a><b>":                                 "elements nested deeper than 5",
		head + "<Add><Item/><Item/><Item/>":                              "more than 2 items (limit Items)",
		head + "<Add><CmdID>" + strings.Repeat("1", 31) + "</CmdID>":     "text longer than 30 bytes (limit String)",
		head + "<Add><Item><Data>" + strings.Repeat("1", 31) + "</Data>": "document ends inside \"Item\"", // no string
	} {
		resp, err := http.Post("http://"+g.deviceListen.Addr().String()+device.Path, "application/vnd.syncml.dm+xml",
			strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		if resp.Body.Close(); err != nil || resp.StatusCode != 400 || !strings.Contains(string(text), want) {
			t.Errorf("%s\nstatus %d %q %v\nwant   400 %q", body, resp.StatusCode, text, err, want)
		}
	}
}

// A connection that never says anything is closed when its time is up, and so is one that has said all it had to.
func TestSilentConnection(t *testing.T) {
	g := started(t, func(c *config.Config) { c.Device.Timeout, c.Device.Idle = readTimeout, readTimeout })
	silent, idle := dial(t, g), dial(t, g)
	r := bufio.NewReader(idle)
	fmt.Fprint(idle, whole(dmMessage(1)))
	expectAnswer(t, r, 200, "")
	for _, from := range []io.Reader{silent, r} {
		if n, err := io.Copy(io.Discard, from); n != 0 || err != nil && !errors.Is(err, io.EOF) {
			t.Errorf("%d bytes more, %v", n, err)
		}
	}
}
