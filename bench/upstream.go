package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// upstream is the MDM that orders: it uses the gateway's REST API and nothing else.
type upstream struct {
	base   string
	key    string
	client *http.Client
}

// registerWorkers is how many devices are registered at a time.
const registerWorkers = 32

func newUpstream(address, key string) *upstream {
	return &upstream{
		base: "http://" + address + "/v1/", key: key,
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: registerWorkers}},
	}
}

// bootstrap registers a device for each number and orders its bootstrap.
func (u *upstream) bootstrap(numbers []string) error {
	devices, err := u.register(numbers)
	if err != nil {
		return err
	}
	const batch = 1000
	for rest := devices; len(rest) > 0; rest = rest[min(batch, len(rest)):] {
		in := map[string]any{"devices": rest[:min(batch, len(rest))], "sec": "userpin", "pin": "4711"}
		var out struct{ Refused int }
		if err := u.call("POST", "bootstraps", in, &out); err != nil {
			return err
		}
		if out.Refused > 0 {
			return fmt.Errorf("%d bootstraps were refused", out.Refused)
		}
	}
	return nil
}

// campaign creates a campaign, sends the file of its targets and starts it.
func (u *upstream) campaign(targets int) error {
	var made struct{ ID string }
	in := map[string]any{"name": "bench", "kind": "bootstrap", "sec": "userpin"}
	if err := u.call("POST", "campaigns", in, &made); err != nil {
		return err
	}
	file, write := io.Pipe()
	var writing sync.WaitGroup
	writing.Go(func() { write.CloseWithError(writeTargets(write, targets)) })
	var added struct{ Accepted, Refused int }
	err := u.send("POST", "campaigns/"+made.ID+"/targets", "text/csv", file, &added)
	file.Close()
	writing.Wait()
	if err != nil {
		return err
	}
	if added.Accepted != targets {
		return fmt.Errorf("%d of %d targets were taken, %d refused", added.Accepted, targets, added.Refused)
	}
	return u.call("POST", "campaigns/"+made.ID+"/start", nil, nil)
}

// writeTargets writes a file of as many targets, each with a number, an IMSI and a PIN.
func writeTargets(to io.Writer, targets int) error {
	w := bufio.NewWriterSize(to, 64<<10)
	fmt.Fprintln(w, "msisdn,imsi,pin")
	for i := range targets {
		fmt.Fprintf(w, "%s,26201%010d,%06d\n", number(i), i, i%1_000_000)
	}
	return w.Flush()
}

// register returns the names of the devices, in the order of their numbers.
func (u *upstream) register(numbers []string) ([]string, error) {
	devices := make([]string, len(numbers))
	var next atomic.Int64
	var failed atomic.Pointer[error]
	var workers sync.WaitGroup
	for range registerWorkers {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(numbers)) && failed.Load() == nil; i = next.Add(1) - 1 {
				var d struct{ ID string }
				if err := u.call("POST", "devices", map[string]any{"msisdn": numbers[i]}, &d); err != nil {
					failed.CompareAndSwap(nil, &err)
				}
				devices[i] = d.ID
			}
		})
	}
	workers.Wait()
	if err := failed.Load(); err != nil {
		return nil, *err
	}
	return devices, nil
}

// deviceView is what is looked at of a device.
type deviceView struct {
	State  string
	Pushes []struct {
		State    string
		Modem    string
		Attempts int
		Error    string
	}
	Timeline []struct {
		Time time.Time
		Kind string
		Text string
	}
}

// device is the device with a number.
func (u *upstream) device(number string) (*deviceView, error) {
	var found struct{ Devices []struct{ ID string } }
	if err := u.call("GET", "devices?msisdn="+url.QueryEscape(number), nil, &found); err != nil {
		return nil, err
	}
	if len(found.Devices) != 1 {
		return nil, fmt.Errorf("%d devices have the number %s", len(found.Devices), number)
	}
	var d deviceView
	return &d, u.call("GET", "devices/"+found.Devices[0].ID, nil, &d)
}

// call sends in, as JSON, and reads the answer into out.
func (u *upstream) call(method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
	}
	return u.send(method, path, "application/json", body, out)
}

func (u *upstream) send(method, path, kind string, body io.Reader, out any) error {
	req, err := http.NewRequest(method, u.base+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+u.key)
	req.Header.Set("Content-Type", kind)
	answer, err := u.client.Do(req)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s: %s", method, path, answer.Status, text)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(text, out)
}

// metric is the value of one of the gateway's metrics.
func (u *upstream) metric(name string) (float64, error) {
	answer, err := u.client.Get(strings.TrimSuffix(u.base, "v1/") + "metrics")
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	for in := bufio.NewScanner(answer.Body); in.Scan(); {
		if value, ok := strings.CutPrefix(in.Text(), name+" "); ok {
			return strconv.ParseFloat(value, 64)
		}
	}
	return 0, fmt.Errorf("no metric %s", name)
}
