package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"dmgate/bench/handset"
	"dmgate/gateway/api"
	"dmgate/modempool/modemsim"
	"dmgate/storage"
)

// The gateway is killed again and again, and started anew on the same files.
func TestKilled(t *testing.T) {
	program := buildGateway(t)
	t.Run("during sessions", func(t *testing.T) {
		t.Parallel()
		killedDuringSessions(t, program)
	})
	t.Run("during sending", func(t *testing.T) {
		if testing.Short() {
			t.Skip("takes seconds")
		}
		t.Parallel()
		killedDuringSending(t, program)
	})
}

// buildGateway makes the program that is run.
func buildGateway(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "dmgate")
	if out, err := exec.Command("go", "build", "-o", program, "dmgate/gateway").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return program
}

// field is a gateway in its own process with handsets and modems around it, which outlive it.
type field struct {
	t       *testing.T
	program string
	config  string // file
	data    string // folder
	device  string // address of the device listener
	admin   string

	phones *handset.Fleet
	up     *upstream
	ids    []storage.DeviceID // of the phones, in their order

	storeErrors bool // the test makes the disk fail, of which the store may speak

	process *exec.Cmd
	log     bytes.Buffer // of all processes; complete once the process has ended
}

// newField prepares a field whose gateway keeps its files in a folder. Nothing of it runs yet.
func newField(t *testing.T, program, data string, o handset.Options) *field {
	t.Helper()
	f := &field{t: t, program: program, data: data, device: freePort(t), admin: freePort(t)}
	o.Attempts, o.BackOff, o.MaxBackOff = 1000, 20*time.Millisecond, 200*time.Millisecond
	f.phones = handset.NewFleet(o)
	t.Cleanup(f.phones.Close)
	t.Cleanup(f.kill)
	f.configure("")
	return f
}

// configure writes the gateway's configuration. more is YAML.
func (f *field) configure(more string) {
	f.t.Helper()
	f.config = filepath.Join(f.t.TempDir(), "dmgate.yaml")
	text := fmt.Sprintf("data: %s\ndevice: {listen: %s}\nadmin: {listen: %s}\n%s", f.data, f.device, f.admin, more)
	if err := os.WriteFile(f.config, []byte(text), 0o600); err != nil {
		f.t.Fatal(err)
	}
}

// modems puts n modems between the gateway and the handsets.
func (f *field) modems(n int) {
	f.t.Helper()
	bank, err := modemsim.Start(modemsim.Options{Modems: n, AirTime: 10 * time.Millisecond, Seed: 1, Network: f.phones})
	if err != nil {
		f.t.Skipf("no ptys here: %v", err)
	}
	f.t.Cleanup(func() { bank.Close() })
	f.configure(fmt.Sprintf("orders: {answerWithin: 20s}\nmodems: {rate: 0, doubtWindow: 1s, ports: [%s]}\n",
		strings.Join(bank.Paths(), ", ")))
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

// launch runs the gateway.
func (f *field) launch() {
	f.t.Helper()
	f.process = exec.Command(f.program, "serve", "-c", f.config)
	f.process.Stdout, f.process.Stderr = &f.log, &f.log
	if err := f.process.Start(); err != nil {
		f.t.Fatal(err)
	}
}

// start runs the gateway and waits until it takes work.
func (f *field) start() {
	f.t.Helper()
	f.launch()
	f.until(20*time.Second, "the gateway is ready", func() bool {
		status, _ := f.readyz()
		return status == http.StatusOK
	})
	if f.up == nil {
		key, err := os.ReadFile(filepath.Join(f.data, "admin.key"))
		if err != nil {
			f.t.Fatal(err)
		}
		f.up = newUpstream(f.admin, strings.TrimSpace(string(key)))
	}
}

// readyz asks the gateway whether it takes work; 0 where it does not answer.
func (f *field) readyz() (status int, text string) {
	resp, err := http.Get("http://" + f.admin + "/readyz")
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err.Error()
	}
	return resp.StatusCode, strings.TrimSpace(string(body))
}

