package recipe

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"dmgate/storage"
)

// TestScripts walks devices of each family: what is wanted of their trees, what they can do, what is sent to them,
// and what their answers mean. Each embedded recipe has to be there: rendered and judged, or, where it sends nothing,
// found.
func TestScripts(t *testing.T) {
	set, err := Load("")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	files, _ := filepath.Glob("testdata/devices/*.txt")
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			s := script{set: set, seen: seen}
			datadriven.RunTest(t, file, s.run)
		})
	}
	for _, r := range set.Recipes() {
		if r.Sends() && !seen["sent "+r.Name] {
			t.Errorf("no script sends %s", r.Name)
		}
		if r.Sends() && !seen["judged "+r.Name] {
			t.Errorf("no script judges %s", r.Name)
		}
		if !r.Sends() && !seen["found "+r.Name] {
			t.Errorf("no script finds %s", r.Name)
		}
	}
}

// script is one device and the way that is being gone on it.
type script struct {
	set    *Set
	seen   map[string]bool
	facts  map[string]string
	tree   plant
	known  *Known
	way    *Way
	values Values
	sent   []storage.Command
}

func (s *script) run(t *testing.T, d *datadriven.TestData) string {
	var out strings.Builder
	switch d.Cmd {
	case "device": // facts and a tree; says what is wanted, a round a line
		s.facts, s.tree = map[string]string{}, plant{}
		var nodes strings.Builder
		for line := range strings.Lines(d.Input) {
			if fact, is := strings.CutPrefix(strings.TrimSpace(line), "fact "); is {
				name, value, _ := strings.Cut(fact, "=")
				s.facts[name] = value
				continue
			}
			nodes.WriteString(line)
		}
		s.tree.grow(t, nodes.String())
		s.known = NewKnown(s.facts, nil)
		for _, round := range walk(t, s.set, s.known, 64, s.tree.get) {
			fmt.Fprintf(&out, "Get %s\n", strings.Join(round, " "))
		}
	case "can": // what the device can do; with a name, why not otherwise
		name := ""
		if len(d.CmdArgs) > 0 {
			name = d.CmdArgs[0].Key
		}
		s.can(&out, name)
	case "changes":
		s.tree.grow(t, d.Input)
	case "send": // a recipe, with values
		s.values.Text = map[string]string{}
		s.values.Payload = nil
		for line := range strings.Lines(d.Input) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
			if name == "payload" {
				s.values.Payload = func() ([]byte, error) { return []byte(value), nil }
				continue
			}
			s.values.Text[name] = value
		}
		if s.way = s.find(d.CmdArgs[0].Key); s.way == nil {
			return "it does not fit\n"
		}
		s.locate(t, &out)
	case "judge":
		s.seen["judged "+s.way.Recipe.Name] = true
		v := s.way.Judge(s.sent, answers(t, d.Input))
		s.tell(&out, v)
		if v.State == Next {
			s.way.Stage++
			s.send(&out)
		}
	case "poll":
		commands, err := s.way.Poll(s.values)
		if err != nil {
			t.Fatal(err)
		}
		var answers []storage.Answer
		for i, c := range commands {
			fmt.Fprintf(&out, "Get %s\n", c.URI)
			answers = append(answers, s.tree.answer(i, c.URI))
		}
		v := s.way.JudgePoll(commands, answers)
		s.tell(&out, v)
		if v.State == Next {
			s.way.Stage++
			s.send(&out)
		}
	case "verify":
		got := map[string]storage.Answer{}
		for {
			more, v := s.way.Verify(s.values, got)
			if v.State != Pending {
				s.tell(&out, v)
				break
			}
			s.ask(&out, more, got)
		}
	default:
		t.Fatalf("%s: no such command", d.Cmd)
	}
	return out.String()
}

