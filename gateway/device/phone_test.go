package device

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/valyala/fasthttp"
	"go.uber.org/zap"

	"dmgate/codec/auth"
	"dmgate/codec/syncml"
	"dmgate/gateway/fleet"
	"dmgate/sessions"
	"dmgate/storage"
	"dmgate/storage/pebble"
)

// rig is an endpoint behind a real socket and over a real store. Its devices never run out of things to do.
type rig struct {
	t        *testing.T
	dir      string
	disk     *pebble.Store
	faults   *faultyStore // between the endpoint and the disk
	fleet    *fleet.Fleet // makes devices and their accounts
	planner  sessions.Planner
	options  Options
	endpoint *Endpoint
	metrics  *metrics.Set
	server   *fasthttp.Server
	address  string // host:port
	ahead    atomic.Int64
}

// newRig starts an endpoint with options o; a zero Planner stands for errands.
func newRig(t *testing.T, o Options) *rig {
	r := &rig{t: t, dir: t.TempDir(), options: o, planner: o.Sessions.Planner}
	if r.planner == nil {
		r.planner = new(errands)
	}
	r.start("127.0.0.1:0")
	t.Cleanup(r.stop)
	return r
}

func (r *rig) now() time.Time { return time.Now().Add(time.Duration(r.ahead.Load())) }

// later turns the endpoint's clock.
func (r *rig) later(d time.Duration) { r.ahead.Add(int64(d)) }

func (r *rig) start(listen string) {
	r.t.Helper()
	disk, err := pebble.Open(r.dir, pebble.Options{NoSync: true, CacheSize: 1 << 20, MemTableSize: 1 << 20})
	if err != nil {
		r.t.Fatal(err)
	}
	l, err := net.Listen("tcp", listen)
	if err != nil {
		r.t.Fatal(err)
	}
	r.disk, r.faults, r.address = disk, &faultyStore{Store: disk}, l.Addr().String()
	o := r.options
	o.Sessions.Address = "http://" + r.address + Path
	o.Sessions.Planner, o.Sessions.Random, o.Clock = r.planner, fleet.Random, r.now
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	r.fleet = fleet.New(fleet.Options{Address: o.Sessions.Address, Clock: r.now}, disk, func() {})
	r.metrics = metrics.NewSet()
	r.endpoint = New(o, r.faults, r.metrics)
	r.server = &fasthttp.Server{Handler: r.endpoint.Serve, NoDefaultServerHeader: true, NoDefaultDate: true}
	go r.server.Serve(l)
}

func (r *rig) stop() {
	ctx, stop := context.WithTimeout(context.Background(), time.Second) // connections never used would be waited for
	defer stop()
	r.server.ShutdownWithContext(ctx)
	r.disk.Close()
}

// restart is another process over the same files at the same address.
func (r *rig) restart() {
	r.t.Helper()
	r.stop()
	r.start(r.address)
}

// register makes device number i known.
func (r *rig) register(i int) *storage.Device {
	r.t.Helper()
	d, err := r.fleet.Register(fleet.NewDevice{MSISDN: fmt.Sprintf("+99900000%04d", i), DevID: fmt.Sprintf("IMEI:%d", i)})
	if err != nil {
		r.t.Fatal(err)
	}
	return d
}

// phone makes a DM client for the account of d, with a connection of its own.
func (r *rig) phone(d *storage.Device) *phone {
	r.t.Helper()
	account, err := r.disk.Account(d.ID)
	if err != nil {
		r.t.Fatal(err)
	}
	return &phone{
		rig: r, line: r.dial(), user: string(d.ID), password: account.Password, nonce: account.ClientNonce,
		devID: d.DevID, session: "1", path: Path,
	}
}

// results counts the answers that are kept of a device.
func (r *rig) results(d *storage.Device) int {
	r.t.Helper()
	all, err := r.disk.Results(d.ID, 0, 10_000)
	if err != nil {
		r.t.Fatal(err)
	}
	n := 0
	for i := range all {
		n += len(all[i].Answers)
	}
	return n
}

// errands is a planner that asks for one thing after the other, and never has enough.
type errands struct{ last atomic.Uint64 }

