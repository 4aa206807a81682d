package sessions

import (
	"fmt"
	"time"

	"dmgate/codec/syncml"
	"dmgate/storage"
)

// Step takes one message from the device and says what to answer and what must be durable before the answer leaves.
// It keeps nothing of req once it returns, but out.Reply holds views into it.
//
// After a Step whose commit failed the Session is void: what it believes is not what is kept.
func (s *Session) Step(now time.Time, req *Request, out *Outcome) {
	out.reset(s.device.ID, now)
	if s.repeats(req) {
		out.Repeat, out.Ended = s.reply, s.ended
		s.tellMAC(out)
		return
	}
	in := req.Message
	if code := s.headerStatus(&in.Header); code != 0 {
		s.reject(in, out, code)
		return
	}
	if s.locked(now, req) {
		turnAway(s.opt, s.account.Scheme, req, out)
		return
	}
	if code := s.speaks(now, req); code != 0 {
		s.silence(in, out, code)
		return
	}
	out.Kept = true
	s.sent = s.nextSent(&in.Header)
	first := s.received == 0
	s.received, s.digest = number(in.Header.MsgID), digest(req.Body)
	if first {
		s.opening = s.digest
	}
	if n := in.Header.Meta.MaxMsgSize; n >= leastMaxMsg {
		s.maxMsg = n
	}
	if n := in.Header.Meta.MaxObjSize; n > 0 {
		s.maxObj = n
	}
	s.updated = now
	code := s.authenticate(now, req, out)
	s.header(in, out, s.sent)
	if s.parting {
		s.part(in, out)
		return
	}
	if code >= 400 {
		s.challenge(req, out, code)
		s.keepTasks(out)
		return
	}
	s.accept(in, out, code)
	s.setAside(out)
	interrupted := s.interrupted(now, in, out)
	refused := s.match(now, in, out)
	abort := s.take(now, in, out)
	s.resolve(now, out) // after the results that come late: these tell of an Exec that nobody knew of
	s.proveServer(out)
	if in.Final && !abort {
		s.unanswered(now, out)
	}
	why := s.mustEnd(now, abort, refused)
	s.report(now, in.Final || why != "", out)
	switch {
	case why != "":
		s.end(out, why)
		if !in.Final && !abort {
			s.abort(out)
		}
	case !in.Final && !s.isAskedOn(in):
		s.askForMore(out)
	default:
		s.plan(now, out)
		s.sweep(now, out)
		if !s.pack(now, req.Encoding, out) && !interrupted { // that was an alert, and the device is to answer it
			s.end(out, "")
		}
	}
	s.keepTasks(out)
}

// mustEnd says why the session has to end, whatever there is to say yet; "" where it may go on.
func (s *Session) mustEnd(now time.Time, abort, refused bool) string {
	switch {
	case abort:
		return "aborted by the device"
	case refused && s.refusals >= s.opt.Failures:
		return "the device refuses our credential"
	case s.sent >= uint32(s.opt.Messages):
		return "too many messages"
	case s.isOld(now):
		return "it has lasted too long"
	}
	return ""
}

// isAskedOn says whether the device wants our next message, and has nothing to answer before: our last one was not the
// end of our package, and until then a device does not write Final either (section 2.1).
func (s *Session) isAskedOn(in *syncml.Message) bool {
	if len(s.pending) > 0 {
		return false
	}
	for i := range in.Commands {
		if c := &in.Commands[i]; c.Kind == syncml.Alert && c.Code() == 1222 {
			return true
		}
	}
	return false
}

// headerStatus is the status of a header that can not be accepted whoever sent it; 0 for a sound one.
func (s *Session) headerStatus(h *syncml.Header) int {
	switch string(h.VerDTD) {
	case "1.1", "1.2":
	default:
		return 505
	}
	switch string(h.VerProto) {
	case "DM/1.0", "DM/1.1", "DM/1.2", "DM/1.3":
	default:
		return 513
	}
	id := number(h.MsgID)
	if id == 0 || !s.inTurn(id) || !s.isOpen() {
		return 400
	}
	return 0
}

