package main

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"dmgate/codec/push"
	"dmgate/gateway/api"
	"dmgate/gateway/config"
	"dmgate/modempool"
	"dmgate/modempool/modemsim"
	"dmgate/storage"
)

// air is a network that notes what modems send. A modem that is held stays on the air until it is let go.
type air struct {
	mu   sync.Mutex
	sent []onAir
	held map[int]chan struct{}
}

// onAir is a segment that a modem has begun to send.
type onAir struct {
	modem  int
	number string
}

func (a *air) Submit(modem int, s *push.Submit) modemsim.Fate {
	a.mu.Lock()
	a.sent = append(a.sent, onAir{modem, s.Destination})
	held := a.held[modem]
	a.mu.Unlock()
	if held != nil {
		<-held
	}
	return modemsim.Fate{Report: true}
}

// hold keeps what a modem sends from now on, until let is called.
func (a *air) hold(modem int) (let func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	held := make(chan struct{})
	a.held[modem] = held
	return sync.OnceFunc(func() {
		a.mu.Lock()
		delete(a.held, modem)
		a.mu.Unlock()
		close(held)
	})
}

// by lists the modems that have sent to a number, segment by segment.
func (a *air) by(number string) []int {
	a.mu.Lock()
	defer a.mu.Unlock()
	var modems []int
	for _, s := range a.sent {
		if s.number == number {
			modems = append(modems, s.modem)
		}
	}
	return modems
}

// operator is somebody who works on a gateway by its API alone, and sees the air.
type operator struct {
	t     *testing.T
	site  *site
	bank  *modemsim.Bank
	air   *air
	known map[string]storage.DeviceID // by number
}

// newOperator starts a gateway with the first of so many modems.
func newOperator(t *testing.T, modems, configured int, limits modempool.Limits) *operator {
	t.Helper()
	o := withModems(t, modems)
	o.start(portsAt(o.bank.Paths()[:configured]), limits)
	return o
}

// withModems has so many modems, and no gateway yet.
func withModems(t *testing.T, modems int) *operator {
	t.Helper()
	o := &operator{t: t, air: &air{held: make(map[int]chan struct{})}, known: make(map[string]storage.DeviceID)}
	var err error
	o.bank, err = modemsim.Start(modemsim.Options{Modems: modems, AirTime: time.Millisecond, Seed: 1, Network: o.air})
	if err != nil {
		t.Skipf("no ptys here: %v", err)
	}
	t.Cleanup(func() { o.bank.Close() })
	return o
}

// start starts a gateway.
func (o *operator) start(ports []config.Port, limits modempool.Limits) {
	o.t.Helper()
	c := config.Default()
	c.Data = filepath.Join(o.t.TempDir(), "data")
	c.Device.Listen, c.Admin.Listen = "127.0.0.1:0", "127.0.0.1:0"
	c.Modems.Ports, c.Modems.Limits = ports, limits
	o.site = startSite(o.t, c)
}

func (o *operator) call(method, path string, in, out any) {
	o.t.Helper()
	if err := o.site.up.call(o.t.Context(), method, path, in, out); err != nil {
		o.t.Fatal(err)
	}
}

// order orders a bootstrap for each number.
func (o *operator) order(numbers ...string) {
	o.t.Helper()
	var ids []storage.DeviceID
	for _, number := range numbers {
		if o.known[number] == "" {
			var d api.Device
			o.call("POST", "devices", api.NewDevice{MSISDN: number}, &d)
			o.known[number] = d.ID
		}
		ids = append(ids, o.known[number])
	}
	if _, err := o.site.up.bootstrap(o.t.Context(), ids, "userpin"); err != nil {
		o.t.Fatal(err)
	}
}

// out lists those of the numbers whose last push has been sent.
func (o *operator) out(numbers ...string) []string {
	o.t.Helper()
	var sent []string
	for _, number := range numbers {
		var d api.Device
		o.call("GET", "devices/"+string(o.known[number]), nil, &d)
		if n := len(d.Pushes); n > 0 {
			if s := d.Pushes[n-1].State; s == storage.PushSent || s == storage.PushDelivered {
				sent = append(sent, number)
			}
		}
	}
	return sent
}

// modem is modem i of the bank as the API shows it.
func (o *operator) modem(i int) api.Modem {
	o.t.Helper()
	var all api.ModemList
	o.call("GET", "modems", nil, &all)
	for _, m := range all.Modems {
		if m.Port == o.bank.Paths()[i] {
			return m
		}
	}
	o.t.Fatalf("modem %d is not there: %+v", i, all.Modems)
	return api.Modem{}
}