func (e *errands) Proved(now time.Time, d *storage.Device, _ *sessions.Outcome) []storage.Task {
	return []storage.Task{{
		ID: e.last.Add(1) + uint64(now.UnixMicro()), Device: d.ID, Purpose: "test",
		Commands: []storage.Command{{Kind: "Get", URI: "./DevInfo/Man"}},
	}}
}

func (e *errands) Answered(now time.Time, d *storage.Device, _ *storage.Task, _ []storage.Answer, done bool,
	out *sessions.Outcome) []storage.Task {
	if !done {
		return nil
	}
	return e.Proved(now, d, out)
}

func (e *errands) GivenUp(*storage.Task, string, *sessions.Outcome) {}

// faultyStore is a store whose commits a test can hold up or let fail.
type faultyStore struct {
	storage.Store
	fault atomic.Pointer[func(c *storage.Commit, commit func() error) error]
}

func (f *faultyStore) Commit(c *storage.Commit) error {
	if fault := f.fault.Load(); fault != nil {
		return (*fault)(c, func() error { return f.Store.Commit(c) })
	}
	return f.Store.Commit(c)
}

// on puts fault between the endpoint and its commits; nil takes it away.
func (f *faultyStore) on(fault func(c *storage.Commit, commit func() error) error) {
	if fault == nil {
		f.fault.Store(nil)
		return
	}
	f.fault.Store(&fault)
}

// line is one keep-alive connection.
type line struct {
	t    testing.TB
	conn net.Conn
	r    *bufio.Reader
}

func (r *rig) dial() *line {
	r.t.Helper()
	return r.dialFrom("127.0.0.1")
}

// dialFrom connects from an address of its own, which on Linux all of 127.0.0.0/8 are.
func (r *rig) dialFrom(host string) *line {
	r.t.Helper()
	from := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(host)}}
	conn, err := from.Dial("tcp", r.address)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { conn.Close() })
	return &line{r.t, conn, bufio.NewReader(conn)}
}

// answer is an HTTP answer.
type answer struct {
	status  int
	header  http.Header
	body    []byte
	chunked bool
}

