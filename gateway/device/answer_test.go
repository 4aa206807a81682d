package device

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"dmgate/codec/syncml"
	"dmgate/sessions"
	"dmgate/storage"
)

// An answer is what the oldest client in the field can take (section 4 of the fact sheet, traps 3 and 4).
func TestAnswerHeaders(t *testing.T) {
	r := newRig(t, Options{})
	for i, c := range []struct{ sent, want string }{
		{typeWBXML, typeWBXML},
		{typeXML, typeXML},
		{typeWBXML11, typeWBXML11},
		{typeXML11, typeXML11},
		{typeXML + "; charset=utf-8", typeXML},
		{" " + typeWBXML + " ;x=y", typeWBXML},
		{"Application/vnd.SyncML.dm+XML", "Application/vnd.SyncML.dm+XML"}, // its own spelling
	} {
		t.Run(c.sent, func(t *testing.T) {
			p := r.phone(r.register(i))
			if c.want != typeWBXML && c.want != typeWBXML11 {
				p.enc = syncml.XML
			}
			got := p.line.post(Path, c.sent, p.package1(p.basic))
			if got.status != 200 {
				t.Fatalf("status %d %s", got.status, got.body)
			}
			for name, want := range map[string]string{
				"Content-Type": c.want, "Content-Length": fmt.Sprint(len(got.body)), "Cache-Control": "no-store",
				"Server": "", "Date": "", "Content-Encoding": "", "Set-Cookie": "", "Connection": "",
			} {
				if v := got.header.Get(name); v != want {
					t.Errorf("%s %q, want %q", name, v, want)
				}
			}
			if got.chunked {
				t.Error("the answer is chunked")
			}
		})
	}
}

// A message that comes again is answered with the same bytes and done once: at once, after a pause, and by another
// process.
func TestRepeatedMessage(t *testing.T) {
	again := map[string]func(r *rig){
		"at once":         func(*rig) {},
		"session expired": func(r *rig) { r.later(9 * time.Minute); r.endpoint.table = sessions.NewTable(r.options.Table) },
		"other process":   func(r *rig) { r.restart() },
	}
	for name, between := range again {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, Options{})
			d := r.register(1)
			p := r.phone(d)
			p.open(p.md5)
			for message := range 3 {
				first, kept, head := p.got.body, r.results(d), r.disk.Head()
				between(r)
				p.line = r.dial()
				if p.post(); !bytes.Equal(first, p.got.body) {
					t.Fatalf("message %d: answered\n% X\nthen\n% X", message+1, first, p.got.body)
				}
				if r.results(d) != kept || r.disk.Head() != head {
					t.Errorf("message %d: done twice: %d answers, then %d; feed %d, then %d", message+1, kept, r.results(d),
						head, r.disk.Head())
				}
				p.goOn()
			}
			if n := r.results(d); n != 3 {
				t.Errorf("%d answers are kept, want 3", n)
			}
		})
	}
}

// The last message of a session may come again as well, when the session is over already and nothing of it is in
// memory.
func TestRepeatedLastMessage(t *testing.T) {
	r := newRig(t, Options{Sessions: sessions.Options{Planner: idle{}}})
	p := r.phone(r.register(1))
	p.package1(p.md5)
	p.post()
	if p.verdict() != 212 || !p.in.Final || r.endpoint.Sessions() != 0 {
		t.Fatalf("verdict %d, Final %v, %d sessions in memory: want one that is over", p.verdict(), p.in.Final,
			r.endpoint.Sessions())
	}
	first, head := p.got.body, r.disk.Head()
	for range 3 {
		if p.post(); !bytes.Equal(first, p.got.body) || r.disk.Head() != head {
			t.Fatalf("answered\n% X\nthen\n% X\nfeed %d, then %d", first, p.got.body, head, r.disk.Head())
		}
		r.restart()
		p.line = r.dial()
	}
}

// idle has nothing to ask.
type idle struct{}

func (idle) Proved(time.Time, *storage.Device, *sessions.Outcome) []storage.Task { return nil }