// to does something to modem i.
func (o *operator) to(i int, method, what string) {
	o.t.Helper()
	var out api.Modem
	o.call(method, "modems/"+url.PathEscape(o.modem(i).ID)+what, nil, &out)
}

func (o *operator) await(what string, holds func() bool) {
	o.t.Helper()
	ctx, stop := context.WithTimeout(o.t.Context(), 30*time.Second)
	defer stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			var all api.ModemList
			o.call("GET", "modems", nil, &all)
			for _, m := range all.Modems {
				o.t.Logf("%s: %s %s", m.Name, m.State, m.Reason)
			}
			o.t.Fatalf("not within 30 s: %s", what)
		}
	}
}

func (o *operator) awaitOut(numbers ...string) {
	o.t.Helper()
	o.await(fmt.Sprintf("%d pushes are out", len(numbers)), func() bool { return len(o.out(numbers...)) == len(numbers) })
}

// numbers makes n of them that begin with prefix.
func numbers(prefix string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("%s%06d", prefix, i)
	}
	return out
}

// A limit changed while pushes wait changes the pace at once, and outlives the process.
func TestLimitsChangeTheSendingPace(t *testing.T) {
	o := newOperator(t, 2, 2, modempool.Limits{})
	slow := modempool.Limits{Pool: 0.01} // a push in hours
	var now api.Limits
	o.call("PUT", "limits", slow, &now)
	if now.From != "set" || now.Limits.Pool != slow.Pool {
		t.Fatalf("%+v", now)
	}
	first := numbers("+4917100", 20)
	o.order(first...)
	o.await("a push is out", func() bool { return len(o.out(first...)) > 0 })
	if n := len(o.out(first...)); n != 1 {
		t.Errorf("%d pushes are out, want the one that may run ahead", n)
	}
	o.call("PUT", "limits", modempool.Limits{}, &now)
	o.awaitOut(first...)

	o.call("PUT", "limits", slow, &now)
	second := numbers("+4917200", 5)
	o.order(second...)
	o.site.stop()
	o.site = startSite(t, o.site.config)
	o.call("GET", "limits", nil, &now)
	if now.From != "set" || now.Limits.Pool != slow.Pool {
		t.Errorf("after a restart: %+v", now)
	}
	if n := len(o.out(second...)); n > 2 { // one by each process
		t.Errorf("%d pushes are out", n)
	}
	each := modempool.Limits{Modem: 0.01}
	o.call("PUT", "limits", each, &now)
	o.await("both modems rest after a push, and say why", func() bool {
		for i := range 2 {
			m := o.modem(i)
			if m.State != modempool.Resting || m.Reason != "the modem: 0.01 segments a minute" || m.Until == nil {
				return false
			}
		}
		return true
	})
	if n := len(o.out(second...)); n == len(second) {
		t.Errorf("all %d pushes are out", n)
	}
	o.call("DELETE", "limits", nil, &now)
	if now.From != "file" || now.Limits.Pool != 0 {
		t.Errorf("back to the file: %+v", now)
	}
	o.awaitOut(second...)
}

// A destination that asks for a tag waits until there is a modem with it; one added while the gateway runs will do.
func TestPortAddedWhileRunning(t *testing.T) {
	o := newOperator(t, 2, 1, modempool.Limits{
		Destinations: []modempool.Destination{{Prefix: "+49"}, {Prefix: "+49171", Modems: []string{"d1"}}},
	})
	picky, others := numbers("+4917100", 3), numbers("+4917200", 6)
	o.order(append(picky, others...)...)
	o.awaitOut(others...)
	if sent := o.out(picky...); len(sent) > 0 {
		t.Errorf("%v went through a modem without the tag", sent)
	}
	var added api.Modem
	o.call("POST", "modems", api.NewPort{Path: o.bank.Paths()[1], Tags: []string{"d1"}}, &added)
	o.awaitOut(picky...)
	for _, number := range picky {
		if by := o.air.by(number); slices.Contains(by, 0) || len(by) == 0 {
			t.Errorf("%s was sent by modems %v, want 1", number, by)
		}
	}
	if m := o.modem(1); !slices.Equal(m.Tags, []string{"d1"}) || m.Sent == 0 {
		t.Errorf("%+v", m)
	}
}

