package sessions

import (
	"slices"
	"time"

	"dmgate/codec/syncml"
	"dmgate/storage"
)

// match goes through the Status and Results of a message and files the answers under the tasks they belong to. They may
// be spread over the messages of a package, and stand in any order in one. It reports whether the device has refused
// our credential and with it our commands, which are taken back to go out again.
func (s *Session) match(now time.Time, in *syncml.Message, out *Outcome) (refused bool) {
	of, refused := s.judged(in, out)
	if refused {
		s.takeBack(of) // before their own statuses: these say no more than that they were not carried out
	}
	out.places = slices.Grow(out.places, len(s.pending))[:len(s.pending)]
	clear(out.places)
	for i := range in.Commands {
		c := &in.Commands[i]
		if c.Kind != syncml.Status {
			continue
		}
		if k := s.pendingFor(c); k >= 0 && s.pending[k].Code == 0 {
			s.answerStatus(now, k, c, out)
		}
	}
	for i := range in.Commands {
		c := &in.Commands[i]
		if c.Kind != syncml.Results {
			continue
		}
		if k := s.pendingFor(c); k >= 0 {
			s.answerResults(now, k, c, in, out)
		}
	}
	s.forgetAnswered()
	return refused
}

// forgetAnswered drops the pending commands to which nothing more can come: probes that are settled, and chunks that the
// device has taken.
func (s *Session) forgetAnswered() {
	s.pending = slices.DeleteFunc(s.pending, func(p storage.Pending) bool {
		return p.Task == 0 || p.Chunk && p.Code != 0
	})
}

// pendingFor is the index of the pending command that c answers, -1 if there is none.
func (s *Session) pendingFor(c *syncml.Command) int {
	msg, cmd := number(c.MsgRef), number(c.CmdRef)
	for k := range s.pending {
		if s.pending[k].MsgID == msg && s.pending[k].CmdID == cmd && s.pending[k].Task != 0 {
			return k
		}
	}
	return -1
}

func (s *Session) answerStatus(now time.Time, k int, c *syncml.Command, out *Outcome) {
	p := &s.pending[k]
	p.Code = c.Code()
	if p.Code == 0 {
		p.Code = 500 // a status that is no number is an answer all the same
	}
	t := s.find(p.Task)
	switch {
	case t == nil:
		return
	case p.Probe:
		s.probed(now, t, k, out)
		return
	case p.Chunk && p.Code < 300: // 213, as a rule: it wants the next one
		return
	case p.Chunk: // it does not want the rest
		t.said(p.Command, false)
	}
	if p.Code == 418 && t.isPut(p.Command) && !t.isReplace(p.Command) {
		t.Replace = insert(t.Replace, p.Command)
		t.again(p.Command)
		p.Task = 0
		return
	}
	if p.Code == 202 && t.Commands[p.Command].Kind == "Exec" {
		t.Accepted = insert(t.Accepted, p.Command)
	}
	t.Answered++
	a := s.newAnswer(now, t, p.Command, p.Code, out)
	for i := range c.Items { // what the user typed or chose, for example
		if i > 0 {
			a = s.newAnswer(now, t, p.Command, p.Code, out)
		}
		a.Data = c.Items[i].Data
	}
	out.places[k] = out.lastAnswer(t.id())
}

// probed takes the answer to the question whether an Exec has run that nobody knows of. Where the node is not there, or
// says that nothing has happened, the Exec goes out again. Else it counts as accepted: its result is to come.
func (s *Session) probed(now time.Time, t *task, k int, out *Outcome) {
	p := &s.pending[k]
	switch {
	case p.Code == 200:
		return // its value follows, or the end of the package
	case p.Code == 404:
		t.again(p.Command)
	default:
		s.accepted(now, t, p.Command, out)
	}
	p.Task = 0
}

// accepted answers an Exec in the device's place: it has run, or is running.
func (s *Session) accepted(now time.Time, t *task, i int, out *Outcome) {
	t.Accepted = insert(t.Accepted, i)
	s.answerGroup(now, t, i, 202, out)
}

// answerGroup answers all commands of a group in the device's place.
func (s *Session) answerGroup(now time.Time, t *task, i, code int, out *Outcome) {
	for end := t.groupEnd(i); i < end; i++ {
		t.Answered++
		s.newAnswer(now, t, i, code, out)
	}
}

func (s *Session) answerResults(now time.Time, k int, c *syncml.Command, in *syncml.Message, out *Outcome) {
	p := &s.pending[k]
	t := s.find(p.Task)
	if t == nil {
		return
	}
	if p.Probe {
		if len(c.Items) > 0 && slices.Contains(t.Commands[p.Command].Idle, string(c.Items[0].Data)) {
			t.again(p.Command)
		} else {
			s.accepted(now, t, p.Command, out)
		}
		p.Task = 0
		return
	}
	p.Valued = true
	for i := range c.Items {
		it := &c.Items[i]
		if s.isPart(c, it) {
			p.Valued = !it.MoreData
			s.takePart(now, k, c, it, in, out)
			continue
		}
		a := s.openAnswer(k, out)
		if a == nil {
			a = s.newAnswer(now, t, p.Command, p.Code, out)
		}
		fill(a, c, it)
		out.places[k].answer = 0
	}
}

