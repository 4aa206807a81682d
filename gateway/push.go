package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"sync"
	"time"

	"dmgate/codec/push"
	"dmgate/modempool"
	"dmgate/storage"
)

type pushCmd struct {
	To     string        `required:"" help:"Number to send to (MSISDN)."`
	PIN    string        `name:"pin" help:"Sign with a PIN that the user has to type." xor:"key"`
	IMSI   string        `name:"imsi" help:"Sign with the SIM's IMSI: no PIN to be typed." xor:"key"`
	DryRun bool          `help:"Print the TPDUs in hexadecimal, one a line, and send nothing."`
	Port   string        `help:"Modem to send through, as /dev/serial/by-id/..."`
	SIMPIN string        `name:"sim-pin-file" help:"File with the PIN of the modem's SIM." type:"existingfile"`
	Wait   time.Duration `help:"How long to try." default:"2m"`
	File   string        `arg:"" help:"Provisioning document, XML or WBXML; - for standard input."`
}

// Run builds the push, and sends it unless it is a dry run.
func (p *pushCmd) Run() error {
	in, err := readInput(p.File)
	if err != nil {
		return err
	}
	pdu, err := p.build(in)
	if err != nil {
		return err
	}
	if p.DryRun {
		return p.print(pdu)
	}
	if p.Port == "" {
		return errors.New("no --port to send through; --dry-run prints what would be sent")
	}
	return p.send(pdu)
}

// build checks the document and wraps it, unsigned where there is neither PIN nor IMSI.
func (p *pushCmd) build(in []byte) ([]byte, error) {
	if err := push.ValidateNumber(p.To); err != nil {
		return nil, fmt.Errorf("--to: %w", err)
	}
	doc, err := provisioning(in)
	if err != nil {
		return nil, err
	}
	w := push.Push{TID: 1, ContentType: push.TypeConnectivityWBXML, Body: doc}
	if p.PIN != "" || p.IMSI != "" {
		w.Signed, w.SEC = true, push.UserPIN
		if p.IMSI != "" {
			w.SEC = push.NetwPIN
		}
		if w.MAC, err = push.MAC(w.SEC, push.Key{IMSI: p.IMSI, PIN: p.PIN}, w.Body); err != nil {
			return nil, err
		}
	}
	return w.Append(nil), nil
}

// provisioning is a provisioning document as WBXML, whichever form it has.
func provisioning(in []byte) ([]byte, error) {
	cp := documentNamed("cp")
	if isXML(in) {
		return cp.toWBXML(in)
	}
	_, err := cp.toXML(in)
	return in, err
}

func (p *pushCmd) print(pdu []byte) error {
	tpdus, err := p.tpdus(pdu)
	for _, tpdu := range tpdus {
		fmt.Printf("%X\n", tpdu)
	}
	return err
}

// tpdus are the SMS that carry pdu.
func (p *pushCmd) tpdus(pdu []byte) ([][]byte, error) {
	segments, err := push.Split(pdu, push.Ports{Dst: push.PortPush, Src: push.PortWSP}, 1)
	if err != nil {
		return nil, err
	}
	tpdus := make([][]byte, len(segments))
	for i, ud := range segments {
		s := push.Submit{Destination: p.To, DCS: push.DCSClass1, UD: ud, HasUDH: true, Report: true}
		tpdus[i] = s.Append(nil)
	}
	return tpdus, nil
}

// send hands the push to a pool of one modem and waits for its fate.
func (p *pushCmd) send(pdu []byte) error {
	pin := ""
	if p.SIMPIN != "" {
		text, err := os.ReadFile(p.SIMPIN)
		if err != nil {
			return err
		}
		pin = strings.TrimSpace(string(text))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, p.Wait)
	defer cancel()
	q := &oneShot{over: cancel, job: storage.PushJob{
		ID: 1, Device: "push", MSISDN: p.To, PDU: pdu, State: storage.PushQueued, NotBefore: time.Now(),
	}}
	pool, err := modempool.New(modempool.Options{Ports: []modempool.Port{{Path: p.Port, PIN: pin}}}, q)
	if err != nil {
		return err
	}
	if err := pool.Run(ctx); err != nil {
		return err
	}
	job := q.state()
	switch job.State {
	case storage.PushSent, storage.PushDelivered:
		fmt.Printf("%d segments sent\n", len(job.Segments))
		return nil
	}
	modem := pool.Modems()[0]
	return fmt.Errorf("not sent (%s): %s", job.State, strings.TrimSpace(job.Error+" "+modem.LastError))
}

// oneShot is a queue with one push in it, which ends the pool when that is sent or given up.
type oneShot struct {
	mu   sync.Mutex
	job  storage.PushJob
	over func()
}

func (q *oneShot) state() storage.PushJob {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.job
}

// Flows implements modempool.Queue.
func (q *oneShot) Flows(now time.Time, from storage.Flow, _ int) ([]storage.Flow, error) {
	if job := q.state(); from == (storage.Flow{}) && job.State == storage.PushQueued && !job.NotBefore.After(now) {
		return []storage.Flow{{}}, nil
	}
	return nil, nil
}

// Due implements modempool.Queue.
func (q *oneShot) Due(_ storage.Flow, now time.Time, _ int) ([]storage.PushJob, error) {
	if job := q.state(); job.State == storage.PushQueued && !job.NotBefore.After(now) {
		return []storage.PushJob{job}, nil
	}
	return nil, nil
}

// Overdue and Awaiting implement modempool.Queue: what was sent is not waited for.
func (q *oneShot) Overdue(time.Time, int) ([]storage.PushJob, error) { return nil, nil }

func (q *oneShot) Awaiting(string, string, uint8) ([]storage.PushJob, error) { return nil, nil }

// PDU implements modempool.Queue.
func (q *oneShot) PDU(job *storage.PushJob) ([]byte, error) { return job.PDU, nil }

// Save implements modempool.Queue.
func (q *oneShot) Save(job *storage.PushJob) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.job = *job
	if job.State != storage.PushQueued && job.State != storage.PushSending {
		q.over()
	}
	return nil
}

// Edit implements modempool.Queue.
func (q *oneShot) Edit(_ storage.DeviceID, _ uint64, change func(*storage.PushJob) error) error {
	job := q.state()
	if err := change(&job); err != nil {
		return err
	}
	return q.Save(&job)
}

// Received implements modempool.Queue: an SMS that has come in is shown, as the modem forgets it.
func (q *oneShot) Received(sms modempool.Received) error {
	_, err := fmt.Fprintf(os.Stderr, "incoming SMS from %s: %s%s\n", sms.Sender, sms.Text, sms.Data)
	return err
}

// Noticed implements modempool.Queue.
func (q *oneShot) Noticed(string, string) error { return nil }

// Setting and PutSetting implement modempool.Queue: nothing outlives this process.
func (q *oneShot) Setting(string) ([]byte, error) { return nil, storage.ErrNotFound }

func (q *oneShot) PutSetting(string, []byte) error { return nil }
