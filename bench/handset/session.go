package handset

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/valyala/fasthttp"

	"dmgate/codec/auth"
	"dmgate/codec/syncml"
)

// Errors that end a session. They come wrapped in more words.
var (
	ErrNoAccount    = errors.New("no DM account: not bootstrapped")
	ErrBusy         = errors.New("a session is open already")
	ErrUnreachable  = errors.New("no answer from the server")
	ErrBadAnswer    = errors.New("the server's answer is of no use")
	ErrUnauthorized = errors.New("the server does not accept the credential")
	ErrServerProof  = errors.New("the server does not prove itself")
	ErrAborted      = errors.New("the session was aborted")
	ErrEndless      = errors.New("the session does not end")
)

// maxTurns is how many messages of its own a handset sends in one session.
const maxTurns = 2000

// session is one DM session of a handset. It lives on one goroutine and is reused by others later.
type session struct {
	h       *Handset
	world   *World
	make    *Make
	account *account
	tree    tree
	planted *node // the tree's root when the session began

	id    string // SessionID
	opens int    // the Alert that package 1 begins with: who wanted the session
	msgID int    // of the last message sent
	heard int    // MsgID of the server's last message
	url   string // where messages go, and their Target
	room  int    // bytes that the server takes
	queue []answer
	fresh []answer // answers to the message that is being taken
	sent  []sentMessage

	accepted      bool   // the server has taken a credential in this session
	authenticated bool   // 212: no more Cred (trap 11)
	challenges    int    // by the server
	credSent      bool   // with the last message
	nonce         []byte // for the handset's next credential

	serverProved     bool   // the server has proved itself in this session
	serverChallenges int    // by the handset
	serverNonce      []byte // for the server's next credential
	issued           []byte // a nonce that is on its way to the server
	issuedKeep       bool   // issued is for the next session

	serverFinal bool // the server's package has come to its end
	aborted     bool
	object      *object // a large object that is coming in
	jobs        []job
	findings    []finding
	reported    []bool // by finding: the server has it

	in    syncml.Message
	out   syncml.Message
	body  []byte // out, as sent
	hmac  []byte // the x-syncml-hmac that goes with it; empty for none
	reply []byte // the server's message, as it came
	// replyHMAC is the x-syncml-hmac that came with reply; empty for none.
	replyHMAC []byte
	lost      []byte // an answer that was thrown away, to compare with
	// lostHMAC is the x-syncml-hmac that came with lost.
	lostHMAC string
	req      *fasthttp.Request
	resp     *fasthttp.Response
}

var sessions = sync.Pool{New: func() any { return new(session) }}

// Session opens a session and holds it to its end. It fails where no account is there, a session is open already, the
// server can not be reached, or the handset's make would give up.
func (h *Handset) Session(ctx context.Context) error {
	s, err := h.openSession()
	if err != nil {
		return err
	}
	h.tell(SessionOpened, s.id)
	err = s.hold(ctx)
	jobs := h.closeSession(s, err)
	s.release()
	if len(jobs) > 0 {
		h.carryOut(ctx, jobs)
	}
	return err
}

func (h *Handset) openSession() (*session, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.account == nil {
		return nil, ErrNoAccount
	}
	if h.busy {
		return nil, ErrBusy
	}
	h.busy, h.ready, h.queued = true, false, false
	h.result.Sessions++
	if h.sessionID++; h.sessionID == 0 {
		h.sessionID = 1
	}
	s := sessions.Get().(*session)
	s.h, s.world, s.make, s.account = h, h.world, h.Make, h.account
	s.tree = h.tree()
	s.planted = s.tree.root
	id := h.sessionID
	s.opens = alertClientInitiated
	if wanted, ok := h.noticed(); ok {
		h.result.Triggered++
		id, s.opens = wanted, alertServerInitiated
	}
	s.id = h.Make.SessionID.format(id)
	s.url, s.room = h.account.url, h.Make.MaxMsgSize
	s.nonce, s.serverNonce = h.account.nonce, h.account.serverNonce
	s.serverFinal = true // package 1 is whole in itself
	s.findings = h.findings
	s.reported = make([]bool, len(s.findings))
	s.req, s.resp = fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	return s, nil
}

// release gives a session's memory to the next one.
func (s *session) release() {
	fasthttp.ReleaseRequest(s.req)
	fasthttp.ReleaseResponse(s.resp)
	*s = session{
		queue: s.queue[:0], fresh: s.fresh[:0], sent: s.sent[:0], in: s.in, out: s.out, body: s.body[:0], reply: s.reply[:0],
		hmac: s.hmac[:0], replyHMAC: s.replyHMAC[:0],
	}
	sessions.Put(s)
}

// hold is the conversation: write, send, take, until there is nothing more to say.
func (s *session) hold(ctx context.Context) error {
	s.package1()
	for range maxTurns {
		s.write()
		err := s.exchange(ctx)
		if s.aborted {
			return ErrAborted // that was the last message, whatever came back
		}
		if err != nil {
			return err
		}
		s.delivered()
		if more, err := s.take(); err != nil || !more {
			return err
		}
	}
	s.blame(RuleEndless, "%d messages", maxTurns)
	return ErrEndless
}

