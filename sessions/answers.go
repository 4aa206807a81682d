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
	for i := range in.Commands {
		c := &in.Commands[i]
		if c.Kind == syncml.Status && string(c.CmdRef) == "0" && s.serverStatus(c, out) {
			s.takeBack() // before their own statuses: these say no more than that they were not carried out
			refused = true
			break
		}
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
			s.answerResults(now, k, c, out)
		}
	}
	return refused
}

// pendingFor is the index of the pending command that c answers, -1 if there is none.
func (s *Session) pendingFor(c *syncml.Command) int {
	msg, cmd := number(c.MsgRef), number(c.CmdRef)
	for k := range s.pending {
		if s.pending[k].MsgID == msg && s.pending[k].CmdID == cmd {
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
	if a := s.answer(now, k, out); a != nil && len(c.Items) > 0 {
		a.Data = c.Items[0].Data // what the user typed, for example
	}
}

// answer files the answer to pending command k and returns it; nil where its task is gone.
func (s *Session) answer(now time.Time, k int, out *Outcome) *storage.Answer {
	p := &s.pending[k]
	t := s.find(p.Task)
	if t == nil {
		return nil
	}
	t.answered++
	a := s.newAnswer(now, t, p.Command, p.Code, out)
	out.places[k] = out.lastAnswer(t.ID)
	return a
}

func (s *Session) answerResults(now time.Time, k int, c *syncml.Command, out *Outcome) {
	t := s.find(s.pending[k].Task)
	if t == nil {
		return
	}
	for i := range c.Items {
		it := &c.Items[i]
		a := s.openAnswer(k, out)
		if a == nil {
			a = s.newAnswer(now, t, s.pending[k].Command, s.pending[k].Code, out)
		}
		a.URI = it.Source.URI
		a.Format, a.Type = it.Meta.Format, it.Meta.Type
		if len(a.Format) == 0 {
			a.Format = c.Meta.Format
		}
		if len(a.Type) == 0 {
			a.Type = c.Meta.Type
		}
		a.Data = it.Data
		out.places[k].answer = 0
	}
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
	r := &out.Commit.Results[out.resultsOf(t.ID)]
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
		if s.pending[k].Code == 0 {
			s.answer(now, k, out)
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
		s.conclude(now, s.find(r.Task), r.Answers, closed, out)
	}
	for i := 0; closed && i < len(s.tasks); i++ {
		if t := &s.tasks[i]; t.State != storage.TaskDone && t.answered >= len(t.Commands) {
			s.conclude(now, t, nil, closed, out) // its last answer came in an earlier message
		}
	}
	if count > 0 {
		out.Commit.Feed = append(out.Commit.Feed, storage.FeedEntry{Kind: "results", Count: count})
	}
}

// conclude ends t if none of its answers is missing and none can be added, and lets the planner read the new ones.
func (s *Session) conclude(now time.Time, t *task, answers []storage.Answer, closed bool, out *Outcome) {
	done := closed && t.answered >= len(t.Commands)
	if done {
		t.State, t.dirty = storage.TaskDone, true
	}
	out.open = s.tasks
	s.add(s.opt.Planner.Answered(now, s.device, &t.Task, answers, done, out))
}

// takeBack returns the commands of our last message to their tasks: the device refused its credential and has not
// carried them out. They go out again with the next one. Those of earlier messages were carried out and stay.
func (s *Session) takeBack() {
	kept := s.pending[:0]
	for k := range s.pending {
		p := s.pending[k]
		if p.MsgID != s.sent-1 {
			kept = append(kept, p)
			continue
		}
		if t := s.find(p.Task); t != nil {
			t.next = min(t.next, p.Command)
		}
	}
	s.pending = kept
}
