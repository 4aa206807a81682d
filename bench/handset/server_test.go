package handset

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"dmgate/codec/auth"
	"dmgate/codec/cp"
	"dmgate/codec/push"
	"dmgate/codec/syncml"
)

// testServer is a DM server that keeps to the rules unless a test tampers with it. It sends one package of its script
// after the other.
type testServer struct {
	t       *testing.T
	http    *httptest.Server
	auth    string // what it challenges with; auth.TypeMD5
	name    string // ServerID
	room    int    // MaxMsgSize that it announces; 0 for none
	noCred  bool   // it does not prove itself until it is challenged
	session int    // 200 instead of 212: a credential with each message

	// script has one package each: lines "Get ./DevInfo/Man", "Add URI format data", "Exec URI correlator data", members
	// of an Atomic or Sequence indented.
	script []string

	// tamper changes answer number turn, from 1; send, where it returns true, has answered the request by itself.
	tamper func(turn int, out *syncml.Message)
	send   func(turn int, w http.ResponseWriter, body []byte) bool

	mu          sync.Mutex
	device      cp.Login // the device's login; Nonce moves on
	deviceNonce []byte   // the first ones
	serverNonce []byte
	nonces      map[string]*testNonces // by device
	secret      string                 // the server's own
	sessions    map[string]*testSession
	stored      map[string][]byte // answers by session and MsgID
	macs        map[string]string // x-syncml-hmac of these
	body        []byte            // of the request at hand
	mac         string            // x-syncml-hmac of the request at hand
	turn        int
	requests    [][]byte
	heard       []*syncml.Message // what requests hold
	results     map[string]string // by LocURI
	statuses    []string          // "Get ./DevInfo/Man 200"
	alerts      []string          // "1201"
}

type testNonces struct{ device, server []byte }

type testSession struct {
	nonces  *testNonces
	msgID   int
	authed  bool
	next    int               // package of the script
	pending map[string]string // by "MsgRef.CmdRef": the command
	signs   bool              // the answer at hand goes with a mac
	proved  bool
	tries   int
}

func newTestServer(t *testing.T, script ...string) *testServer {
	s := &testServer{
		t: t, auth: auth.TypeMD5, name: "dm.example", secret: "server-secret", script: script,
		device:      cp.Login{Name: "user1", Secret: "device-secret", Nonce: "Zmlyc3Q="},
		serverNonce: []byte("c2Vjb25k"),
		nonces:      make(map[string]*testNonces),
		sessions:    make(map[string]*testSession), stored: make(map[string][]byte), results: make(map[string]string),
		macs: make(map[string]string),
	}
	s.http = httptest.NewServer(s)
	t.Cleanup(s.http.Close)
	return s
}

// document is the bootstrap document for this server.
func (s *testServer) document() *cp.Document {
	host, port, _ := strings.Cut(strings.TrimPrefix(s.http.URL, "http://"), ":")
	n, _ := strconv.Atoi(port)
	return &cp.Document{
		NAPDefs: []cp.NAPDef{{ID: "N1", Name: "Net", APN: "internet"}},
		Accounts: []cp.DMAccount{{
			ServerID: s.name, Name: "Example", Addr: "http://" + host + "/dm", Port: n, ToNAPID: "N1",
			Device: s.device,
			Server: cp.Login{Name: s.name, Secret: s.secret, Nonce: string(s.serverNonce)},
			Init:   true,
		}},
	}
}

// bootstrapPDU is a push of doc, signed.
func bootstrapPDU(t *testing.T, doc *cp.Document, sec push.SEC, key push.Key) []byte {
	t.Helper()
	body := doc.AppendWBXML(nil)
	mac, err := push.MAC(sec, key, body)
	if err != nil {
		t.Fatal(err)
	}
	p := push.Push{
		TID: 1, ContentType: push.TypeConnectivityWBXML, Signed: true, SEC: sec, MAC: mac, Body: body,
	}
	return p.Append(nil)
}

