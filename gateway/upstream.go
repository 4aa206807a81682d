package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"

	"dmgate/bench/handset"
	"dmgate/gateway/api"
	"dmgate/storage"
)

// upstream is the demo's MDM: it uses the REST API and nothing else.
type upstream struct {
	base   string
	key    string
	client *http.Client
}

func newUpstream(address, key string) *upstream {
	return &upstream{
		base: "http://" + address + "/v1/", key: key,
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: registerWorkers}},
	}
}

// registerWorkers is how many devices are registered at a time.
const registerWorkers = 32

// register makes every handset known and returns their ids in the same order.
func (u *upstream) register(ctx context.Context, all []*handset.Handset) ([]storage.DeviceID, error) {
	ids := make([]storage.DeviceID, len(all))
	var next atomic.Int64
	var workers sync.WaitGroup
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	for range registerWorkers {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(all)) && ctx.Err() == nil; i = next.Add(1) - 1 {
				h := all[i]
				var d api.Device
				in := api.NewDevice{MSISDN: h.MSISDN, IMSI: h.IMSI, DevID: h.DevID()}
				if err := u.call(ctx, "POST", "devices", in, &d); err != nil {
					cancel(err)
				}
				ids[i] = d.ID
			}
		})
	}
	workers.Wait()
	return ids, context.Cause(ctx)
}

func (u *upstream) bootstrap(ctx context.Context, devices []storage.DeviceID, sec string) ([]api.Bootstrap, error) {
	var placed api.Bootstraps
	if err := u.call(ctx, "POST", "bootstraps", api.NewBootstraps{Devices: devices, Sec: sec}, &placed); err != nil {
		return nil, err
	}
	if placed.Refused > 0 {
		return nil, fmt.Errorf("%d of %d bootstraps were refused", placed.Refused, len(devices))
	}
	return placed.Orders, nil
}

func (u *upstream) overview(ctx context.Context) (*api.Overview, error) {
	var o api.Overview
	return &o, u.call(ctx, "GET", "overview", nil, &o)
}

func (u *upstream) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, u.base+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+u.key)
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
	return json.Unmarshal(text, out)
}
