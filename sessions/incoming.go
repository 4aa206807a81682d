package sessions

import (
	"time"

	"dmgate/codec/syncml"
	"dmgate/storage"
)

// Large objects that a device sends: their chunks are kept as they come, each an answer of its own, and are durable
// before the device hears of it. So they take no memory here, however large they are. Source: section 2.2.

// isPart says whether an item is a chunk of a large object, be it its last.
func (s *Session) isPart(c *syncml.Command, it *syncml.Item) bool {
	return it.MoreData || s.incoming != nil && s.continues(c, it)
}

// continues says whether an item goes on with the object under way.
func (s *Session) continues(c *syncml.Command, it *syncml.Item) bool {
	o := s.incoming
	return o.MsgID == number(c.MsgRef) && o.CmdID == number(c.CmdRef) && (len(it.Source.URI) == 0 || o.URI == string(it.Source.URI))
}

// takePart takes a chunk: 213 where it is not the last, and the code of the whole for that.
func (s *Session) takePart(now time.Time, k int, c *syncml.Command, it *syncml.Item, in *syncml.Message, out *Outcome) {
	p := &s.pending[k]
	if s.incoming == nil {
		size := max(it.Meta.Size, c.Meta.Size)
		s.incoming = &storage.Incoming{MsgID: p.MsgID, CmdID: p.CmdID, URI: string(it.Source.URI), Size: size}
		if size > s.opt.MaxObj {
			s.incoming.Dropped = 416
		}
	}
	o := s.incoming
	o.Got += len(it.Data)
	o.Parts++
	switch {
	case o.Dropped != 0:
	case o.Got > s.opt.MaxObj:
		o.Dropped = 413
	case o.Size > 0 && (o.Got > o.Size || !it.MoreData && o.Got < o.Size):
		o.Dropped = 424
	}
	status := o.Dropped
	switch {
	case status != 0:
	case it.MoreData:
		status = 213
	default:
		status = 200
	}
	statusFor(in, out, c.CmdID, c.Kind.String(), status)
	if o.Dropped == 0 || o.Parts == 1 || !it.MoreData {
		s.keepPart(now, k, c, it, out)
	}
	if !it.MoreData {
		s.incoming = nil
	}
}

// keepPart files a chunk. One of an object that is dropped has the status it is dropped with, and no data.
func (s *Session) keepPart(now time.Time, k int, c *syncml.Command, it *syncml.Item, out *Outcome) {
	p, o := &s.pending[k], s.incoming
	a := s.openAnswer(k, out)
	if a == nil {
		a = s.newAnswer(now, s.find(p.Task), p.Command, p.Code, out)
	}
	fill(a, c, it)
	a.Part, a.More = o.Parts, it.MoreData
	if o.Dropped != 0 {
		a.Code, a.Data = o.Dropped, nil
	}
	out.places[k].answer = 0
}

// interrupted notices that the device has not gone on with its large object, and says so with Alert 1225. The parts that
// have come are of no use.
func (s *Session) interrupted(now time.Time, in *syncml.Message, out *Outcome) bool {
	o := s.incoming
	if o == nil {
		return false
	}
	for i := range in.Commands {
		c := &in.Commands[i]
		if c.Kind == syncml.Results && len(c.Items) > 0 && s.continues(c, &c.Items[0]) {
			return false
		}
	}
	s.incoming = nil
	for k := range s.pending {
		if p := &s.pending[k]; p.MsgID == o.MsgID && p.CmdID == o.CmdID {
			if t := s.find(p.Task); t != nil {
				a := s.newAnswer(now, t, p.Command, 424, out)
				a.URI, a.Part = out.Reply.Text(o.URI), o.Parts+1
			}
		}
	}
	c := out.Reply.AddCommand(syncml.Alert)
	c.CmdID, c.Data = out.Reply.Number(len(out.Reply.Commands)), out.Reply.Text("1225")
	out.Reply.AddItem().Target.URI = out.Reply.Text(o.URI)
	return true
}