func segmentsOf(t *testing.T, pdu []byte) [][]byte {
	t.Helper()
	parts, err := push.Split(pdu, push.Ports{Dst: push.PortPush, Src: push.PortWSP}, 7)
	if err != nil {
		t.Fatal(err)
	}
	return parts
}

// bootstrap makes h a client of s. The first nonces are meant as h's make reads them.
func (s *testServer) bootstrap(h *Handset) {
	s.t.Helper()
	s.deviceNonce = h.Make.Nonce.nonce(s.device.Nonce)
	doc := s.document()
	s.serverNonce = h.Make.Nonce.nonce(string(s.serverNonce))
	for _, ud := range segmentsOf(s.t, bootstrapPDU(s.t, doc, push.UserPIN, push.Key{PIN: "1234"})) {
		h.Receive(ud)
	}
	h.Tell("1234")
	if r := h.Result(); r.State != HasAccount {
		s.t.Fatalf("state %v after the bootstrap: %v", r.State, h.Violations())
	}
}

func (s *testServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turn++
	s.requests = append(s.requests, body)
	s.body, s.mac = body, r.Header.Get(auth.HeaderHMAC)
	if s.send != nil && s.send(s.turn, w, body) {
		return
	}
	w.Write(s.answer(w, r.Header.Get("Content-Type"), body))
}

// answer is the answer to a request; its header is set.
func (s *testServer) answer(w http.ResponseWriter, contentType string, body []byte) []byte {
	enc := syncml.WBXML
	if strings.HasSuffix(contentType, "+xml") {
		enc = syncml.XML
	}
	in := new(syncml.Message)
	if err := in.Read(body, enc, &syncml.Limits{}); err != nil {
		s.t.Errorf("the handset's message: %v", err)
		w.WriteHeader(http.StatusBadRequest)
		return nil
	}
	s.heard = append(s.heard, in)
	w.Header().Set("Content-Type", contentType)
	key := sessionOf(in) + "/" + string(in.Header.MsgID)
	out, ok := s.stored[key]
	if !ok {
		out = s.step(in).Append(nil, enc)
		s.stored[key] = out
		if ses := s.sessions[sessionOf(in)]; ses.signs {
			secret := auth.NewSecret([]byte(s.name), []byte(s.secret))
			mac := secret.MAC(ses.nonces.server, out)
			s.macs[key] = string(auth.AppendHMAC(nil, s.name, mac[:]))
		}
	}
	if mac := s.macs[key]; mac != "" {
		w.Header().Set(auth.HeaderHMAC, mac)
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(out)))
	return out
}

func sessionOf(in *syncml.Message) string {
	return string(in.Header.Source.URI) + "/" + string(in.Header.SessionID)
}

// step is the protocol.
func (s *testServer) step(in *syncml.Message) *syncml.Message {
	ses := s.sessions[sessionOf(in)]
	if ses == nil {
		ses = &testSession{pending: make(map[string]string), nonces: s.nonces[string(in.Header.Source.URI)]}
		if ses.nonces == nil {
			ses.nonces = &testNonces{s.deviceNonce, s.serverNonce}
			s.nonces[string(in.Header.Source.URI)] = ses.nonces
		}
		s.sessions[sessionOf(in)] = ses
	}
	ses.msgID++
	ses.signs = false
	out := &syncml.Message{Style: in.Style, Final: true}
	h := &out.Header
	h.VerDTD, h.VerProto, h.SessionID = in.Header.VerDTD, in.Header.VerProto, in.Header.SessionID
	h.MsgID = []byte(strconv.Itoa(ses.msgID))
	h.Target.URI, h.Source.URI = in.Header.Source.URI, []byte(s.http.URL+"/dm")
	h.RespURI = []byte(s.http.URL + "/dm?s=" + string(in.Header.SessionID))
	h.Meta.MaxMsgSize = s.room

	code, challenge := s.judge(ses, in)
	header := s.add(out, syncml.Status, code)
	header.MsgRef, header.CmdRef, header.Cmd = in.Header.MsgID, []byte("0"), []byte("SyncHdr")
	header.TargetRef, header.SourceRef = in.Header.Target.URI, in.Header.Source.URI
	header.Chal = challenge
	refused := code == 401 || code == 407
	asked := false
	for i := range in.Commands {
		asked = s.hear(ses, in, &in.Commands[i], out, code, refused) || asked
	}
	switch {
	case refused:
	case !in.Final && !asked:
		out.Final = false
		s.add(out, syncml.Alert, 1222)
	default:
		s.prove(ses, h)
		s.proceed(ses, out)
	}
	if s.tamper != nil {
		s.tamper(s.turn, out)
	}
	return out
}

