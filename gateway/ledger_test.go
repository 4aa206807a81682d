package main

import (
	"fmt"
	"math"
	"path/filepath"
	"sync"

	"dmgate/bench/handset"
	"dmgate/storage"
	"dmgate/storage/pebble"
)

// ledger is what handsets know: which Execs they took, and which of their answers the gateway has acknowledged.
type ledger struct {
	mu    sync.Mutex
	ran   map[string]int // Execs, by MSISDN and LocURI
	taken map[*handset.Handset][]handset.Taken
}

func newLedger() *ledger {
	return &ledger{ran: make(map[string]int), taken: make(map[*handset.Handset][]handset.Taken)}
}

// observe is the handsets' observer.
func (l *ledger) observe(e handset.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch e.Kind {
	case handset.Executed:
		l.ran[e.Handset.MSISDN+" "+e.Detail]++
	case handset.AnswerTaken:
		if e.Taken.URI != "" {
			l.taken[e.Handset] = append(l.taken[e.Handset], e.Taken)
		}
	}
}

// count is how many answers were acknowledged.
func (l *ledger) count() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, taken := range l.taken {
		n += len(taken)
	}
	return n
}

// execs is how many Execs reached handsets, and which of them more than once.
func (l *ledger) execs() (n int, double []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for which, times := range l.ran {
		n += times
		if times > 1 {
			double = append(double, fmt.Sprintf("%s (%d times)", which, times))
		}
	}
	return n, double
}

// answer is one answer to one command, as handset and gateway both know it.
type answer struct {
	session   string
	msgID     int // of the message that brought it
	uri, data string
	code      int
}

// answers are the acknowledged answers of a handset: a Status and the value that came with it are one, as in the store.
// A value that came in a later message than its Status is another one, with the same code.
func (l *ledger) answers(h *handset.Handset) map[answer]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	type command struct{ session, msgRef, cmdRef string }
	codes := make(map[command]handset.Taken)
	all := make(map[answer]int)
	for _, t := range l.taken[h] {
		a := answer{session: t.Session, msgID: t.MsgID, uri: t.URI, data: t.Data, code: t.Code}
		of := command{t.Session, t.MsgRef, t.CmdRef}
		if t.IsValue {
			status := codes[of]
			a.code = status.Code
			if status.MsgID == t.MsgID {
				all[answer{session: t.Session, msgID: t.MsgID, uri: status.URI, code: status.Code}]--
			}
		} else {
			codes[of] = t
		}
		all[a]++
	}
	return all
}

// kept is how the store compares with a ledger.
type kept struct{ results, duplicates, lost int }

// compare opens the store of a gateway that has ended and checks that it holds each acknowledged answer once, nothing
// twice for the same task, command and session, and no task that is left over.
func (f *field) compare(l *ledger) (k kept) {
	f.t.Helper()
	store, err := pebble.Open(filepath.Join(f.data, "store"), pebble.Options{})
	if err != nil {
		f.t.Fatal(err)
	}
	defer store.Close()
	for i, h := range f.phones.Handsets() {
		f.compareOne(store, f.ids[i], h, l.answers(h), &k)
	}
	return k
}

func (f *field) compareOne(store storage.Store, id storage.DeviceID, h *handset.Handset, want map[answer]int, k *kept) {
	f.t.Helper()
	results, err := store.Results(id, 0, math.MaxInt)
	if err != nil {
		f.t.Fatal(err)
	}
	type place struct {
		task    uint64
		command int
		session string
		isValue bool
		late    bool
	}
	places := make(map[place]int)
	for _, r := range results {
		for _, a := range r.Answers {
			k.results++
			at := place{r.Task, a.Command, r.Session, len(a.Data) > 0, a.Late}
			if places[at]++; places[at] > 1 {
				k.duplicates++
				f.t.Errorf("%s: answered more than once: %+v", h.MSISDN, at)
			}
			if !a.Late { // the result of an Exec, which comes by an alert
				want[answer{session: r.Session, msgID: int(r.MsgID), uri: string(a.URI), data: string(a.Data), code: a.Code}]--
			}
		}
	}
	for a, n := range want {
		if n > 0 {
			k.lost += n
			f.t.Errorf("%s: acknowledged and not in the store: %+v", h.MSISDN, a)
		}
		if n < 0 {
			f.t.Errorf("%s: in the store and not acknowledged: %+v", h.MSISDN, a)
		}
	}
	open, err := store.OpenTasks(id, 0, math.MaxInt)
	if err != nil {
		f.t.Fatal(err)
	}
	for _, t := range open {
		if t.State == storage.TaskWaiting && h.Make == handset.S60 {
			continue // it has accepted an Exec, and never says what came of it
		}
		f.t.Errorf("%s: task %d (%s) is left in state %d", h.MSISDN, t.ID, t.Purpose, t.State)
	}
	if d, err := store.Device(id); err != nil || d.State != storage.Discovered {
		f.t.Errorf("%s: %+v, %v, want it discovered", h.MSISDN, d, err)
	}
}