// A modem that comes to match a pattern is put to work, with what holds for the pattern.
func TestModemPluggedInLater(t *testing.T) {
	o := withModems(t, 2)
	o.bank.Unplug(1)
	o.start([]config.Port{{Path: filepath.Join(filepath.Dir(o.bank.Paths()[0]), "modem*"), Tags: []string{"d1"}}},
		modempool.Limits{})
	var all api.ModemList
	if o.call("GET", "modems", nil, &all); len(all.Modems) != 1 {
		t.Fatalf("%d modems, want the one that is there", len(all.Modems))
	}
	if err := o.bank.Replug(1); err != nil {
		t.Fatal(err)
	}
	o.await("there are two", func() bool { o.call("GET", "modems", nil, &all); return len(all.Modems) == 2 })
	if m := o.modem(1); !slices.Equal(m.Tags, []string{"d1"}) {
		t.Errorf("%+v", m)
	}
	let := o.air.hold(0)
	defer let()
	o.order("+491710000000", "+491710000001")
	o.await("the new one has sent", func() bool {
		return slices.Contains(append(o.air.by("+491710000000"), o.air.by("+491710000001")...), 1)
	})
	let()
	o.awaitOut("+491710000000", "+491710000001")
}

// A modem that is drained finishes its push and takes no more, until it is resumed.
func TestDrainWhileRunning(t *testing.T) {
	o := newOperator(t, 2, 2, modempool.Limits{})
	o.await("both modems are ready", func() bool {
		return o.modem(0).State == modempool.Ready && o.modem(1).State == modempool.Ready
	})
	let := o.air.hold(0)
	defer let()
	all := numbers("+4917100", 8)
	o.order(all...)
	o.await("the others are out", func() bool { return len(o.out(all...)) == len(all)-1 })
	sent := o.out(all...)
	last := all[slices.IndexFunc(all, func(number string) bool { return !slices.Contains(sent, number) })]
	o.to(0, "POST", "/drain")
	if m := o.modem(0); m.State != modempool.Sending || !m.Draining {
		t.Errorf("%s, draining %v, want it to finish its push", m.State, m.Draining)
	}
	let()
	o.awaitOut(last)
	o.await("it is drained", func() bool { return o.modem(0).State == modempool.Drained })
	if by := o.air.by(last); len(by) < 2 || slices.Contains(by, 1) {
		t.Errorf("the push under way was sent by modems %v, want all of its segments by 0", by)
	}
	more := numbers("+4917200", 4)
	o.order(more...)
	o.awaitOut(more...)
	for _, number := range more {
		if by := o.air.by(number); slices.Contains(by, 0) {
			t.Errorf("%s was sent by modems %v, and 0 is drained", number, by)
		}
	}
	let = o.air.hold(1)
	defer let()
	o.to(0, "POST", "/resume")
	o.order("+491730000000", "+491730000001")
	o.await("one is out, by modem 0", func() bool {
		return slices.Contains(append(o.air.by("+491730000000"), o.air.by("+491730000001")...), 0)
	})
	let()
	o.awaitOut("+491730000000", "+491730000001")

	o.call("DELETE", "modems/"+url.PathEscape(o.modem(0).ID), nil, &struct{}{})
	o.await("it is gone", func() bool {
		var list api.ModemList
		o.call("GET", "modems", nil, &list)
		return len(list.Modems) == 1 && list.Modems[0].Port == o.bank.Paths()[1]
	})
	o.order("+491740000000")
	o.awaitOut("+491740000000")
}

// Quiet hours hold a destination while another one goes on.
func TestQuietHoursHoldOneDestination(t *testing.T) {
	now := time.Now().UTC()
	quiet := modempool.Quiet{From: now.Add(-2 * time.Hour).Format("15:04"), To: now.Add(2 * time.Hour).Format("15:04")}
	o := newOperator(t, 1, 1, modempool.Limits{
		Quiet: quiet, Destinations: []modempool.Destination{{Prefix: "+49171", Zone: "UTC"}, {Prefix: "+49172"}},
	})
	asleep, awake := numbers("+4917100", 3), numbers("+4917200", 3)
	o.order(append(asleep, awake...)...)
	o.awaitOut(awake...)
	for _, number := range asleep {
		if by := o.air.by(number); len(by) > 0 {
			t.Errorf("%s was woken", number)
		}
	}
	var out api.Limits
	o.call("PUT", "limits", modempool.Limits{}, &out)
	o.awaitOut(asleep...)
}
