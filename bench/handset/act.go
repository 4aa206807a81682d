package handset

import (
	"encoding/base64"

	"dmgate/codec/syncml"
)

// Alert codes (section 2.4).
const (
	alertDisplay         = 1100
	alertConfirm         = 1101
	alertInput           = 1102
	alertMultipleChoice  = 1104
	alertServerInitiated = 1200
	alertClientInitiated = 1201
	alertNextMessage     = 1222
	alertAbort           = 1223
	alertClientEvent     = 1224
	alertNoEndOfData     = 1225
	alertGeneric         = 1226
)

// act carries out the commands of the message that is being taken, in their order, and collects the answers in fresh.
func (s *session) act() {
	for i := 0; i < len(s.in.Commands) && !s.aborted; {
		i, _ = s.perform(i)
	}
}

// perform carries out command i with its members. It returns the command after them and the Status it gave.
func (s *session) perform(i int) (next, code int) {
	c := &s.in.Commands[i]
	next = s.after(i)
	switch c.Kind {
	case syncml.Status, syncml.Results, syncml.None:
		return next, 0
	case syncml.Atomic:
		return next, s.atomic(i, next)
	case syncml.Sequence:
		s.answer(c, statusOK)
		for j := i + 1; j < next; {
			j, _ = s.perform(j)
		}
		return next, statusOK
	case syncml.Alert:
		return next, s.alert(c)
	}
	return next, s.each(c)
}

// after is the place of the first command that is no member of command i.
func (s *session) after(i int) int {
	depth := s.in.Commands[i].Depth
	for i++; i < len(s.in.Commands) && s.in.Commands[i].Depth > depth; i++ {
	}
	return i
}

// answer queues the Status for c, unless the server wants none.
func (s *session) answer(c *syncml.Command, code int) {
	if c.NoResp {
		return
	}
	st := s.status(string(c.CmdID), c.Kind.String(), code)
	if len(c.Items) == 1 {
		st.targetRef, st.sourceRef = string(c.Items[0].Target.URI), string(c.Items[0].Source.URI)
	}
	s.fresh = append(s.fresh, st)
}

// atomic carries out all members or none: what was done before a member failed is undone by going back to the tree of
// before (section 2.3). Get has no place in it.
func (s *session) atomic(i, end int) int {
	root, jobs, at := s.tree.root, len(s.jobs), len(s.fresh)
	failed := false
	s.answer(&s.in.Commands[i], statusOK)
	for j := i + 1; j < end; j++ {
		c := &s.in.Commands[j]
		switch {
		case failed:
			s.answer(c, statusNotExecuted)
		case c.Kind == syncml.Get || c.Kind == syncml.Atomic || c.Kind == syncml.Sequence:
			s.answer(c, statusFailed)
			failed = true
		default:
			_, code := s.perform(j)
			failed = code/100 != 2
		}
	}
	if !failed {
		return statusOK
	}
	undone := statusUndone
	if s.make.NoUndo {
		undone = statusNotUndone
	} else {
		s.tree.root, s.jobs = root, s.jobs[:jobs]
	}
	for k := at; k < len(s.fresh); k++ {
		a := &s.fresh[k]
		switch {
		case k == at && a.cmd == syncml.Atomic.String():
			a.code = statusAtomicFailed
		case a.kind == syncml.Status && a.code/100 == 2 && a.code != statusNotExecuted:
			a.code = undone
		}
	}
	return statusAtomicFailed
}

// each carries out a command for each of its items. Several items get one Status where they fared alike, else one each
// (section 2.7). A Status comes before its Results.
func (s *session) each(c *syncml.Command) int {
	if len(c.Items) == 0 {
		s.answer(c, statusIncomplete)
		return statusIncomplete
	}
	worst, alike := 0, true
	var codes []int
	var results []answer
	for i := range c.Items {
		it := &c.Items[i]
		code, v := s.item(c, it)
		codes = append(codes, code)
		alike = alike && code == codes[0]
		worst = max(worst, code)
		if c.Kind == syncml.Get && code == statusOK {
			results = append(results, s.results(c, v))
		}
	}
	if alike {
		s.answer(c, worst)
	} else if !c.NoResp {
		for i, code := range codes {
			st := s.status(string(c.CmdID), c.Kind.String(), code)
			st.targetRef = string(c.Items[i].Target.URI)
			s.fresh = append(s.fresh, st)
		}
	}
	s.fresh = append(s.fresh, results...)
	return worst
}

