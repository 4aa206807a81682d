package handset

import (
	"bytes"
	"strconv"

	"dmgate/codec/syncml"
)

// checkHeader holds SyncHdr to sections 1.2, 2.1 and 4.
func (s *session) checkHeader() {
	h, k := &s.in.Header, s.make
	got, want := s.in.Style, k.Style
	if k.Encoding == syncml.WBXML {
		if got.WBXML == 0 {
			got.WBXML = 0x02
		}
		if got != want {
			s.blame(RuleStyle, "WBXML header style %+v (want %+v as in the request)", got, want)
		}
	} else if got.Version != want.Version {
		s.blame(RuleStyle, "document type of another version than the request's")
	}
	if string(h.VerDTD) != k.VerDTD || string(h.VerProto) != k.VerProto {
		s.blame(RuleStyle, "VerDTD %q, VerProto %q (want %q, %q)", h.VerDTD, h.VerProto, k.VerDTD, k.VerProto)
	}
	if string(h.SessionID) != s.id {
		s.blame(RuleSessionID, "SessionID %q (want %q)", h.SessionID, s.id)
	}
	id, err := strconv.Atoi(string(h.MsgID))
	if err != nil || id != s.heard+1 {
		s.blame(RuleMsgID, "MsgID %q (want %d)", h.MsgID, s.heard+1)
		id = max(id, s.heard+1)
	}
	s.heard = id
	if string(h.Target.URI) != s.h.DevID() {
		s.blame(RuleTarget, "Target %q (want %q)", h.Target.URI, s.h.DevID())
	}
	if len(h.Source.URI) == 0 {
		s.blame(RuleTarget, "no Source")
	}
	switch {
	case len(h.RespURI) == 0:
		s.blame(RuleRespURI, "no RespURI")
	case !isAbsolute(string(h.RespURI)):
		s.blame(RuleRespURI, "RespURI %q is not absolute", h.RespURI)
	}
	if h.NoResp {
		s.blame(RuleNoResp, "NoResp in SyncHdr")
	}
}

// checkCommands holds the body to sections 2.1 to 2.5, command by command.
func (s *session) checkCommands() {
	for i := range s.in.Commands {
		c := &s.in.Commands[i]
		s.checkCmdID(i)
		switch c.Kind {
		case syncml.Status:
			if c.Depth > 0 {
				s.blame(RuleStatus, "Status %s within Atomic or Sequence", c.CmdID)
			}
		case syncml.Results:
			s.blame(RuleCommand, "%s %s from a server", c.Kind, c.CmdID)
		case syncml.Alert:
			s.checkAlert(c)
		case syncml.Atomic:
			s.checkAtomic(i)
		case syncml.Add, syncml.Copy, syncml.Delete, syncml.Exec, syncml.Get, syncml.Replace:
			s.checkItems(c)
		}
	}
	if len(s.in.Commands) == 0 || s.in.Commands[0].Kind != syncml.Status || string(s.in.Commands[0].CmdRef) != "0" {
		s.blame(RuleStatus, "the message does not begin with the Status for SyncHdr")
	}
}

func (s *session) checkCmdID(i int) {
	id := s.in.Commands[i].CmdID
	switch {
	case len(id) == 0:
		s.blame(RuleCmdID, "%s without CmdID", s.in.Commands[i].Kind)
		return
	case string(id) == "0":
		s.blame(RuleCmdID, `CmdID "0"`)
	}
	for j := range i {
		if bytes.Equal(s.in.Commands[j].CmdID, id) {
			s.blame(RuleCmdID, "CmdID %q twice", id)
			return
		}
	}
}

func (s *session) checkAlert(c *syncml.Command) {
	switch code := c.Code(); {
	case code == alertDisplay, code == alertConfirm:
		if len(c.Items) < 2 {
			s.blame(RuleCommand, "Alert %d with %d items (want 2)", code, len(c.Items))
		}
	case code >= alertInput && code <= alertMultipleChoice:
		if len(c.Items) < 2 {
			s.blame(RuleCommand, "Alert %d with %d items (want 2 or more)", code, len(c.Items))
		}
	case code == alertNextMessage, code == alertNoEndOfData:
	case code == alertAbort:
		if !s.in.Final {
			s.blame(RuleFinal, "Alert 1223 without Final")
		}
	default:
		s.blame(RuleCommand, "Alert %q from a server", c.Data)
	}
}

// checkAtomic looks for what Atomic must not hold (section 2.3).
func (s *session) checkAtomic(i int) {
	for j := i + 1; j < s.after(i); j++ {
		switch k := s.in.Commands[j].Kind; k {
		case syncml.Get, syncml.Atomic:
			s.blame(RuleCommand, "%s within Atomic", k)
		}
	}
}