// request sends one request as it stands and reads the answer.
func (l *line) request(method, path, header string, body []byte) answer {
	l.t.Helper()
	l.conn.SetDeadline(time.Now().Add(20 * time.Second))
	fmt.Fprintf(l.conn, "%s %s HTTP/1.1\r\nHost: dm\r\n%sContent-Length: %d\r\n\r\n%s", method, path, header, len(body),
		body)
	resp, err := http.ReadResponse(l.r, &http.Request{Method: method})
	if err != nil {
		l.t.Fatalf("%s %s: the connection is gone: %v", method, path, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		l.t.Fatalf("%s %s: %v", method, path, err)
	}
	return answer{resp.StatusCode, resp.Header, text, len(resp.TransferEncoding) > 0}
}

func (l *line) post(path, contentType string, body []byte) answer {
	l.t.Helper()
	return l.request("POST", path, "Content-Type: "+contentType+"\r\n", body)
}

// phone is a DM client that does as it is told. See section 2.7 of the fact sheet for what its messages hold.
type phone struct {
	rig      *rig
	line     *line
	user     string
	password string
	nonce    []byte
	devID    string
	locName  string // "" for none
	enc      syncml.Encoding
	session  string
	path     string // where the next message goes: what RespURI said last
	turn     int    // MsgID of the last message

	sent []byte // the last message
	got  answer
	in   syncml.Message // got.body
}

func (p *phone) contentType() string {
	if p.enc == syncml.XML {
		return typeXML
	}
	return typeWBXML
}

// compose makes the next message: its SyncHdr, and what fill adds.
func (p *phone) compose(fill func(m *syncml.Message)) []byte {
	p.turn++
	var m syncml.Message
	h := &m.Header
	h.VerDTD, h.VerProto = m.Text("1.2"), m.Text("DM/1.2")
	h.SessionID, h.MsgID = m.Text(p.session), m.Number(p.turn)
	h.Target.URI, h.Source.URI, h.Source.Name = m.Text("http://dm/dm"), m.Text(p.devID), m.Text(p.locName)
	m.Final = true
	fill(&m)
	p.sent = m.Append(nil, p.enc)
	return p.sent
}

// post sends the last message and reads the answer, which is a message if its status is 200.
func (p *phone) post() int {
	p.rig.t.Helper()
	p.got = p.line.post(p.path, p.contentType(), p.sent)
	if p.got.status != 200 {
		return p.got.status
	}
	if err := p.in.Read(p.got.body, p.enc, nil); err != nil {
		p.rig.t.Fatal(err)
	}
	if _, query, ok := strings.Cut(string(p.in.Header.RespURI), "?"); ok {
		p.path = Path + "?" + query
	}
	return 200
}

// basic and md5 add the credential to a message.
func (p *phone) basic(m *syncml.Message) {
	m.Header.Cred.Meta.Type = m.Text(auth.TypeBasic)
	m.Header.Cred.Data = auth.AppendBasic(nil, []byte(p.user), []byte(p.password))
}

func (p *phone) md5(m *syncml.Message) {
	secret := auth.NewSecret([]byte(p.user), []byte(p.password))
	digest := secret.MD5(p.nonce)
	m.Header.Cred.Meta.Type = m.Text(auth.TypeMD5)
	m.Header.Cred.Data = m.Text(string(digest[:]))
}

// package1 is a message that begins a session, with the credential that cred adds.
func (p *phone) package1(cred func(*syncml.Message)) []byte {
	return p.compose(func(m *syncml.Message) {
		if cred != nil {
			cred(m)
		}
		c := m.AddCommand(syncml.Alert)
		c.CmdID, c.Data = m.Number(1), m.Text("1201")
	})
}

// open opens a session and proves who the phone is.
func (p *phone) open(cred func(*syncml.Message)) {
	p.rig.t.Helper()
	p.package1(cred)
	p.post()
	p.expect(212)
}

// goOn answers what the server asked last, and expects to be asked again.
func (p *phone) goOn() {
	p.rig.t.Helper()
	p.answers()
	p.post()
	p.expect(200)
}

// answers makes the message that answers the server's last one.
func (p *phone) answers() []byte {
	last := &p.in
	return p.compose(func(m *syncml.Message) {
		reply := func(k syncml.Kind, ref []byte, cmd string) *syncml.Command {
			c := m.AddCommand(k)
			c.CmdID, c.MsgRef, c.CmdRef, c.Cmd = m.Number(len(m.Commands)), last.Header.MsgID, ref, m.Text(cmd)
			return c
		}
		reply(syncml.Status, m.Text("0"), "SyncHdr").Data = m.Text("212")
		for i := range last.Commands {
			if c := &last.Commands[i]; c.Kind == syncml.Get {
				reply(syncml.Status, c.CmdID, "Get").Data = m.Text("200")
				reply(syncml.Results, c.CmdID, "Get")
				it := m.AddItem()
				it.Source.URI, it.Data = c.Items[0].Target.URI, m.Text("Example")
			}
		}
	})
}

// expect checks the server's verdict on the header, and that a Get goes with one that is good.
func (p *phone) expect(code int) {
	p.rig.t.Helper()
	if p.got.status != 200 {
		p.rig.t.Fatalf("session %s message %d: HTTP status %d %s", p.session, p.turn, p.got.status, p.got.body)
	}
	if got := p.verdict(); got != code {
		p.rig.t.Fatalf("session %s message %d: SyncHdr status %d, want %d", p.session, p.turn, got, code)
	}
	if asked := p.in.Commands[len(p.in.Commands)-1].Kind == syncml.Get; asked != (code < 300) {
		p.rig.t.Fatalf("session %s message %d: asked %v with status %d", p.session, p.turn, asked, code)
	}
}

// verdict is the Status for SyncHdr.
func (p *phone) verdict() int {
	for i := range p.in.Commands {
		if c := &p.in.Commands[i]; c.Kind == syncml.Status && string(c.CmdRef) == "0" {
			return c.Code()
		}
	}
	return 0
}
