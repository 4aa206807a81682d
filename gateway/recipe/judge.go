package recipe

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"dmgate/storage"
)

// reply is what has come for one command.
type reply struct {
	answered bool
	code     int // of its Status
	late     bool
	result   int    // of the alert that came after it
	data     []byte // of that alert
}

// Judge says what the answers to the commands of this stage mean so far, in the order in which they came. Next means
// that the stage is done and another one follows: Stage is to be one more.
func (w *Way) Judge(commands []storage.Command, answers []storage.Answer) Verdict {
	st := w.stage()
	replies := make([]reply, len(commands))
	for i := range answers {
		a := &answers[i]
		if a.Command < 0 || a.Command >= len(commands) {
			continue
		}
		r := &replies[a.Command]
		if a.Late {
			r.late, r.result, r.data = true, a.Code, a.Data
		} else {
			r.answered, r.code = true, a.Code
		}
	}
	deeds := w.deeds(commands)
	whole, pending := Verdict{State: Done}, false
	for i := range commands {
		s := deeds[i]
		v := st.judge(&commands[i], s, &replies[i], i == len(commands)-1)
		switch {
		case s != nil && s.optional && v.State == Failed:
		case v.State == Failed:
			return v
		case v.State == Pending:
			pending = true
		case v.State == Later || whole.State == Done && v.Reason != "" && (s == nil || s.acts()):
			whole = v
		}
	}
	switch {
	case pending:
		return Verdict{State: Pending}
	case whole.State == Done:
		return w.done(whole)
	}
	return whole
}

// done is v, or Next where another stage follows.
func (w *Way) done(v Verdict) Verdict {
	if v.State == Done && w.Stage+1 < len(w.Recipe.stages) {
		v.State = Next
	}
	return v
}

// judge says what came of one command. s is what has made it; nil where that can not be told. last is the last command
// of its stage: it counts as what does it where no other does.
func (st *stage) judge(c *storage.Command, s *sending, r *reply, last bool) Verdict {
	switch {
	case r.late:
		return st.late(r)
	case !r.answered:
		return Verdict{State: Pending}
	case c.Kind == "Add" && r.code == 418, c.Kind == "Delete" && r.code == 404:
		return Verdict{State: Done}
	}
	tables := st.status[len(st.status)-1:]
	acts := c.Kind == "Exec" || c.Kind == "Alert" || last && !st.acts()
	if acts {
		tables = st.status
	}
	v, ok := lookup(tables, r.code)
	switch {
	case r.code == 0:
		v = Verdict{State: Failed, Reason: "the device said nothing of it", Again: true}
	case !ok:
		v = said(Verdict{State: Failed}, "status", r.code)
	case v.State != Done:
		v = said(v, "status", r.code)
	case !acts:
		v.Reason = ""
	}
	if v.State == Later && c.Kind != "Exec" && !acts {
		v.State = Done // accepted: nothing more comes of it
	}
	if v.State == Failed {
		v.Reason = strings.TrimSpace(c.Kind+" "+c.URI) + ": " + v.Reason
	}
	return v
}

// late is what the alert says that came after an Exec. One without a number says that it is over, and no more; a number
// too large for a table is an error of Windows.
func (st *stage) late(r *reply) Verdict {
	text := strings.TrimSpace(string(r.data))
	n, err := strconv.ParseInt(text, 10, 64)
	switch {
	case r.result == 0 && err != nil:
		return Verdict{State: Done, Reason: "the device has ended it without a result"}
	case err == nil && (n < 0 || n > maxCode):
		return Verdict{State: Failed, Reason: fmt.Sprintf("result %d (0x%08X)", n, uint32(n))}
	}
	v, ok := lookup(st.result, r.result)
	if !ok {
		v = Verdict{State: Failed, Reason: "no table has this result"}
	}
	return said(v, "result", r.result)
}

// acts says whether a command of the stage is an Exec or an Alert.
func (st *stage) acts() bool {
	return slices.ContainsFunc(st.send, func(s sending) bool { return s.acts() })
}

// deeds is what has made each of the commands. Those that were left out stand in none of them, and the rest keeps its
// order: each comes from the first one left that it can come from.
func (w *Way) deeds(commands []storage.Command) []*sending {
	st := w.stage()
	from, next := make([]*sending, len(commands)), 0
	for i := range commands {
		for k := next; k < len(st.send); k++ {
			if s := &st.send[k]; s.kind == commands[i].Kind && s.uri.fits(w.Names, commands[i].URI) {
				from[i], next = s, k+1
				break
			}
		}
	}
	return from
}

// fits says whether t may have come out as text.
func (t *template) fits(names map[string]string, text string) bool {
	for i := range t.parts {
		p := &t.parts[i]
		plainText := p.text
		switch p.kind {
		case value:
			if i == len(t.parts)-1 {
				return !strings.Contains(text, "/")
			}
			end := strings.IndexByte(text, '/')
			if end < 0 {
				return false
			}
			text = text[end:]
			continue
		case node:
			if plainText = names[p.text]; plainText == "" {
				return false
			}
		}
		rest, ok := strings.CutPrefix(text, plainText)
		if !ok {
			return false
		}
		text = rest
	}
	return text == ""
}

// JudgePoll says what the answers to a Poll mean. Later: ask again. Done and Next as in Judge.
func (w *Way) JudgePoll(commands []storage.Command, answers []storage.Answer) Verdict {
	p := w.stage().poll
	if p == nil || len(commands) == 0 {
		return Verdict{State: Later, Reason: "there is nothing to be asked for it"}
	}
	got := make(map[string]storage.Answer, 1)
	Gather(got, commands, answers)
	a, ok := got[commands[0].URI]
	if !ok {
		return Verdict{State: Pending}
	}
	n := nodeOf(commands[0].URI, &a)
	switch presenceOf(&n) {
	case read:
		return w.done(p.means(n.URI, strings.TrimSpace(n.Value)))
	case absent:
		return w.done(Verdict{State: p.gone, Reason: n.URI + " is not there"})
	}
	return Verdict{State: Later, Reason: fmt.Sprintf("%s is not to be read: status %d", n.URI, a.Code)}
}

// means is what a value of the leaf means. One that nobody knows is no end.
func (p *poll) means(uri, is string) Verdict {
	for _, group := range []struct {
		state    State
		readings []reading
	}{{Failed, p.failed}, {Done, p.done}, {Later, p.pending}} {
		for _, r := range group.readings {
			if strings.EqualFold(r.is, is) {
				v := Verdict{State: group.state, Reason: uri + " is " + quoted(is)}
				if r.says != "" {
					v.Reason += ": " + r.says
				}
				return v
			}
		}
	}
	return Verdict{State: Later, Reason: uri + " is " + quoted(is) + ", which the recipe does not know"}
}