func (s *script) can(out *strings.Builder, only string) {
	for _, c := range s.set.Compile(s.known, nil) {
		for i := range c.Ways {
			s.seen["found "+c.Ways[i].Recipe.Name] = true
		}
		switch {
		case only == "" && c.Possible == No:
			continue
		case only != "" && c.Name != only:
			continue
		}
		fmt.Fprintf(out, "%s: %s, %s\n", c.Name, c.Possible, c.Why)
		for i := range c.Ways {
			w := &c.Ways[i]
			fmt.Fprintf(out, "  %s (%s)", w.Recipe.Name, w.Confidence)
			for _, name := range slices.Sorted(maps.Keys(w.Names)) {
				fmt.Fprintf(out, " %s=%s", name, w.Names[name])
			}
			out.WriteString("\n")
			for _, e := range w.Evidence {
				if only != "" {
					fmt.Fprintf(out, "    %d %s: %s\n", e.Code, e.URI, e.Says)
				}
			}
		}
		for i := range c.Not {
			if u := &c.Not[i]; only != "" {
				fmt.Fprintf(out, "  not %s (%s): %s\n", u.Recipe.Name, u.Possible, u.Why)
			}
		}
	}
}

func (s *script) find(recipe string) *Way {
	for _, c := range s.set.Compile(s.known, nil) {
		for i := range c.Ways {
			if w := &c.Ways[i]; w.Recipe.Name == recipe {
				again := s.set.Way(recipe, w.Names, 0) // as a job keeps it
				again.Takes = w.Takes
				return again
			}
		}
	}
	return nil
}

// locate finds out on which nodes the way works, and sends.
func (s *script) locate(t *testing.T, out *strings.Builder) {
	got := map[string]storage.Answer{}
	for range 20 {
		more, names, v := s.way.Locate(s.values, got)
		switch v.State {
		case Pending:
			s.ask(out, more, got)
			continue
		case Done:
			s.way.Names = names
			s.send(out)
		default:
			s.tell(out, v)
		}
		return
	}
	t.Fatal("it is located without end")
}

func (s *script) ask(out *strings.Builder, commands []storage.Command, got map[string]storage.Answer) {
	var answers []storage.Answer
	for i, c := range commands {
		fmt.Fprintf(out, "Get %s\n", c.URI)
		answers = append(answers, s.tree.answer(i, c.URI))
	}
	Gather(got, commands, answers)
}

func (s *script) send(out *strings.Builder) {
	commands, err := s.way.Commands(s.values)
	if err != nil {
		fmt.Fprintf(out, "error: %s\n", err)
		return
	}
	s.seen["sent "+s.way.Recipe.Name] = true
	s.sent = commands
	for i, c := range commands {
		fmt.Fprintf(out, "%d %s", i, c.Kind)
		for _, part := range []string{c.URI, c.Format, c.Type} {
			if part != "" {
				out.WriteString(" " + part)
			}
		}
		if c.Code != 0 {
			fmt.Fprintf(out, " %d", c.Code)
		}
		for _, item := range c.Items {
			fmt.Fprintf(out, " %q", item)
		}
		if len(c.Data) > 0 {
			fmt.Fprintf(out, " %q", c.Data)
		}
		if c.Probe != "" {
			fmt.Fprintf(out, " unless %s is not %s", c.Probe, strings.Join(c.Idle, ", "))
		}
		out.WriteString("\n")
	}
}

func (s *script) tell(out *strings.Builder, v Verdict) {
	out.WriteString(string(v.State))
	if v.Again {
		out.WriteString(" (again)")
	}
	if v.User {
		out.WriteString(" (user)")
	}
	if v.Reason != "" {
		out.WriteString(": " + v.Reason)
	}
	out.WriteString("\n")
}

// answers are lines such as "2 202" and "2 late 1200": the command, its status or the result that came after it, and
// the data of that.
func answers(t *testing.T, lines string) (all []storage.Answer) {
	for line := range strings.Lines(lines) {
		words := strings.Fields(line)
		a := storage.Answer{}
		if len(words) > 1 && words[1] == "late" {
			a.Late = true
			words = slices.Delete(words, 1, 2)
		}
		from, to, isRange := strings.Cut(words[0], "-")
		if !isRange {
			to = from
		}
		first, err1 := strconv.Atoi(from)
		last, err2 := strconv.Atoi(to)
		code, err3 := strconv.Atoi(words[1])
		if err1 != nil || err2 != nil || err3 != nil {
			t.Fatalf("%s: want a command and a code", line)
		}
		a.Code = code
		if len(words) > 2 {
			a.Data = []byte(words[2])
		}
		for a.Command = first; a.Command <= last; a.Command++ {
			all = append(all, a)
		}
	}
	return all
}