// header fills the header of the reply, which ends a package until something says otherwise. Its RespURI names the
// device only once the device has proved itself: its name is half of its credential.
func (s *Session) header(in *syncml.Message, out *Outcome, msgID uint32) {
	r := &out.Reply
	r.Style, r.Final = in.Style, true
	h := &r.Header
	h.VerDTD, h.VerProto, h.SessionID = in.Header.VerDTD, in.Header.VerProto, in.Header.SessionID
	h.MsgID = r.Number(int(msgID))
	h.Target.URI = in.Header.Source.URI
	h.Source.URI = r.Text(s.opt.Address)
	h.Meta.MaxMsgSize, h.Meta.MaxObjSize = s.opt.MaxBody, s.opt.MaxObj
	h.RespURI = h.Source.URI
	if s.proof != Unproved {
		h.RespURI = r.Text(s.opt.Address, "?d=", string(s.device.ID))
	}
}

// accept answers the SyncHdr. With a digest that is good goes the nonce of the next one: of the next session after 212,
// of the next message under HMAC.
func (s *Session) accept(in *syncml.Message, out *Outcome, code int) {
	if in.Header.NoResp {
		return
	}
	st := s.headerStatusFor(in, out, code)
	if code == 212 && s.proof == ByMD5 || s.proof == ByHMAC {
		s.tellNext(&out.Reply, &st.Chal)
	}
}

// challenge answers a missing or wrong credential: every command gets the status of the header, and nothing else is
// sent, for commands beside a challenge confuse phones (trap 12). When the device has had its tries the challenge is
// left out and the session is over.
func (s *Session) challenge(req *Request, out *Outcome, code int) {
	in := req.Message
	st := s.headerStatusFor(in, out, code)
	if s.failures < s.opt.Failures {
		s.nonce = s.fillNonce(nil)
		s.challengeWith(req, &out.Reply, &st.Chal)
	} else {
		s.end(out, "credential refused")
	}
	s.statusForAll(in, out, code)
}

// reject answers a message that changes nothing: an impossible header, or a MsgID out of its turn.
func (s *Session) reject(in *syncml.Message, out *Outcome, code int) {
	s.header(in, out, s.sent+1)
	s.headerStatusFor(in, out, code)
	s.statusForAll(in, out, code)
}

func (s *Session) headerStatusFor(in *syncml.Message, out *Outcome, code int) *syncml.Command {
	st := statusFor(in, out, headerRef, "SyncHdr", code)
	st.TargetRef, st.SourceRef = in.Header.Target.URI, in.Header.Source.URI
	return st
}

// headerRef is the CmdRef of a SyncHdr.
var headerRef = []byte("0")

func (s *Session) statusForAll(in *syncml.Message, out *Outcome, code int) {
	for i := range in.Commands {
		if c := &in.Commands[i]; wantsStatus(c) {
			statusFor(in, out, c.CmdID, c.Kind.String(), code)
		}
	}
}

// statusFor adds a Status for the command with CmdID ref.
func statusFor(in *syncml.Message, out *Outcome, ref []byte, name string, code int) *syncml.Command {
	st := out.Reply.AddCommand(syncml.Status)
	st.CmdID = out.Reply.Number(len(out.Reply.Commands))
	st.MsgRef = in.Header.MsgID
	st.CmdRef = ref
	st.Cmd = out.Reply.Text(name)
	st.Data = out.Reply.Number(code)
	return st
}

// wantsStatus says whether c is to get a Status. One without a CmdID can get none: there is nothing to refer to.
func wantsStatus(c *syncml.Command) bool {
	return c.Kind != syncml.Status && c.Kind != syncml.Results && !c.NoResp && len(c.CmdID) > 0
}

// take carries out what the device says of its own accord and answers each command. It reports an abort, which gets a
// Status for itself alone.
func (s *Session) take(now time.Time, in *syncml.Message, out *Outcome) (abort bool) {
	for i := range in.Commands {
		if c := &in.Commands[i]; c.Kind == syncml.Alert && c.Code() == 1223 {
			statusFor(in, out, c.CmdID, "Alert", 200)
			return true
		}
	}
	for i := range in.Commands {
		c := &in.Commands[i]
		code := 405
		switch {
		case c.Kind == syncml.Status, c.Kind == syncml.Results:
			continue
		case c.Depth > 0:
			code = 215 // what it stands in is refused, and it is not executed
		case c.Kind == syncml.Alert:
			code = s.hear(now, c, out)
		case c.Kind == syncml.Replace:
			code = s.learn(c, out)
		}
		if wantsStatus(c) && !in.Header.NoResp {
			statusFor(in, out, c.CmdID, c.Kind.String(), code)
		}
	}
	return false
}