func (s *session) checkItems(c *syncml.Command) {
	if len(c.Items) == 0 {
		s.blame(RuleCommand, "%s %s without Item", c.Kind, c.CmdID)
	}
	for i := range c.Items {
		it := &c.Items[i]
		uri := it.Target.URI
		switch {
		case len(uri) == 0:
			s.blame(RuleCommand, "%s %s without Target", c.Kind, c.CmdID)
		case c.Kind == syncml.Copy && len(it.Source.URI) == 0:
			s.blame(RuleCommand, "Copy %s without Source", c.CmdID)
		case uri[0] == '/':
			s.blame(RuleCommand, "LocURI %q begins with a slash", uri)
		}
		if it.MoreData && (i < len(c.Items)-1 || c.Kind != syncml.Add && c.Kind != syncml.Replace) {
			s.blame(RuleObject, "MoreData in %s %s, item %d", c.Kind, c.CmdID, i+1)
		}
	}
}

// statuses matches each Status of the message with a command of the handset's. It returns the verdict on SyncHdr of
// the last message, 0 where there is none, and the challenge that came with it.
func (s *session) statuses() (verdict int, challenge syncml.Meta) {
	for i := range s.in.Commands {
		c := &s.in.Commands[i]
		if c.Kind != syncml.Status {
			continue
		}
		sent := s.sentMessage(c.MsgRef)
		if sent == nil {
			s.blame(RuleMsgRef, "Status %s for message %q, which was not sent", c.CmdID, c.MsgRef)
			continue
		}
		ref, err := strconv.Atoi(string(c.CmdRef))
		if err != nil || ref < 0 || ref >= len(sent.commands) {
			s.blame(RuleCmdRef, "Status %s for command %q of message %d, which has no such command", c.CmdID, c.CmdRef, sent.id)
			continue
		}
		cmd := &sent.commands[ref]
		if name := cmd.name(); string(c.Cmd) != name {
			s.blame(RuleCmdRef, "Status %s says Cmd %q for a %s", c.CmdID, c.Cmd, name)
		}
		switch cmd.due {
		case never:
			s.blame(RuleCmdRef, "Status %s for a %s", c.CmdID, cmd.name())
		case answered:
			s.blame(RuleCmdRef, "Status %s: command %d of message %d has its Status already", c.CmdID, ref, sent.id)
			continue
		}
		cmd.due = answered
		if cmd.finding > 0 && c.Code()/100 == 2 {
			s.reported[cmd.finding-1] = true
		}
		if ref == 0 && sent.id == s.msgID {
			verdict, challenge = c.Code(), c.Chal
			s.verdict(verdict, &challenge)
		}
	}
	return verdict, challenge
}

func (s *session) sentMessage(ref []byte) *sentMessage {
	for i := len(s.sent) - 1; i >= 0; i-- {
		if string(ref) == strconv.Itoa(s.sent[i].id) {
			return &s.sent[i]
		}
	}
	return nil
}

// checkPackage looks at what is missing, and at whose turn it is. commands says that the message asks for anything.
func (s *session) checkPackage(commands bool) {
	last := &s.sent[len(s.sent)-1]
	if c := &last.commands[0]; c.due == owed {
		c.due = answered
		s.blame(RuleMissing, "no Status for SyncHdr of message %d", last.id)
	}
	left := len(s.queue) > 0
	switch {
	case left && s.in.Final:
		s.blame(RuleFinal, "Final while the handset's package goes on")
	case !left && !s.in.Final && !commands:
		s.blame(RuleFinal, "neither commands nor Final")
	}
	if left && s.asksForMore() {
		s.blame(RuleTurn, "commands while the handset's package goes on")
	}
	if !s.in.Final {
		return // the rest may come with the next message
	}
	for i := range s.sent {
		for ref := range s.sent[i].commands {
			if c := &s.sent[i].commands[ref]; c.due == owed {
				c.due = answered
				s.blame(RuleMissing, "no Status for %s %d of message %d", c.name(), ref, s.sent[i].id)
			}
		}
	}
}

// asksForMore says whether the message has commands that need an answer beyond "go on" and "stop".
func (s *session) asksForMore() bool {
	for i := range s.in.Commands {
		c := &s.in.Commands[i]
		switch c.Kind {
		case syncml.Status, syncml.Results:
		case syncml.Alert:
			if code := c.Code(); code != alertNextMessage && code != alertAbort && code != alertNoEndOfData {
				return true
			}
		default:
			return true
		}
	}
	return false
}