// judge checks the handset's credential.
func (s *testServer) judge(ses *testSession, in *syncml.Message) (code int, challenge syncml.Meta) {
	if ses.authed {
		return 200, challenge
	}
	cred := &in.Header.Cred
	challenge = syncml.Meta{Type: []byte(s.auth)}
	good := false
	if h, err := auth.ReadHMAC([]byte(s.mac)); err == nil && s.auth == auth.TypeMAC {
		secret := auth.NewSecret([]byte(s.device.Name), []byte(s.device.Secret))
		good = !cred.Present() && string(h.User) == s.device.Name && h.Equal(secret.Digest(ses.nonces.device, s.body))
	}
	switch string(cred.Meta.Type) {
	case auth.TypeBasic:
		good = s.auth == auth.TypeBasic &&
			string(cred.Data) == string(auth.AppendBasic(nil, []byte(s.device.Name), []byte(s.device.Secret)))
	case auth.TypeMD5:
		secret := auth.NewSecret([]byte(s.device.Name), []byte(s.device.Secret))
		digest := secret.MD5(ses.nonces.device)
		good = s.auth == auth.TypeMD5 && string(cred.Data) == string(digest[:])
	}
	if s.auth != auth.TypeBasic {
		ses.nonces.device = fmt.Appendf(nil, "nonce-%s-%d", in.Header.SessionID, ses.msgID)
		challenge.Format = []byte("b64")
		challenge.NextNonce = []byte(base64.StdEncoding.EncodeToString(ses.nonces.device))
	}
	switch {
	case good && (s.session == 200 || s.auth == auth.TypeMAC):
		return 200, challenge
	case good:
		ses.authed = true
		if s.auth == auth.TypeBasic {
			return 212, syncml.Meta{}
		}
		return 212, challenge
	case cred.Present() || s.mac != "":
		return 401, challenge
	}
	return 407, challenge
}

// prove adds the server's credential, until the handset has taken one.
func (s *testServer) prove(ses *testSession, h *syncml.Header) {
	if ses.proved || s.noCred && ses.tries == 0 {
		return
	}
	if s.auth == auth.TypeMAC {
		ses.signs = true
		return
	}
	secret := auth.NewSecret([]byte(s.name), []byte(s.secret))
	digest := secret.MD5(ses.nonces.server)
	h.Cred.Data = digest[:]
	h.Cred.Meta = syncml.Meta{Type: []byte(auth.TypeMD5), Format: []byte("b64")}
}