// package1 queues what a session begins with (section 2.7). Results of work done since the last one go with it.
func (s *session) package1() {
	s.queue = append(s.queue, answer{kind: syncml.Alert, code: s.opens})
	info := answer{kind: syncml.Replace}
	for _, name := range [...]string{"Mod", "Man", "DevId", "Lang", "DmV"} {
		n := s.tree.find([]string{"DevInfo", name})
		info.items = append(info.items, answerItem{
			source: "./DevInfo/" + name, format: n.format, mime: n.mime, data: n.value,
		})
	}
	s.queue = append(s.queue, info)
	if s.make.LoginStatus {
		s.queue = append(s.queue, answer{kind: syncml.Alert, code: alertClientEvent, items: []answerItem{{
			mime: "com.microsoft/MDM/LoginStatus", format: formatChr, data: "user",
		}}})
	}
	for i := range s.findings {
		f := &s.findings[i]
		s.queue = append(s.queue, answer{
			kind: syncml.Alert, code: alertGeneric, correlator: f.correlator, finding: i + 1,
			items: []answerItem{{
				source: f.source, target: f.target, mime: f.form.kind, format: f.form.format, mark: f.form.mark, data: f.data,
			}},
		})
	}
}

// take reads the server's message, checks it, carries it out and queues the answers. more is false where the session
// has come to its regular end.
func (s *session) take() (more bool, err error) {
	if err := s.in.Read(s.reply, s.make.Encoding, &syncml.Limits{}); err != nil {
		s.blame(RuleSyntax, "%v", err)
		return false, fmt.Errorf("%w: %w", ErrBadAnswer, err)
	}
	s.checkHeader()
	s.checkCommands()
	s.follow()
	commands := s.hasCommands()
	verdict, challenge := s.statuses()
	s.checkPackage(commands)
	switch {
	case isChallenge(verdict):
		return s.challenged(verdict, &challenge, commands)
	case verdict != 0 && verdict/100 != 2:
		return false, fmt.Errorf("%w: status %d for SyncHdr", ErrUnauthorized, verdict)
	}
	s.acknowledged()
	code := s.verifyServer(s.asksForMore())
	if code == statusInvalidCred || code == statusNoCred {
		return s.challengeServer(code)
	}
	s.fresh = s.fresh[:0]
	s.act()
	left := len(s.queue) > 0
	if !left { // else this only bids the handset go on with its own package
		s.serverFinal = s.in.Final
	}
	if s.aborted {
		s.serverFinal = true // whoever aborts says Final (section 2.1)
	}
	if len(s.fresh) == 0 && !left && (s.in.Final || s.make.LoneStatusEnds) {
		return false, nil
	}
	s.answerHeader(code)
	return true, nil
}

// answerHeader puts the Status for SyncHdr and the fresh answers before what is left in the queue.
func (s *session) answerHeader(code int) {
	header := s.status("0", "SyncHdr", code)
	header.targetRef, header.sourceRef = string(s.in.Header.Target.URI), string(s.in.Header.Source.URI)
	header.challenge, header.prove = s.challengeText(), auth.TypeMD5
	if s.underHMAC() {
		header.prove = auth.TypeMAC
	}
	queue := append(make([]answer, 0, 1+len(s.fresh)+len(s.queue)), header)
	queue = append(append(queue, s.fresh...), s.queue...)
	s.queue = append(s.queue[:0], queue...)
}

// status is a Status for a command of the message that is being taken.
func (s *session) status(cmdRef, cmd string, code int) answer {
	return answer{kind: syncml.Status, code: code, msgRef: string(s.in.Header.MsgID), cmdRef: cmdRef, cmd: cmd}
}

// follow takes over what the server's header asks for: where the next message goes and how long it may be.
func (s *session) follow() {
	if uri := string(s.in.Header.RespURI); isAbsolute(uri) {
		s.url = uri
	}
	if n := s.in.Header.Meta.MaxMsgSize; n > 0 {
		s.room = n
	}
}

// hasCommands says whether the server's message asks for anything.
func (s *session) hasCommands() bool {
	for i := range s.in.Commands {
		if k := s.in.Commands[i].Kind; k != syncml.Status && k != syncml.Results {
			return true
		}
	}
	return false
}

// closeSession keeps what the session leaves behind, and says what there is to do now: what its Execs asked for, and
// what earlier ones have not finished. Where that is anything, the handset stays busy.
func (h *Handset) closeSession(s *session, err error) []job {
	h.mu.Lock()
	defer h.unlock()
	h.result.Err = err
	if err != nil {
		h.state = Failed
		h.note(SessionFailed, err.Error())
	} else {
		h.state = Managed
		h.result.Closed++
		h.note(SessionClosed, s.id)
	}
	if h.account != s.account {
		h.state = HasAccount // a new document came meanwhile; its tree is a new one
		h.free()
		return nil
	}
	if s.tree.root != s.planted {
		h.root = s.tree.root
	}
	h.findings = nil
	for i, f := range s.findings {
		if !s.reported[i] {
			h.findings = append(h.findings, f)
		}
	}
	jobs := append(h.jobs, s.jobs...)
	h.jobs = nil
	if len(jobs) == 0 {
		h.free()
	}
	return jobs
}

// free ends the handset's being busy: what came meanwhile goes into its tree.
func (h *Handset) free() {
	h.busy = false
	later := h.later
	h.later = nil
	for _, f := range later {
		h.change(f)
	}
}

// change lets f change the tree as soon as nobody else does. A tree that nobody has written to is put together from
// what f is about (see tree), and so needs none.
func (h *Handset) change(f func(*tree)) {
	switch {
	case h.busy:
		h.later = append(h.later, f)
	case h.root != nil:
		t := tree{root: h.root}
		f(&t)
		h.root = t.root
	}
}
