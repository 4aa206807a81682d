package device

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"dmgate/codec/syncml"
	"dmgate/sessions"
)

// putOff sends a message and expects to be told to come again.
func (p *phone) putOff(retryAfter string) {
	p.rig.t.Helper()
	p.post()
	if p.got.status != 503 || p.got.header.Get("Retry-After") != retryAfter {
		p.rig.t.Errorf("session %s message %d: status %d, Retry-After %q, want 503 and %q", p.session, p.turn,
			p.got.status, p.got.header.Get("Retry-After"), retryAfter)
	}
}

// metric expects a figure of the endpoint.
func (r *rig) metric(name string, want int) {
	r.t.Helper()
	var b bytes.Buffer
	r.metrics.WritePrometheus(&b)
	if line := fmt.Sprintf("%s %d\n", name, want); !bytes.Contains(b.Bytes(), []byte(line)) {
		r.t.Errorf("want %sin\n%s", line, b.Bytes())
	}
}

// Where as many sessions are open as may be, no other begins, and a message that begins one is not even looked at. The
// open ones go on; one that ends makes room.
func TestTableFull(t *testing.T) {
	r := newRig(t, Options{Table: sessions.TableOptions{Sessions: 2}})
	var early []*phone
	for i := range 2 {
		p := r.phone(r.register(i))
		p.open(p.basic)
		early = append(early, p)
	}
	late := r.phone(r.register(3))
	late.package1(late.basic)
	late.putOff("10")
	for _, p := range early {
		p.goOn() // to the address that names the device
	}
	whole := late.sent
	late.sent = []byte("no message at all")
	late.putOff("10")
	r.later(time.Minute)
	r.endpoint.Expire() // out of memory, and still open
	late.putOff("10")
	r.metric(`dmgate_dm_limited_total{limit="sessions"}`, 3)
	r.metric(`dmgate_dm_malformed_total`, 0)
	r.metric(`dmgate_dm_sessions`, 2)
	r.metric(`dmgate_dm_sessions_active`, 0)
	early[0].goOn()
	early[0].abort()
	late.sent = whole
	late.post()
	late.expect(212)
	early[1].goOn()
}

// abort ends the session from the device's side.
func (p *phone) abort() {
	p.rig.t.Helper()
	p.compose(func(m *syncml.Message) {
		c := m.AddCommand(syncml.Alert)
		c.CmdID, c.Data = m.Number(1), m.Text("1223")
	})
	if p.post() != 200 {
		p.rig.t.Fatalf("the abort: status %d", p.got.status)
	}
}

// A phone that has been challenged has to come again without a name that the address tells. It gets through however
// full the table has become.
func TestChallengedWhileFull(t *testing.T) {
	r := newRig(t, Options{Table: sessions.TableOptions{Sessions: 2}})
	p, other, late := r.phone(r.register(1)), r.phone(r.register(2)), r.phone(r.register(3))
	p.package1(nil)
	p.post()
	p.expect(407)
	other.open(other.basic)
	late.line = r.dialFrom("127.0.0.2")
	late.package1(late.basic)
	late.putOff("10")
	p.nonce = p.challenge()
	p.open(p.md5)
	p.goOn()
}

// A source that floods gets its share of the places and not one more. All the others notice nothing, and neither does
// an exempt one that has many devices behind it.
func TestFloodingSource(t *testing.T) {
	r := newRig(t, Options{
		Table:   sessions.TableOptions{Sessions: 20, PerSource: 3},
		Sources: Sources{Exempt: []netip.Prefix{netip.MustParsePrefix("127.0.1.0/24")}},
	})
	taken := 0
	from := func(host string, i int) *phone {
		p := r.phone(r.register(i))
		p.line = r.dialFrom(host)
		return p
	}
	for i := range 12 {
		p := from("127.0.0.2", i)
		p.package1(nil) // never to be proved
		if p.post() == 200 {
			taken++
		} else {
			p.putOff("10")
		}
	}
	if taken != 3 {
		t.Errorf("%d sessions of one source, want 3", taken)
	}
	for i := range 3 {
		p := from("127.0.0.3", 20+i)
		p.open(p.basic)
		p.goOn()
	}
	for i := range 8 {
		p := from("127.0.1.1", 30+i)
		p.open(p.basic)
		p.goOn()
	}
	r.metric(`dmgate_dm_sessions`, 14)
	r.metric(`dmgate_dm_sources`, 3)
	r.metric(`dmgate_dm_source_sessions_max`, 8)
	r.metric(`dmgate_dm_limited_total{limit="source"}`, 18)
	r.later(time.Minute)
	r.endpoint.Expire()
	r.metric(`dmgate_dm_sessions`, 11) // what the flood began and never proved is gone
}