// run lets the handsets hold their sessions until the test ends.
func (f *field) run() {
	ctx, cancel := context.WithCancel(context.Background())
	var run sync.WaitGroup
	run.Go(func() { f.phones.Run(ctx) })
	f.t.Cleanup(func() { cancel(); run.Wait() })
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

// sound checks what has to hold whatever was killed when: no handset saw the protocol broken, or got its document twice
// though its device does not say so, and the store is whole.
func (f *field) sound() {
	f.t.Helper()
	for _, v := range f.phones.Violations() {
		f.t.Errorf("violation: %v", v.String())
	}
	for i, h := range f.phones.Handsets() {
		if r := h.Result(); r.Documents > 1 && !f.sentOnceMore(i) {
			f.t.Errorf("%s got its document %d times, and its device does not say why", h.MSISDN, r.Documents)
		}
	}
	f.kill()
	out, err := exec.Command(f.program, "db", "check", "--data", f.data).CombinedOutput()
	if err != nil {
		f.t.Errorf("db check: %v\n%s", err, out)
	}
	f.t.Logf("db check: %s", out)
	for line := range strings.Lines(f.log.String()) {
		if f.storeErrors && strings.Contains(line, `"msg":"store: `) {
			continue
		}
		if strings.Contains(line, `"level":"error"`) || strings.Contains(line, "panic") {
			f.t.Errorf("logged: %s", line)
		}
	}
}

// sentOnceMore says whether the timeline of device i tells of a push that was perhaps sent, and sent once more.
func (f *field) sentOnceMore(i int) bool {
	return slices.ContainsFunc(f.deviceOf(i).Timeline, func(e api.FeedEntry) bool {
		return e.Kind == "push" && strings.Contains(e.Text, "sent once more")
	})
}

// deviceOf is the device of handset i.
func (f *field) deviceOf(i int) (d api.Device) {
	f.t.Helper()
	if err := f.up.call(context.Background(), "GET", "devices/"+string(f.ids[i]), nil, &d); err != nil {
		f.t.Fatal(err)
	}
	return d
}

// killedDuringSending kills while modems send. A push that was under way then is perhaps sent: its delivery report tells,
// or it is sent once more, and its device says so. Every device gets through, and none of them by a silent repetition.
func killedDuringSending(t *testing.T, program string) {
	const phones, modems, kills = 150, 4, 4
	f := newField(t, program, t.TempDir(), handset.Options{Count: phones, Seed: 1, Reorder: true, Concurrency: 16})
	f.modems(modems)
	f.start()
	f.run()
	f.order()
	for k := range kills { // each as soon as a further part of all work is done, and within the next few milliseconds
		f.until(20*time.Second, "work goes on", func() bool { return f.phones.Counts().SMS >= 3*phones*(k+1)/(kills+2) })
		<-time.After(rand.N(5 * time.Millisecond))
		f.kill()
		f.start()
	}
	f.until(30*time.Second, "every device is discovered", func() bool { return f.states()[storage.Discovered] == phones })
	again, twice := 0, 0
	for i, h := range f.phones.Handsets() {
		d, r := f.deviceOf(i), h.Result()
		if f.sentOnceMore(i) {
			again++
		}
		if r.Documents > 1 {
			twice++
		}
		push := d.Pushes[len(d.Pushes)-1]
		if len(d.Pushes) != 1 || len(d.Orders) != 1 || d.State != storage.Discovered || r.State != handset.Managed ||
			d.Orders[0].State != storage.OrderDone {
			t.Errorf("%s: %d pushes, %d orders, handset %v, device %s (%s), order %s, push %s (%s)", h.MSISDN, len(d.Pushes),
				len(d.Orders), r.State, d.State, d.Reason, d.Orders[0].State, push.State, push.Error)
		}
	}
	t.Logf("%d pushes were perhaps sent and sent once more; %d handsets got them twice", again, twice)
	if again > kills*modems {
		t.Errorf("%d pushes were sent once more: more than were under way at a kill", again)
	}
	f.sound()
}