// fill takes over what an item of a Results says. Meta of the item goes before that of the command.
func fill(a *storage.Answer, c *syncml.Command, it *syncml.Item) {
	a.URI = it.Source.URI
	a.Format, a.Type = it.Meta.Format, it.Meta.Type
	if len(a.Format) == 0 {
		a.Format = c.Meta.Format
	}
	if len(a.Type) == 0 {
		a.Type = c.Meta.Type
	}
	a.Data = it.Data
}

// openAnswer is the answer that the Status of pending command k has made in this message and no item has filled yet.
func (s *Session) openAnswer(k int, out *Outcome) *storage.Answer {
	p := out.places[k]
	if p.answer == 0 {
		return nil
	}
	return &out.Commit.Results[p.results-1].Answers[p.answer-1]
}

// newAnswer adds an answer to a command to the results of its task.
func (s *Session) newAnswer(now time.Time, t *task, command, code int, out *Outcome) *storage.Answer {
	r := &out.Commit.Results[out.resultsOf(t.id())]
	if len(r.Answers) == 0 {
		r.Device, r.Session, r.MsgID, r.Time = s.device.ID, s.id, s.received, now
	}
	r.Answers = append(r.Answers, storage.Answer{
		Command: command, Code: code, URI: out.Reply.Text(t.Commands[command].URI),
	})
	return &r.Answers[len(r.Answers)-1]
}

// lastAnswer is the place of the newest answer to a task.
func (o *Outcome) lastAnswer(task uint64) place {
	at := o.resultsOf(task)
	return place{results: at + 1, answer: len(o.Commit.Results[at].Answers)}
}

// resultsOf is the index of the results of a task in this commit. A new one takes over the memory of an old one.
func (o *Outcome) resultsOf(task uint64) int {
	rs := o.Commit.Results
	for i := len(rs) - 1; i >= 0; i-- {
		if rs[i].Task == task {
			return i
		}
	}
	if len(rs) < cap(rs) {
		rs = rs[:len(rs)+1]
		rs[len(rs)-1] = storage.Results{Task: task, Answers: rs[len(rs)-1].Answers[:0]}
	} else {
		rs = append(rs, storage.Results{Task: task})
	}
	o.Commit.Results = rs
	return len(rs) - 1
}

// unanswered closes a package of the device: a command that got no Status by now gets none any more. Its answer is one
// with code 0.
func (s *Session) unanswered(now time.Time, out *Outcome) {
	for k := range s.pending {
		p := &s.pending[k]
		t := s.find(p.Task)
		switch {
		case t == nil:
		case p.Probe:
			s.accepted(now, t, p.Command, out) // nobody can tell: that is not to run it twice
		case p.Code == 0 && p.Chunk:
			t.said(p.Command, false)
			fallthrough
		case p.Code == 0:
			t.Answered++
			s.newAnswer(now, t, p.Command, 0, out)
		}
	}
	s.pending = s.pending[:0]
}

// report shows the answers of this message to the planner. When nothing more of the package will come it ends the tasks
// that have all their answers, and not before: Results may follow their Status in another message.
func (s *Session) report(now time.Time, closed bool, out *Outcome) {
	count := 0
	for i := range out.Commit.Results {
		r := &out.Commit.Results[i]
		count += len(r.Answers)
		if t := s.find(r.Task); t != nil {
			s.conclude(now, t, r.Answers, closed, out)
		}
	}
	for i := 0; closed && i < len(s.tasks); i++ {
		if t := &s.tasks[i]; t.isComplete() {
			s.conclude(now, t, nil, closed, out) // its last answer came in an earlier message
		}
	}
	if count > 0 {
		out.Commit.Feed = append(out.Commit.Feed, storage.FeedEntry{Kind: "results", Count: count})
	}
}

// conclude ends t if none of its answers is missing and none can be added, and lets the planner read the new ones.
func (s *Session) conclude(now time.Time, t *task, answers []storage.Answer, closed bool, out *Outcome) {
	done := false
	switch {
	case !closed || t.Answered < len(t.Commands) || !t.Task.Open():
	case len(t.Accepted) == 0:
		done = true
		t.State, t.Reason, t.dirty = storage.TaskDone, "", true
	case t.State != storage.TaskWaiting:
		t.State, t.dirty = storage.TaskWaiting, true
		t.Reason = "the result of Exec " + t.Commands[t.Accepted[0]].URI + " is to come by Alert 1226"
	}
	if !done && len(answers) == 0 {
		return
	}
	out.open = s.tasks
	s.add(s.opt.Planner.Answered(now, s.device, &t.Task, answers, done, out))
}

// takeBack returns the commands of one of our messages to their tasks: the device refused its credential and has not
// carried them out. They go out again with the next one. Those of other messages were carried out and stay, and so do those
// that the device, whatever it says of the credential, has said to have carried out.
func (s *Session) takeBack(msgID uint32) {
	kept := s.pending[:0]
	for k := range s.pending {
		p := s.pending[k]
		if p.MsgID != msgID || p.Code != 0 && p.Code < 300 {
			kept = append(kept, p)
			continue
		}
		switch t := s.find(p.Task); {
		case t == nil:
		case p.Probe:
			t.Doubtful = insert(t.Doubtful, p.Command)
		case p.Chunk:
			t.Chunk = 0
		default:
			if p.Code != 0 {
				t.Answered-- // a refusal that came before that of the credential
			}
			t.again(p.Command)
		}
	}
	s.pending = kept
}