// hear takes one command of the handset's and adds its Status. It says whether that is an Alert 1222.
func (s *testServer) hear(ses *testSession, in *syncml.Message, c *syncml.Command, out *syncml.Message, code int,
	refused bool,
) bool {
	key := string(c.MsgRef) + "." + string(c.CmdRef)
	switch c.Kind {
	case syncml.Status:
		if string(c.CmdRef) == "0" {
			s.heardServerStatus(ses, c)
			return false
		}
		if ses.pending[key] == "" {
			return false // for an Alert 1222
		}
		s.statuses = append(s.statuses, ses.pending[key]+" "+string(c.Data))
		if n := c.Code(); n == 401 || n == 407 {
			ses.next = max(ses.next-1, 0) // once more, with a credential
		}
		return false
	case syncml.Results:
		for i := range c.Items {
			s.results[string(c.Items[i].Source.URI)] += string(c.Items[i].Data)
		}
		return false
	case syncml.Alert:
		text := string(c.Data)
		for i := range c.Items {
			text += fmt.Sprintf(" %s %s=%s", c.Items[i].Meta.Type, c.Items[i].Source.URI, c.Items[i].Data)
		}
		s.alerts = append(s.alerts, text+string(c.Correlator))
	}
	if !refused {
		code = 200
	}
	next := c.Kind == syncml.Alert && c.Code() == 1222
	st := s.add(out, syncml.Status, code)
	st.MsgRef, st.CmdRef, st.Cmd = in.Header.MsgID, c.CmdID, []byte(c.Kind.String())
	return next
}

func (s *testServer) heardServerStatus(ses *testSession, c *syncml.Command) {
	if len(c.Chal.NextNonce) > 0 {
		ses.nonces.server, _ = base64.StdEncoding.DecodeString(string(c.Chal.NextNonce))
	}
	switch c.Code() {
	case 212:
		ses.proved = true
	case 401, 407:
		ses.tries++
	}
}

func (s *testServer) add(out *syncml.Message, k syncml.Kind, code int) *syncml.Command {
	c := out.AddCommand(k)
	c.CmdID = []byte(strconv.Itoa(len(out.Commands)))
	if code > 0 {
		c.Data = []byte(strconv.Itoa(code))
	}
	return c
}

// proceed adds the next package of the script. A package that ends in "..." goes on in the next message.
func (s *testServer) proceed(ses *testSession, out *syncml.Message) {
	if ses.next >= len(s.script) {
		return
	}
	for line := range strings.Lines(s.script[ses.next]) {
		line = strings.TrimRight(line, "\n")
		text := strings.TrimLeft(line, " ")
		if text == "..." {
			out.Final = false
			continue
		}
		word := append(strings.SplitN(text, " ", 4), "", "", "")
		c := s.add(out, syncml.KindOf([]byte(word[0])), 0)
		c.Depth = uint8(len(line) - len(text))
		ses.pending[string(out.Header.MsgID)+"."+string(c.CmdID)] = strings.TrimSpace(word[0] + " " + word[1])
		switch c.Kind {
		case syncml.Alert:
			c.Data = []byte(word[1])
			if word[2] != "" {
				out.AddItem().Data = []byte("MINDT=1")
				out.AddItem().Data = []byte(word[2])
			}
		case syncml.Atomic, syncml.Sequence:
		default:
			it := out.AddItem()
			it.Target.URI = []byte(word[1])
			if c.Kind == syncml.Exec {
				c.Correlator = []byte(word[2])
				if word[3] != "" {
					it.Data = []byte(word[3])
				}
				continue
			}
			if c.Kind == syncml.Add || c.Kind == syncml.Replace {
				it.Meta.Format = []byte(word[2])
				it.Data = []byte(word[3])
			}
		}
	}
	ses.next++
}

// chunk makes all Replaces of the script chunks of one object of so many bytes.
func chunk(s *testServer, size int) {
	first := true
	s.tamper = func(_ int, out *syncml.Message) {
		for i := range out.Commands {
			if c := &out.Commands[i]; c.Kind == syncml.Replace {
				c.Items[0].MoreData = !out.Final
				if first {
					c.Items[0].Meta.Size, first = size, false
				}
			}
		}
	}
}

// hang makes a send function that never answers.
func hang(arrived, release chan struct{}) func(int, http.ResponseWriter, []byte) bool {
	return func(int, http.ResponseWriter, []byte) bool {
		close(arrived)
		<-release
		return true
	}
}
