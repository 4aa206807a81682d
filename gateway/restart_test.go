package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"dmgate/bench/handset"
	"dmgate/gateway/api"
	"dmgate/modempool/modemsim"
	"dmgate/storage"
)

// The gateway is killed again and again, at moments that differ from run to run, and started anew on the same files.
func TestKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	program := filepath.Join(t.TempDir(), "dmgate")
	if out, err := exec.Command("go", "build", "-o", program, "dmgate/gateway").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Run("during sessions", func(t *testing.T) {
		t.Parallel()
		killedDuringSessions(t, program)
	})
	t.Run("during sending", func(t *testing.T) {
		t.Parallel()
		killedDuringSending(t, program)
	})
}

// field is a gateway in its own process with handsets and modems around it, which outlive it.
type field struct {
	t       *testing.T
	program string
	config  string // file
	data    string // folder
	device  string // address of the device listener
	admin   string

	bank   *modemsim.Bank
	phones *handset.Fleet
	up     *upstream
	ids    []storage.DeviceID // of the phones, in their order

	process *exec.Cmd
	log     bytes.Buffer // of all processes; complete once the process has ended
}

func newField(t *testing.T, program string, phones, modems int) *field {
	t.Helper()
	f := &field{t: t, program: program, data: t.TempDir(), device: freePort(t), admin: freePort(t)}
	f.config = filepath.Join(t.TempDir(), "dmgate.yaml")
	f.phones = handset.NewFleet(handset.Options{
		Count: phones, Seed: 1, Reorder: true, Concurrency: 16,
		Settings: handset.Settings{Attempts: 100, BackOff: 20 * time.Millisecond, MaxBackOff: 200 * time.Millisecond},
	})
	t.Cleanup(f.phones.Close)
	var err error
	f.bank, err = modemsim.Start(modemsim.Options{Modems: modems, AirTime: 10 * time.Millisecond, Seed: 1,
		Network: f.phones})
	if err != nil {
		t.Skipf("no ptys here: %v", err)
	}
	t.Cleanup(func() { f.bank.Close() })
	text := fmt.Sprintf("data: %s\ndevice: {listen: %s}\nadmin: {listen: %s}\norders: {answerWithin: 8s}\n"+
		"modems: {rate: 0, ports: [%s]}\n",
		f.data, f.device, f.admin, strings.Join(f.bank.Paths(), ", "))
	if err := os.WriteFile(f.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.kill)
	f.start()
	key, err := os.ReadFile(filepath.Join(f.data, "admin.key"))
	if err != nil {
		t.Fatal(err)
	}
	f.up = newUpstream(f.admin, strings.TrimSpace(string(key)))
	return f
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// start runs the gateway and waits until it takes work.
func (f *field) start() {
	f.t.Helper()
	f.process = exec.Command(f.program, "serve", "-c", f.config)
	f.process.Stdout, f.process.Stderr = &f.log, &f.log
	if err := f.process.Start(); err != nil {
		f.t.Fatal(err)
	}
	f.until(10*time.Second, "the gateway is ready", func() bool {
		resp, err := http.Get("http://" + f.admin + "/readyz")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == 200
	})
}

// kill ends the gateway's process as a power cut would, but for the disk's own cache.
func (f *field) kill() {
	if f.process == nil {
		return
	}
	f.process.Process.Kill()
	f.process.Wait()
	f.process = nil
}

// until waits for what holds within a time.
func (f *field) until(within time.Duration, what string, holds func() bool) {
	f.t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(within); !holds(); <-tick.C {
		if time.Now().After(end) {
			f.kill()
			f.t.Fatalf("not within %v: %s\n%s", within, what, f.log.Bytes()[max(0, f.log.Len()-4000):])
		}
	}
}

func (f *field) states() map[storage.State]int {
	o, err := f.up.overview(context.Background())
	if err != nil {
		f.t.Error(err)
		return nil
	}
	return o.States
}

// order registers every phone, orders its bootstrap, and tells its user the PIN.
func (f *field) order() {
	f.t.Helper()
	all := f.phones.Handsets()
	var err error
	if f.ids, err = f.up.register(context.Background(), all); err != nil {
		f.t.Fatal(err)
	}
	orders, err := f.up.bootstrap(context.Background(), f.ids, "userpin")
	if err != nil {
		f.t.Fatal(err)
	}
	for i, o := range orders {
		f.phones.Tell(all[i].MSISDN, o.PIN)
	}
}

// killing kills and restarts the gateway n times, each time as soon as a further part of all work is done, and within
// the next few milliseconds.
func (f *field) killing(n int, done func() int, all int) {
	f.t.Helper()
	for k := range n {
		f.until(20*time.Second, "work goes on", func() bool { return done() >= all*(k+1)/(n+2) })
		<-time.After(rand.N(5 * time.Millisecond))
		f.kill()
		f.start()
	}
}

// sound checks what has to hold whatever was killed when: no handset saw the protocol broken or got a document twice,
// and the store is whole.
func (f *field) sound() {
	f.t.Helper()
	for _, v := range f.phones.Violations() {
		f.t.Errorf("violation: %v", v.String())
	}
	for _, h := range f.phones.Handsets() {
		if r := h.Result(); r.Documents > 1 {
			f.t.Errorf("%s got its document %d times", h.MSISDN, r.Documents)
		}
	}
	f.kill()
	out, err := exec.Command(f.program, "db", "check", "--data", f.data).CombinedOutput()
	if err != nil {
		f.t.Errorf("db check: %v\n%s", err, out)
	}
	f.t.Logf("db check: %s", out)
	for line := range strings.Lines(f.log.String()) {
		if strings.Contains(line, `"level":"error"`) || strings.Contains(line, "panic") {
			f.t.Errorf("logged: %s", line)
		}
	}
}

// killedDuringSessions kills while handsets hold their first sessions. None of them notices more than that an answer
// takes longer: every one ends managed, every device discovered.
func killedDuringSessions(t *testing.T, program string) {
	const phones = 200
	f := newField(t, program, phones, 4)
	f.order()
	f.until(20*time.Second, "every bootstrap is delivered", func() bool { return f.states()[storage.Delivered] == phones })
	ctx, cancel := context.WithCancel(context.Background())
	var run sync.WaitGroup
	run.Go(func() { f.phones.Run(ctx) })
	defer run.Wait()
	defer cancel()
	f.killing(4, func() int { return f.phones.Counts().Closed }, phones)
	f.until(20*time.Second, "every device is discovered", func() bool {
		return f.states()[storage.Discovered] == phones && f.phones.Counts().States[handset.Managed] == phones
	})
	counts := f.phones.Counts()
	t.Logf("%d sessions, %d messages, %d of them repeated", counts.Sessions, counts.Messages, counts.Repeats)
	if counts.Repeats == 0 {
		t.Error("no handset met a dead gateway: nothing was tested")
	}
	if counts.Sessions != phones || counts.Closed != phones {
		t.Errorf("%d sessions opened, %d closed, want %d: one each", counts.Sessions, counts.Closed, phones)
	}
	f.sound()
}

// killedDuringSending kills while modems send. A push that was under way then is perhaps sent and never silently
// repeated: its device may end unanswered, and says so. All others get through.
func killedDuringSending(t *testing.T, program string) {
	const phones, modems, kills = 150, 4, 4
	f := newField(t, program, phones, modems)
	ctx, cancel := context.WithCancel(context.Background())
	var run sync.WaitGroup
	run.Go(func() { f.phones.Run(ctx) })
	defer run.Wait()
	defer cancel()
	f.order()
	f.killing(kills, func() int { return f.phones.Counts().SMS }, 3*phones)
	f.until(30*time.Second, "every device comes to an end", func() bool {
		now := f.states()
		return now[storage.Discovered]+now[storage.Unanswered] == phones
	})
	doubtful, discovered := 0, 0
	for i, h := range f.phones.Handsets() {
		var d api.Device
		if err := f.up.call(context.Background(), "GET", "devices/"+string(f.ids[i]), nil, &d); err != nil {
			t.Fatal(err)
		}
		state, push := h.Result().State, d.Pushes[len(d.Pushes)-1]
		if push.State == storage.PushDoubtful {
			doubtful++
		}
		if d.State == storage.Discovered {
			discovered++
		}
		switch {
		case len(d.Pushes) != 1 || len(d.Orders) != 1:
			t.Errorf("%s: %d pushes, %d orders", h.MSISDN, len(d.Pushes), len(d.Orders))
		case d.State == storage.Discovered && state == handset.Managed && d.Orders[0].State == storage.OrderDone:
		case d.State == storage.Unanswered && state == handset.Unmanaged && d.Orders[0].State == storage.OrderFailed &&
			push.State == storage.PushDoubtful:
		default:
			t.Errorf("%s: handset %v, device %s (%s), order %s, push %s (%s)", h.MSISDN, state, d.State, d.Reason,
				d.Orders[0].State, push.State, push.Error)
		}
	}
	t.Logf("%d discovered, %d pushes in doubt", discovered, doubtful)
	if doubtful > kills*modems {
		t.Errorf("%d pushes are in doubt: more than were under way at a kill", doubtful)
	}
	f.sound()
}
