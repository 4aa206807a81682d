package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"dmgate/codec/syncml"
	"dmgate/gateway/api"
)

// A gateway that is told to end lets no session begin, lets those that run come to their end, and has its time for
// that.
func TestDrain(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program")
	}
	program := filepath.Join(t.TempDir(), "dmgate")
	if out, err := exec.Command("go", "build", "-o", program, "dmgate/gateway").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for name, test := range map[string]func(*testing.T, *field){
		"sessions end":    drainedToTheEnd,
		"time is up":      drainedInTime,
		"a second signal": drainedAtOnce,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &field{t: t, program: program, data: t.TempDir(), device: freePort(t), admin: freePort(t)}
			f.config = filepath.Join(t.TempDir(), "dmgate.yaml")
			t.Cleanup(f.kill)
			test(t, f)
		})
	}
}

// drainFor starts the gateway with a time to drain, and two devices known to it.
func (f *field) drainFor(long time.Duration) {
	f.t.Helper()
	text := fmt.Sprintf("data: %s\ndevice: {listen: %s, drain: %v, keep: 1m}\nadmin: {listen: %s}\n",
		f.data, f.device, long, f.admin)
	if err := os.WriteFile(f.config, []byte(text), 0o600); err != nil {
		f.t.Fatal(err)
	}
	f.start()
	key, err := os.ReadFile(filepath.Join(f.data, "admin.key"))
	if err != nil {
		f.t.Fatal(err)
	}
	f.up = newUpstream(f.admin, strings.TrimSpace(string(key)))
	for i := range 2 {
		in := api.NewDevice{MSISDN: fmt.Sprintf("+9990000000%d", i), DevID: fmt.Sprint("IMEI:", i)}
		if err := f.up.call(context.Background(), "POST", "devices", in, new(api.Device)); err != nil {
			f.t.Fatal(err)
		}
	}
}

// says sends message msgID of a device that has no credential, so that its session waits for one; its third message
// ends it. The answer is the Status of its SyncHdr and the MsgID of the reply, or the HTTP status and Retry-After.
func (f *field) says(device, msgID int) string {
	f.t.Helper()
	var m syncml.Message
	h := &m.Header
	h.VerDTD, h.VerProto, h.SessionID, h.MsgID = m.Text("1.2"), m.Text("DM/1.2"), m.Text("1"), m.Number(msgID)
	h.Target.URI, h.Source.URI = m.Text("http://dm.example/dm"), m.Text(fmt.Sprint("IMEI:", device))
	m.Final = true
	resp, err := http.Post("http://"+f.device+"/dm", "application/vnd.syncml.dm+wbxml",
		bytes.NewReader(m.Append(nil, syncml.WBXML)))
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err.Error()
	}
	if resp.StatusCode != 200 {
		return fmt.Sprintf("HTTP %d, Retry-After %s", resp.StatusCode, resp.Header.Get("Retry-After"))
	}
	if err := m.Read(body, syncml.WBXML, nil); err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%s in message %s", m.Commands[0].Data, m.Header.MsgID)
}

func (f *field) expect(device, msgID int, want string) {
	f.t.Helper()
	if got := f.says(device, msgID); got != want {
		f.t.Errorf("device %d, message %d: %s, want %s", device, msgID, got, want)
	}
}

// end sends SIGTERM and waits until the gateway says that it drains.
func (f *field) end() {
	f.t.Helper()
	if err := f.process.Process.Signal(syscall.SIGTERM); err != nil {
		f.t.Fatal(err)
	}
	f.until(10*time.Second, "it says that it drains", func() bool {
		resp, err := http.Get("http://" + f.admin + "/readyz")
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		return err == nil && resp.StatusCode == 503 && string(body) == "draining: 1 sessions are running"
	})
}

// ended waits for the process to end, and says after which time it did so and with what.
func (f *field) ended() (time.Duration, error) {
	start := time.Now()
	stop := time.AfterFunc(20*time.Second, func() { f.process.Process.Kill() })
	defer stop.Stop()
	err := f.process.Wait()
	f.process = nil
	return time.Since(start), err
}

func drainedToTheEnd(t *testing.T, f *field) {
	f.drainFor(time.Minute)
	f.expect(0, 1, "407 in message 1")
	f.end()
	f.expect(1, 1, "HTTP 503, Retry-After 10")
	f.expect(0, 2, "407 in message 2")
	f.expect(1, 1, "HTTP 503, Retry-After 10")
	f.expect(0, 3, "407 in message 3")
	if took, err := f.ended(); err != nil || took > 10*time.Second {
		t.Errorf("it ended with %v after %v\n%s", err, took, f.log.String())
	}
	f.start()
	f.expect(1, 1, "407 in message 1")
}

func drainedInTime(t *testing.T, f *field) {
	f.drainFor(2 * time.Second)
	f.expect(0, 1, "407 in message 1")
	f.end()
	if took, err := f.ended(); err != nil || took > 10*time.Second {
		t.Errorf("it ended with %v after %v\n%s", err, took, f.log.String())
	}
	f.start()
	f.expect(0, 2, "407 in message 2") // of the same session
}

func drainedAtOnce(t *testing.T, f *field) {
	f.drainFor(time.Hour)
	f.expect(0, 1, "407 in message 1")
	f.end()
	if err := f.process.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if took, err := f.ended(); !errors.As(err, &exit) || exit.ExitCode() != 128+int(syscall.SIGTERM) ||
		took > 10*time.Second {
		t.Errorf("it ended with %v after %v\n%s", err, took, f.log.String())
	}
	f.start()
	f.expect(0, 2, "407 in message 2")
}