// hear takes an alert. What the device reports of its own accord (1224, 1226) goes to the feed, item by item, and to the
// Exec that waits for it.
func (s *Session) hear(now time.Time, c *syncml.Command, out *Outcome) int {
	code := c.Code()
	switch code {
	case 1200:
		out.Called = true
		return 200
	case 1201, 1222, 1225:
		return 200
	case 1224, 1226:
	default:
		return 406
	}
	if len(c.Items) > maxReports {
		return 413
	}
	for i := range c.Items {
		it := &c.Items[i]
		text := fmt.Sprintf("%d %.*q from %.*q: %.*q", code, maxFactID, it.Meta.Type, maxFactID, it.Source.URI, maxFact, it.Data)
		if len(it.Meta.Mark) > 0 {
			text += fmt.Sprintf(" (%.*q)", maxFactID, it.Meta.Mark)
		}
		out.Commit.Feed = append(out.Commit.Feed, storage.FeedEntry{Kind: "alert", Text: text})
		if code == 1226 {
			s.late(now, c, it, out)
		}
	}
	return 200
}

// Bounds of what a device may say of itself.
const (
	devInfo    = "./DevInfo/"
	maxFacts   = 64
	maxFact    = 512 // bytes of a value
	maxFactID  = 64  // bytes of a name
	maxReports = 16  // items of an alert
)

// learn takes the DevInfo leaves that package 1 carries; nothing else may be replaced at the server.
func (s *Session) learn(c *syncml.Command, out *Outcome) int {
	for i := range c.Items {
		it := &c.Items[i]
		uri := it.Source.URI
		if len(uri) <= len(devInfo) || string(uri[:len(devInfo)]) != devInfo {
			return 405
		}
		name := uri[len(devInfo):]
		if len(it.Data) > maxFact || len(name) > maxFactID {
			return 413
		}
		known, ok := s.device.Facts[string(name)]
		if ok && known == string(it.Data) {
			continue
		}
		if !ok && len(s.device.Facts) >= maxFacts {
			return 420
		}
		key, value := string(name), string(it.Data)
		out.Change(s.device, func(d *storage.Device) { d.Learn(key, value) })
	}
	return 200
}

// askForMore answers a message that is not the last of its package: Alert 1222, no commands, no Final.
func (s *Session) askForMore(out *Outcome) {
	c := out.Reply.AddCommand(syncml.Alert)
	c.CmdID = out.Reply.Number(len(out.Reply.Commands))
	c.Data = out.Reply.Text("1222")
	out.Reply.Final = false
	it := out.Reply.AddItem()
	it.Target.URI, it.Source.URI = out.Reply.Header.Target.URI, out.Reply.Header.Source.URI
}

// plan asks for tasks when the device has just proved itself.
func (s *Session) plan(now time.Time, out *Outcome) {
	if s.planned {
		return
	}
	s.planned = true
	out.open, out.MaxMsg, out.MaxObj = s.tasks, s.maxMsg, s.maxObj
	s.add(s.opt.Planner.Proved(now, s.device, out))
}

// abort tells the device, whose package goes on, that the session is over (section 2.1).
func (s *Session) abort(out *Outcome) {
	c := out.Reply.AddCommand(syncml.Alert)
	c.CmdID, c.Data = out.Reply.Number(len(out.Reply.Commands)), out.Reply.Text("1223")
	s.parting = true
}

// part takes the device's Status for our Alert 1223. Nothing else comes of the message but the nonce of our next mac.
func (s *Session) part(in *syncml.Message, out *Outcome) {
	s.parting, out.Ended = false, true
	s.judged(in, out)
	out.sign = s.signs()
	s.accept(in, out, 200)
}

// end closes the session; tasks under way stay open for the next one. why is empty for an end as it should be.
func (s *Session) end(out *Outcome, why string) {
	s.ended, out.Ended = true, true
	text := "ended"
	if why != "" {
		text = "ended: " + why
	}
	out.Commit.Feed = append(out.Commit.Feed, storage.FeedEntry{Kind: "session", Text: text})
}
