package modempool

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/datadriven"
)

// The scripts in testdata are conversations with modems, byte by byte: what we wrote, what the modem said, and what
// came of it. Their clock is a fake one, so that a minute's silence is exactly that and takes no time. See scripted
// for how a modem's part is written; the other lines are ours:
//
//	bring-up [PIN]     also as "in-service", of which only the outcome is shown
//	send HEX           prepare      acknowledge       command AT...
//	routed             what came routed
//	sweep [refuse]     what lies in the modem's memories; "refuse": nobody wants it
//	reset              reopen       idle 30s
//	say REPLY          the modem says something unasked
func TestTranscripts(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("%d scripts, %v", len(paths), err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
				var out string
				synctest.Test(t, func(t *testing.T) { out = converseBy(t, d) })
				return out
			})
		})
	}
}

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

// theatre is where a conversation takes place.
type theatre struct {
	t     *testing.T
	mu    sync.Mutex
	began time.Time
	out   strings.Builder

	rules    rules
	settings *memSettings
	at       *engine
	m        *modem
	other    *scripted
	quiet    bool // only outcomes are noted
}

// visible shows control characters by their names.
var visible = strings.NewReplacer("\r\n", "<CR LF>", "\r", "<CR>", "\n", "<LF>", "\x1a", "<Ctrl-Z>", "\x1b", "<ESC>",
	"\x00", "<NUL>", "\xff", "<FF>")

func (th *theatre) log(who, text string) {
	if th.quiet && who != "=" {
		return
	}
	th.mu.Lock()
	defer th.mu.Unlock()
	if bare, ok := strings.CutSuffix(text, " "); ok {
		text = bare + "<SP>"
	}
	when := time.Since(th.began).String()
	for i, line := range strings.Split(strings.ReplaceAll(text, "\r\n\r\n", "\r\n\v\r\n"), "\v") {
		if i > 0 {
			when, who = "", ""
		}
		fmt.Fprintf(&th.out, "%7s  %-5s  %s\n", when, who, visible.Replace(line))
	}
}

// open plugs the modem in and begins a conversation.
func (th *theatre) open() {
	th.hangUp()
	here, there := net.Pipe()
	th.other = plugIn(there, &th.rules, th.log)
	th.at = newEngine(here, timing{command: 5 * time.Second, prompt: 10 * time.Second, send: time.Minute},
		&ring{now: time.Now})
	th.m = newModem(th.at, 2*time.Second, th.settings)
}

func (th *theatre) bringUp(ctx context.Context, pin string) error {
	return th.m.bringUp(ctx, "port", pin, func(State) {}, func() error { return nil })
}

func (th *theatre) hangUp() {
	if th.at == nil {
		return
	}
	if err := th.at.close(); err != nil && !errors.Is(err, io.ErrClosedPipe) {
		th.t.Error(err)
	}
	_ = th.other.port.Close()
	<-th.other.done
}

func converseBy(t *testing.T, d *datadriven.TestData) string {
	th := &theatre{t: t, began: time.Now(), settings: newSettings(), quiet: d.HasArg("quiet")}
	var acts []string
	for line := range strings.Lines(d.Input) {
		line = strings.TrimSpace(line)
		if name, reply, ok := strings.Cut(line, " => "); ok {
			th.rules.add(strings.TrimSpace(name), reply)
		} else {
			acts = append(acts, line)
		}
	}
	th.open()
	for _, act := range acts {
		outcome := th.act(t.Context(), act)
		synctest.Wait() // the modem has said what it says by now
		if outcome != "" {
			th.log("=", outcome)
		}
	}
	th.hangUp()
	return th.out.String()
}

// act does one thing of ours and tells what came of it.
func (th *theatre) act(ctx context.Context, act string) string {
	verb, arg, _ := strings.Cut(act, " ")
	m := th.m
	switch verb {
	case "bring-up":
		if err := th.bringUp(ctx, arg); err != nil {
			return told(err)
		}
		return fmt.Sprintf("in service: %+v\voperator %q signal %d reports by %q acknowledges %t echo %t", m.identity,
			m.operator, m.signal, m.cnmi, m.acks, m.echo)
	case "in-service":
		was := th.quiet
		th.quiet = true
		err := th.bringUp(ctx, arg)
		synctest.Wait()
		th.quiet = was
		if err != nil {
			return told(err)
		}
		return "in service"
	case "send":
		mr, err := m.send(ctx, unhex(arg))
		if err != nil {
			return told(err)
		}
		return fmt.Sprintf("sent, reference %d", mr)
	case "prepare":
		return told(m.prepare(ctx))
	case "acknowledge":
		return told(m.acknowledge(ctx))
	case "command":
		return told(m.at.command(ctx, arg, nil))
	case "reset":
		return told(m.reset(ctx))
	case "reopen":
		th.open()
		return ""
	case "say":
		th.other.says <- arg
		synctest.Wait()
		if err := m.at.settle(); err != nil {
			return told(err)
		}
		return ""
	case "idle":
		end := time.NewTimer(duration(arg))
		for {
			select {
			case <-end.C:
				return ""
			case chunk, open := <-m.at.chunks:
				if err := m.at.heard(chunk, open); err != nil {
					return told(err)
				}
			}
		}
	case "routed":
		var out []string
		for _, in := range m.inbox {
			out = append(out, in.told())
		}
		m.inbox = nil
		return strings.Join(append([]string{"routed:"}, out...), "\v")
	case "sweep":
		var out []string
		more, err := m.sweep(ctx, func(in inbound) error {
			if arg == "refuse" {
				return errDisk
			}
			out = append(out, in.told())
			return nil
		})
		if err != nil {
			return told(err)
		}
		if len(out) > 6 {
			out = []string{out[0], fmt.Sprintf("(%d more)", len(out)-2), out[len(out)-1]}
		}
		return strings.Join(append([]string{fmt.Sprintf("taken: (more: %t)", more)}, out...), "\v")
	}
	th.t.Fatalf("unknown act %q", act)
	return ""
}

// told is what an error says, in the terms of whoever has to decide.
func told(err error) string {
	if err == nil {
		return "done"
	}
	var (
		doubt *DoubtfulError
		dead  *DeadError
	)
	text := fmt.Sprintf("%v [%s", err, Classify(err))
	if errors.As(err, &doubt) {
		text += ", doubtful"
	}
	if errors.As(err, &dead) {
		text += ", conversation over"
	}
	return text + "]"
}

// told is a report or a message, as it is handed on.
func (in inbound) told() string {
	if in.isReport() {
		r, err := in.statusReport()
		if err != nil {
			return err.Error()
		}
		return fmt.Sprintf("report on %d to %s: %02X", r.Reference, r.Recipient, r.Status)
	}
	r := in.received("")
	text := fmt.Sprintf("SMS from %q", r.Sender)
	if r.Text != "" {
		text += fmt.Sprintf(" text %q", r.Text)
	}
	if r.Data != "" {
		text += " data " + r.Data
	}
	if r.Parts > 0 {
		text += fmt.Sprintf(" part %d of %d, reference %d", r.Part, r.Parts, r.Reference)
	}
	if r.Problem != "" {
		text += " problem: " + r.Problem
	}
	return text
}
