package sessions

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"dmgate/storage"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func TestTableOneMessageAtATime(t *testing.T) {
	table := NewTable(TableOptions{})
	slot, err := table.Enter("a")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := table.Enter("a"); !errors.Is(err, ErrBusy) {
		t.Errorf("second message of the device: %v", err)
	}
	if _, err := table.Enter("b"); err != nil {
		t.Errorf("another device: %v", err)
	}
	slot.Session = &Session{}
	table.Leave(slot, epoch)
	again, err := table.Enter("a")
	if err != nil || again.Session != slot.Session {
		t.Errorf("after leaving: %v, session kept %v", err, again.Session == slot.Session)
	}
}

func TestTableForgetsEndedSessions(t *testing.T) {
	table := NewTable(TableOptions{})
	for _, s := range []*Session{nil, {ended: true}} {
		slot, _ := table.Enter("a")
		slot.Session = s
		table.Leave(slot, epoch)
		if table.Len() != 0 {
			t.Errorf("session %v was kept", s)
		}
	}
}

func TestTableFull(t *testing.T) {
	table := NewTable(TableOptions{Shards: 1, Sessions: 2})
	first, _ := table.Enter("a")
	table.Enter("b")
	if _, err := table.Enter("c"); !errors.Is(err, ErrFull) {
		t.Errorf("third session: %v", err)
	}
	table.Leave(first, epoch)
	if _, err := table.Enter("c"); err != nil {
		t.Errorf("after one has ended: %v", err)
	}
}

func TestTableExpiresTheIdle(t *testing.T) {
	table := NewTable(TableOptions{Shards: 1, Idle: time.Minute})
	use := func(dev storage.DeviceID, at time.Duration) {
		slot, err := table.Enter(dev)
		if err != nil {
			t.Fatal(err)
		}
		slot.Session = &Session{}
		table.Leave(slot, epoch.Add(at))
	}
	use("a", 0)
	use("b", 10*time.Second)
	use("c", 20*time.Second)
	use("a", 30*time.Second) // in use again: now the youngest
	inUse, _ := table.Enter("b")
	for _, step := range []struct {
		at      time.Duration
		expired int
	}{{60 * time.Second, 0}, {80 * time.Second, 1}, {90 * time.Second, 1}, {time.Hour, 0}} {
		if n := table.Expire(epoch.Add(step.at)); n != step.expired {
			t.Errorf("at %v: %d expired, want %d", step.at, n, step.expired)
		}
	}
	table.Leave(inUse, epoch.Add(time.Hour))
	if table.Len() != 1 {
		t.Errorf("%d left, want the one that was in use all the time", table.Len())
	}
}

func TestTableConcurrently(t *testing.T) {
	table := NewTable(TableOptions{Shards: 4})
	var wg sync.WaitGroup
	var inside [8]int // of each device: guarded by its slot alone, which the race detector checks
	for g := range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := range 2000 {
				d := (g + i) % len(inside)
				slot, err := table.Enter(storage.DeviceID(fmt.Sprint(d)))
				if err != nil {
					continue
				}
				inside[d]++
				slot.Session = &Session{ended: i%3 == 0}
				table.Leave(slot, epoch)
				table.Expire(epoch.Add(time.Duration(i) * time.Second))
			}
		}()
	}
	wg.Wait()
	total := 0
	for _, n := range inside {
		total += n
	}
	if total == 0 {
		t.Error("nobody ever entered")
	}
}