func (idle) Answered(time.Time, *storage.Device, *storage.Task, []storage.Answer, bool,
	*sessions.Outcome) []storage.Task {
	return nil
}

// A message that a new process gets in the middle of a session is answered as if nothing had happened.
func TestSessionOutlivesTheProcess(t *testing.T) {
	r := newRig(t, Options{})
	d := r.register(1)
	p := r.phone(d)
	p.open(p.md5)
	for n := range 4 {
		r.restart()
		p.line = r.dial()
		p.goOn()
		if got := r.results(d); got != n+1 {
			t.Fatalf("%d answers are kept after message %d", got, n+2)
		}
	}
}

var errDisk = errors.New("the disk says no")

// A message whose commit fails is answered with 503, whatever became of the commit. The device sends it again, and the
// session goes on from its checkpoint.
func TestCommitFails(t *testing.T) {
	for name, fault := range map[string]func(commit func() error) error{
		"not written":    func(func() error) error { return errDisk },
		"written though": func(commit func() error) error { return errors.Join(errDisk, commit()) },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, Options{})
			d := r.register(1)
			p := r.phone(d)
			p.package1(p.md5)
			for message := 1; message <= 4; message++ {
				failed := 0
				r.faults.on(func(_ *storage.Commit, commit func() error) error {
					failed++
					return fault(commit)
				})
				if p.post() != 503 || p.got.header.Get("Retry-After") != "2" || failed != 1 {
					t.Fatalf("message %d: status %d, Retry-After %q, %d commits", message, p.got.status,
						p.got.header.Get("Retry-After"), failed)
				}
				if text := string(p.got.body); text != "try again later\n" {
					t.Errorf("the device is told %q", text)
				}
				r.faults.on(nil)
				p.post()
				p.expect(map[bool]int{true: 212, false: 200}[message == 1])
				if n := r.results(d); n != message-1 {
					t.Fatalf("message %d: %d answers are kept", message, n)
				}
				p.answers()
			}
		})
	}
}

// While a message of a device is worked on, its next one is put off, before any work. Other devices are not.
func TestBusyDevice(t *testing.T) {
	r := newRig(t, Options{})
	p, other := r.phone(r.register(1)), r.phone(r.register(2))
	p.open(p.basic)
	entered, leave := make(chan struct{}), make(chan struct{})
	r.faults.on(func(c *storage.Commit, commit func() error) error {
		if c.Device == storage.DeviceID(p.user) {
			close(entered)
			<-leave
		}
		return commit()
	})
	var first sync.WaitGroup
	p.answers()
	first.Go(func() { p.post() })
	<-entered
	body := r.dial().post(p.path, p.contentType(), p.sent)
	if body.status != 503 || body.header.Get("Retry-After") != "2" {
		t.Errorf("status %d, Retry-After %q", body.status, body.header.Get("Retry-After"))
	}
	other.open(other.md5)
	close(leave)
	first.Wait()
	r.faults.on(nil)
	p.expect(200)
	p.goOn()
}

// A silent session leaves memory and comes back from its checkpoint, until its lifetime is over: then its next message
// is challenged.
func TestIdleSession(t *testing.T) {
	for name, forget := range map[string]func(r *rig){
		"expired":       func(r *rig) { r.endpoint.Expire() },
		"other process": func(r *rig) { r.restart() },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, Options{
				Table: sessions.TableOptions{Idle: time.Minute}, Sessions: sessions.Options{Lifetime: time.Hour},
			})
			p := r.phone(r.register(1))
			p.open(p.basic)
			r.later(59 * time.Second)
			p.goOn()
			r.later(time.Minute)
			forget(r)
			if n := r.endpoint.Sessions(); n != 0 {
				t.Errorf("%d sessions", n)
			}
			p.line = r.dial()
			p.goOn()
			r.later(time.Hour)
			forget(r)
			p.line = r.dial()
			p.answers()
			p.post()
			p.expect(407)
			p.session, p.turn = "2", 0
			p.open(p.basic)
		})
	}
}

func (idle) GivenUp(*storage.Task, string, *sessions.Outcome) {}
