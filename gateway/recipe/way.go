package recipe

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"dmgate/storage"
)

// Way is a recipe on a device: its names stand for nodes there.
type Way struct {
	Recipe     *Recipe
	Names      map[string]string // URIs by the names that the recipe gives them
	Stage      int               // of the recipe's parts the one that is under way, from 0
	Takes      Takes
	Evidence   []Evidence
	Confidence Confidence

	doubt bool // a node that it needs was not seen: an ACL bars it
}

// Way is a way as a job keeps it: by the name of its recipe, its Names and its Stage. It is nil where the rules have no
// such recipe, or one without that stage, any more.
func (s *Set) Way(recipe string, names map[string]string, stage int) *Way {
	r := s.Find(recipe)
	if r == nil || stage < 0 || stage >= len(r.stages) {
		return nil
	}
	return &Way{Recipe: r, Names: names, Stage: stage, Takes: r.takes}
}

// Values is what templates are filled with. Which names there are, and who gives them, is in the table of values.go:
// "package.url", "apn.address", ...
type Values struct {
	Text    map[string]string
	Payload func() ([]byte, error) // the data of the package, for a recipe that takes them inline; nil where there are none
}

func (w *Way) stage() *stage { return &w.Recipe.stages[w.Stage] }

// Within is how long a result may take that comes late. It is never zero.
func (w *Way) Within() time.Duration { return w.stage().within }

// Polls says whether a result that is late can be asked for by Poll: the device has a node that tells. Where it has
// none, Verify tells as well.
func (w *Way) Polls() bool {
	p := w.stage().poll
	if p == nil {
		return false
	}
	for i := range p.get.parts {
		if part := &p.get.parts[i]; part.kind == node && w.Names[part.text] == "" {
			return false
		}
	}
	return true
}

// PollEvery is how long to wait before each Poll; zero for a stage of which nothing can be asked.
func (w *Way) PollEvery() time.Duration {
	if p := w.stage().poll; p != nil {
		return p.every
	}
	return 0
}

// PollMost is how often to ask at most.
func (w *Way) PollMost() int {
	if p := w.stage().poll; p != nil {
		return p.most
	}
	return 0
}

// Commands is what is to be sent in this stage, as one task. Its error is a *ValueError where a value is missing, or
// can not be sent like that.
func (w *Way) Commands(v Values) ([]storage.Command, error) {
	st := w.stage()
	commands := make([]storage.Command, 0, len(st.send))
	for i := range st.send {
		c, ok, err := w.command(&st.send[i], v)
		if err != nil {
			return nil, w.Recipe.valueError(err)
		}
		if ok {
			commands = append(commands, c)
		}
	}
	if len(commands) == 0 {
		return nil, fmt.Errorf("%s:%d: recipe %s sends nothing", st.file, st.line, w.Recipe.Name)
	}
	return commands, nil
}

// command is s with its names and values. ok is false where it is left out.
func (w *Way) command(s *sending, v Values) (c storage.Command, ok bool, err error) {
	f := filler{names: w.Names, values: v.Text, ok: true}
	if s.when != "" && v.Text[s.when] == "" {
		return c, false, nil
	}
	c = storage.Command{Kind: s.kind, Format: s.format}
	c.URI = f.fill(&s.uri, asSegment)
	c.Source = f.fill(&s.source, asSegment)
	c.Type = f.fill(&s.typ, asText)
	w.probe(&c, s, v)
	switch {
	case !f.ok:
	case s.payload:
		c.Data, err = w.payload(s, v)
	case s.xml:
		c.Data = []byte(f.fill(&s.data, asXML))
	case s.hasData:
		c.Data = []byte(f.fill(&s.data, asText))
	}
	if s.kind == "Alert" {
		w.alert(&c, s, &f)
	}
	if err == nil {
		err = f.err
	}
	return c, f.ok, err
}

// probe sets what tells whether an Exec has run, where the device has such a node.
func (w *Way) probe(c *storage.Command, s *sending, v Values) {
	if len(s.idle) == 0 {
		return
	}
	if uri, ok, err := s.probe.fill(w.Names, v.Text, asSegment); ok && err == nil {
		c.Probe, c.Idle = uri, s.idle
	}
}

// alert fills an Alert that asks the user. An item of nothing but {name*} stands for one of each line.
func (w *Way) alert(c *storage.Command, s *sending, f *filler) {
	code := f.fill(&s.code, asText)
	n, err := strconv.Atoi(code)
	if f.ok && (err != nil || n < 1100 || n > 1104) {
		f.fail(&ValueError{
			File: s.code.file, Line: s.code.line, Value: s.code.name(), Msg: fmt.Sprintf("is %.20q: want 1100 to 1104", code),
		})
	}
	c.Code = n
	for i := range s.items {
		t := &s.items[i]
		switch text, ok, err := t.fill(f.names, f.values, asText); {
		case err != nil:
			f.fail(err)
		case ok && len(t.parts) == 1 && t.parts[0].text == listValue:
			c.Items = append(c.Items, strings.Split(strings.TrimSuffix(text, "\n"), "\n")...)
		case ok:
			c.Items = append(c.Items, text)
		case i < 2: // options and text have their places
			c.Items = append(c.Items, "")
		}
	}
}

// listValue is the value of which each line is an item of an Alert.
const listValue = "alert.choices"

// payload is the data of the package, where they are not too much.
func (w *Way) payload(s *sending, v Values) ([]byte, error) {
	bad := &ValueError{File: s.file, Line: s.line, Value: "payload"}
	if v.Payload == nil {
		bad.Msg = "is missing"
		return nil, bad
	}
	data, err := v.Payload()
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s:%d: recipe %s: payload: %w", s.file, s.line, w.Recipe.Name, err)
	case len(data) == 0:
		bad.Msg = "is empty"
	case w.Takes.Max > 0 && int64(len(data)) > w.Takes.Max:
		bad.Msg = fmt.Sprintf("is %d bytes: the device takes %d", len(data), w.Takes.Max)
	default:
		return data, nil
	}
	return nil, bad
}

// filler fills the templates of one command. What goes wrong first stays.
type filler struct {
	names, values map[string]string
	ok            bool
	err           error
}

func (f *filler) fill(t *template, esc escape) string {
	if f.err != nil || !f.ok || len(t.parts) == 0 {
		return ""
	}
	text, ok, err := t.fill(f.names, f.values, esc)
	f.ok = f.ok && ok
	if err != nil {
		f.fail(err)
	}
	return text
}

func (f *filler) fail(err error) {
	if f.err == nil {
		f.err = err
	}
}

// name is the name of the first value in t.
func (t *template) name() string {
	for i := range t.parts {
		if t.parts[i].kind == value {
			return t.parts[i].text
		}
	}
	return ""
}

// valueError adds the recipe to an error of a template.
func (r *Recipe) valueError(err error) error {
	var bad *ValueError
	if errors.As(err, &bad) {
		bad.Recipe = r.Name
	}
	return err
}

// Poll asks how far the device has come where the result is late: no command unless it Polls. Its error is as that of
// Commands.
func (w *Way) Poll(v Values) ([]storage.Command, error) {
	if !w.Polls() {
		return nil, nil
	}
	uri, ok, err := w.stage().poll.get.fill(w.Names, v.Text, asSegment)
	if err != nil || !ok {
		return nil, w.Recipe.valueError(err)
	}
	return []storage.Command{{Kind: "Get", URI: uri}}, nil
}