// A gateway that drains lets no session begin, not even a device's next one. Those that are open go on, from memory or
// from their checkpoint.
func TestDraining(t *testing.T) {
	r := newRig(t, Options{})
	p, resting := r.phone(r.register(1)), r.phone(r.register(2))
	p.open(p.basic)
	resting.open(resting.basic)
	p.goOn()
	resting.goOn()
	r.later(20 * time.Second)
	r.endpoint.Expire()
	p.goOn()
	r.endpoint.Drain()
	late := r.phone(r.register(3))
	late.package1(late.md5)
	late.putOff("10")
	late.sent = []byte("no message at all")
	late.putOff("10")
	p.goOn()
	if n := r.endpoint.Active(); n != 1 {
		t.Errorf("%d sessions are waited for, want 1", n)
	}
	resting.goOn()
	last := p.turn
	p.session, p.turn = "2", 0
	p.package1(p.basic)
	p.putOff("10")
	p.session, p.turn = "1", last
	p.goOn()
	p.abort()
	resting.abort()
	if r.endpoint.Active() != 0 || r.endpoint.Sessions() != 0 {
		t.Errorf("%d sessions are open, %d waited for", r.endpoint.Sessions(), r.endpoint.Active())
	}
	r.metric(`dmgate_dm_limited_total{limit="draining"}`, 3)
	r.restart()
	p.line, p.session, p.turn = r.dial(), "2", 0
	p.open(p.basic)
}

// A session at rest is in the store alone, and goes on from there: also a repeated message, and one that is no message,
// which takes nothing from it.
func TestSessionAtRest(t *testing.T) {
	r := newRig(t, Options{})
	p := r.phone(r.register(1))
	p.open(p.basic)
	for range 3 {
		p.goOn()
		r.later(20 * time.Second)
		r.endpoint.Expire()
		if r.endpoint.Sessions() != 1 || r.endpoint.Active() != 0 {
			t.Fatalf("%d open, %d in memory", r.endpoint.Sessions(), r.endpoint.Active())
		}
		whole, first := p.sent, p.got.body
		p.sent = []byte("nonsense")
		if p.post() != 400 {
			t.Fatalf("status %d", p.got.status)
		}
		if r.endpoint.Sessions() != 1 || r.endpoint.Active() != 0 {
			t.Fatalf("after nonsense: %d open, %d in memory", r.endpoint.Sessions(), r.endpoint.Active())
		}
		p.sent = whole
		if p.post(); !bytes.Equal(first, p.got.body) {
			t.Fatal("a repeated message got another answer")
		}
	}
}

func TestSources(t *testing.T) {
	exempt := []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("::1/128")}
	for _, c := range []struct {
		of         Sources
		a, b       string
		same, free bool // one source, and it is exempt
	}{
		{Sources{}, "192.0.2.1", "192.0.2.1", true, false},
		{Sources{}, "192.0.2.1", "192.0.2.2", false, false},
		{Sources{}, "192.0.2.1", "::ffff:192.0.2.1", true, false},
		{Sources{}, "192.0.2.1", "2001:db8::1", false, false},
		{Sources{}, "2001:db8::1", "2001:db8::ffff:1", true, false},
		{Sources{}, "2001:db8::1", "2001:db8:0:1::1", false, false},
		{Sources{}, "fe80::1%lo", "fe80::1", true, false},
		{Sources{IPv4: 24}, "192.0.2.1", "192.0.2.2", true, false},
		{Sources{IPv6: 48}, "2001:db8::1", "2001:db8:0:1::1", true, false},
		{Sources{IPv6: 128}, "2001:db8::1", "2001:db8::2", false, false},
		{Sources{Exempt: exempt}, "10.1.2.3", "::1", true, true},
		{Sources{Exempt: exempt}, "::ffff:10.1.2.3", "10.1.9.9", true, true},
		{Sources{Exempt: exempt}, "10.2.2.3", "10.2.2.3", true, false},
	} {
		of := func(s string) sessions.Source {
			return c.of.Of(net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(s), 1)))
		}
		a, b := of(c.a), of(c.b)
		if (a == b) != c.same || (a == sessions.Exempt) != c.free {
			t.Errorf("%+v: %s is %x, %s is %x", c.of, c.a, a, c.b, b)
		}
	}
	if (&Sources{}).Of(&net.UnixAddr{Name: "dm.sock"}) != sessions.Exempt {
		t.Error("a peer without an address is counted")
	}
}