// results is the Results for one item of a Get.
func (s *session) results(c *syncml.Command, v value) answer {
	if v.format == formatBin && s.make.Encoding == syncml.XML {
		v.format, v.data = "b64", base64.StdEncoding.EncodeToString([]byte(v.data)) // section 1.4
	}
	return answer{
		kind: syncml.Results, msgRef: string(s.in.Header.MsgID), cmdRef: string(c.CmdID), cmd: c.Kind.String(),
		items: []answerItem{{source: v.uri, format: v.format, mime: v.mime, data: v.data}},
	}
}

// item carries out a command for one item.
func (s *session) item(c *syncml.Command, it *syncml.Item) (int, value) {
	tree := s.make.commands(&s.tree)
	uri := string(it.Target.URI)
	switch {
	case uri == "":
		return statusIncomplete, value{}
	case s.object != nil && (s.object.uri != uri || s.object.kind != c.Kind):
		s.interrupted()
	}
	switch c.Kind {
	case syncml.Get:
		v, code := tree.get(uri)
		return code, v
	case syncml.Delete:
		return tree.remove(uri), value{}
	case syncml.Exec:
		path, op, code := tree.execute(uri)
		if op == nil {
			return code, value{}
		}
		j := job{op: op, path: path, uri: uri, correlator: string(c.Correlator), data: string(it.Data)}
		if op.check != nil {
			if code := op.check(j.data); code != 0 {
				return code, value{}
			}
		}
		if op.start != nil {
			op.start(&work{job: &j, tree: &s.tree, make: s.make})
		}
		s.jobs = append(s.jobs, j)
		s.h.tell(Executed, uri)
		return code, value{}
	case syncml.Add, syncml.Replace:
		data, code := s.collect(c, it)
		if code != statusOK {
			return code, value{}
		}
		format, mime := first(it.Meta.Format, c.Meta.Format), first(it.Meta.Type, c.Meta.Type)
		if format == "b64" {
			if raw, err := base64.StdEncoding.DecodeString(data); err == nil {
				format, data = formatBin, string(raw)
			}
		}
		if c.Kind == syncml.Add {
			return tree.add(uri, format, mime, data), value{}
		}
		return tree.replace(uri, data), value{}
	}
	return statusUnsupported, value{} // Copy, which is optional
}

func first(a, b []byte) string {
	if len(a) > 0 {
		return string(a)
	}
	return string(b)
}

// alert answers an alert of the server's. Users see what is shown to them and confirm what they are asked; other
// dialogs are beyond these handsets (section 2.4).
func (s *session) alert(c *syncml.Command) int {
	code := c.Code()
	switch {
	case code == alertNextMessage:
		if s.make.LoneStatusEnds {
			return statusOK // gets no Status: that is what ends its sessions too early (trap 20)
		}
		s.answer(c, statusOK)
		return statusOK
	case code == alertAbort:
		// The answer is a Status for SyncHdr and one for the Alert, and no more (section 2.1).
		s.aborted = true
		s.queue, s.fresh = s.queue[:0], s.fresh[:0]
		s.answer(c, statusOK)
		return statusOK
	case code == alertNoEndOfData:
		s.answer(c, statusOK)
		return statusOK
	case code == alertDisplay || code == alertConfirm:
		if len(c.Items) < 2 || len(c.Items[1].Data) == 0 {
			s.answer(c, statusIncomplete)
			return statusIncomplete
		}
		s.answer(c, statusOK)
		return statusOK
	}
	s.answer(c, statusUnsupported)
	return statusUnsupported
}
