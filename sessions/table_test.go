package sessions

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// Networks that sessions come from.
var here, there = Source{1}, Source{2}

// enter takes the slot of a device whose message comes from here and does not name it by address.
func enter(t *testing.T, table *Table, dev string) *Slot {
	t.Helper()
	slot, err := table.Enter([]byte(dev), here, false)
	if err != nil {
		t.Fatalf("%s: %v", dev, err)
	}
	return slot
}

// use is a message of a device: it leaves s in its slot.
func use(t *testing.T, table *Table, dev string, at time.Duration, s *Session) {
	t.Helper()
	slot := enter(t, table, dev)
	slot.Session = s
	table.Leave(slot, epoch.Add(at))
}

func open() *Session   { return &Session{started: epoch, proof: ByMD5} }
func begun() *Session  { return &Session{started: epoch} }
func parted() *Session { return &Session{started: epoch, proof: ByMD5, ended: true, parting: true} }
func closed() *Session { return &Session{started: epoch, proof: ByMD5, ended: true} }

// refused expects Enter and, for messages without a name, Admit to say no.
func refused(t *testing.T, table *Table, dev string, from Source, want error) {
	t.Helper()
	if _, err := table.Enter([]byte(dev), from, true); !errors.Is(err, want) {
		t.Errorf("%s enters: %v, want %v", dev, err, want)
	}
	if err := table.Admit(from); !errors.Is(err, want) {
		t.Errorf("a message is admitted: %v, want %v", err, want)
	}
}

func TestTableOneMessageAtATime(t *testing.T) {
	table := NewTable(TableOptions{})
	slot := enter(t, table, "a")
	if _, err := table.Enter([]byte("a"), there, true); !errors.Is(err, ErrBusy) {
		t.Errorf("second message of the device: %v", err)
	}
	enter(t, table, "b")
	s := open()
	slot.Session = s
	table.Leave(slot, epoch)
	if again := enter(t, table, "a"); again.Session != s || again.Device != "a" {
		t.Errorf("after leaving: session kept %v, device %q", again.Session == s, again.Device)
	}
}

// What is left behind in a slot decides whether it stays.
func TestTableLeave(t *testing.T) {
	guest, goodbye, over := begun(), parted(), closed()
	for name, c := range map[string]struct {
		before, after, guest *Session
		stays                *Session
		open                 int
	}{
		"nothing":                      {nil, nil, nil, nil, 0},
		"a session":                    {nil, guest, nil, guest, 1},
		"one that has ended":           {nil, closed(), nil, nil, 0},
		"one that we have parted with": {open(), goodbye, nil, goodbye, 1}, // its device has yet to say so
		"ended, with a guest":          {open(), over, guest, over, 1},     // its device may ask for its last reply again
		"ended, with an ended guest":   {open(), closed(), closed(), nil, 0},
		"a step that was not kept":     {open(), nil, nil, nil, 1}, // the checkpoint has the one before
	} {
		t.Run(name, func(t *testing.T) {
			table := NewTable(TableOptions{Shards: 1})
			if c.before != nil {
				use(t, table, "a", 0, c.before)
			}
			slot := enter(t, table, "a")
			slot.Session, slot.Guest = c.after, c.guest
			table.Leave(slot, epoch)
			if table.Len() != c.open {
				t.Errorf("%d open, want %d", table.Len(), c.open)
			}
			active := 0
			if c.stays != nil {
				active = 1
			}
			if table.Active() != active {
				t.Errorf("%d in memory, want %d", table.Active(), active)
			}
			if again := enter(t, table, "a"); again.Session != c.stays || (again.Guest == guest) != (c.stays == over) {
				t.Errorf("session %p, want %p; guest %p", again.Session, c.stays, again.Guest)
			}
		})
	}
}

func TestTableFull(t *testing.T) {
	table := NewTable(TableOptions{Sessions: 2})
	first := enter(t, table, "a")
	second, _ := table.Enter([]byte("b"), there, true)
	if _, err := table.Enter([]byte("c"), here, false); !errors.Is(err, ErrFull) {
		t.Errorf("third session: %v", err)
	}
	refused(t, table, "c", there, ErrFull)
	if err := table.Admit(here); err != nil {
		t.Errorf("what may be the next message of a: %v", err)
	}
	second.Session = open()
	table.Leave(second, epoch)
	refused(t, table, "c", there, ErrFull) // a session at rest does not give way
	table.Leave(first, epoch)
	enter(t, table, "c")
}

// One source can not take the places of the others. Exempt ones can.
func TestTablePerSource(t *testing.T) {
	table := NewTable(TableOptions{Sessions: 10, PerSource: 3})
	for i := range 3 {
		if _, err := table.Enter(fmt.Append(nil, i), there, true); err != nil {
			t.Fatal(err)
		}
	}
	refused(t, table, "one more", there, ErrSource)
	for i := range 5 {
		if _, err := table.Enter(fmt.Append(nil, "exempt", i), Exempt, true); err != nil {
			t.Fatal(err)
		}
	}
	slot := enter(t, table, "a")
	if n, most := table.Sources(); n != 3 || most != 5 {
		t.Errorf("%d sources, %d sessions at most", n, most)
	}
	table.Leave(slot, epoch)
	if n, _ := table.Sources(); n != 2 {
		t.Errorf("%d sources, want 2: one has nothing open any more", n)
	}
}

// A session that is named by address is told apart from one that has to be looked for in the body.
func TestTableNamed(t *testing.T) {
	table := NewTable(TableOptions{Sessions: 1})
	use(t, table, "a", 0, open())
	for _, c := range []struct {
		named bool
		want  error
	}{{false, nil}, {true, ErrFull}, {true, ErrFull}, {false, nil}} {
		slot, err := table.Enter([]byte("a"), there, c.named)
		if err != nil {
			t.Fatal(err)
		}
		table.Leave(slot, epoch)
		if err := table.Admit(here); !errors.Is(err, c.want) {
			t.Errorf("named %v: %v, want %v", c.named, err, c.want)
		}
	}
}

func TestTableDrains(t *testing.T) {
	table := NewTable(TableOptions{})
	use(t, table, "a", 0, open())
	table.Drain()
	refused(t, table, "b", there, ErrDraining)
	use(t, table, "a", 0, closed())
	if table.Len() != 0 || table.Active() != 0 {
		t.Errorf("%d open, %d in memory", table.Len(), table.Active())
	}
	refused(t, table, "a", here, ErrDraining)
}

// expire turns the table to a time and expects so many to be forgotten and so many to be in memory then.
func expire(t *testing.T, table *Table, at time.Duration, forgotten, active int) {
	t.Helper()
	if n := table.Expire(epoch.Add(at)); n != forgotten || table.Active() != active {
		t.Errorf("at %v: %d forgotten, want %d; %d in memory, want %d", at, n, forgotten, table.Active(), active)
	}
}

func TestTableExpiresTheIdle(t *testing.T) {
	table := NewTable(TableOptions{Shards: 1, Idle: time.Minute})
	use(t, table, "a", 0, open())
	use(t, table, "b", 10*time.Second, open())
	use(t, table, "c", 20*time.Second, open())
	use(t, table, "a", 30*time.Second, open()) // in use again: now the youngest
	inUse := enter(t, table, "b")
	expire(t, table, 40*time.Second-1, 0, 2) // c has left memory
	expire(t, table, 40*time.Second, 0, 1)   // and so has a
	expire(t, table, 80*time.Second-1, 0, 1)
	expire(t, table, 80*time.Second, 1, 1)
	expire(t, table, 90*time.Second, 1, 1)
	expire(t, table, time.Hour, 0, 1)
	table.Leave(inUse, epoch.Add(time.Hour))
	if table.Len() != 1 {
		t.Errorf("%d left, want the one that was in use all the time", table.Len())
	}
	expire(t, table, 2*time.Hour, 1, 0)
}

// Times longer than the wheel's turn are kept to the second too: a session that is always busy comes to the end of its
// lifetime, one at rest does so before its idle time is over, and one that is not proved does not get as long.
func TestTableExpiresInEveryOrder(t *testing.T) {
	table := NewTable(TableOptions{Shards: 1, Idle: time.Hour})
	const day = 24 * time.Hour
	for at := time.Duration(0); at <= day-10*time.Minute; at += 5 * time.Minute {
		use(t, table, "busy", at, open())
		expire(t, table, at, 0, 1)
	}
	use(t, table, "lasting", day-10*time.Minute, open())
	late := &Session{started: epoch.Add(time.Hour), proof: ByMD5}
	use(t, table, "late", day-10*time.Minute, late)
	use(t, table, "unproved", day-10*time.Minute, begun())
	expire(t, table, day-9*time.Minute-1, 0, 0)
	expire(t, table, day-9*time.Minute, 1, 0)
	expire(t, table, day-1, 0, 0)
	expire(t, table, day, 2, 0)
	expire(t, table, day+50*time.Minute-1, 0, 0)
	expire(t, table, day+50*time.Minute, 1, 0)
	if n, _ := table.Sources(); n != 0 || table.Len() != 0 {
		t.Errorf("%d sources and %d sessions are left", n, table.Len())
	}
}

// A device that does not answer our goodbye holds its place no longer than one that has proved nothing.
func TestTableExpiresTheParted(t *testing.T) {
	table := NewTable(TableOptions{Shards: 1})
	use(t, table, "a", 0, open())
	use(t, table, "a", time.Second, parted())
	expire(t, table, time.Minute, 0, 0)
	expire(t, table, time.Minute+time.Second, 1, 0)
}

// A guest is nowhere but in memory: it is given the time to prove itself, and holds up the session beside it so long.
func TestTableGuest(t *testing.T) {
	table := NewTable(TableOptions{Shards: 1})
	slot := enter(t, table, "a")
	slot.Session, slot.Guest = open(), begun()
	table.Leave(slot, epoch)
	expire(t, table, time.Minute-1, 0, 1)
	if slot.Session == nil || slot.Guest == nil {
		t.Fatal("it was not given its time")
	}
	expire(t, table, time.Minute, 0, 0)
	if slot.Session != nil || slot.Guest != nil {
		t.Error("it is still in memory")
	}
	expire(t, table, 10*time.Minute, 1, 0)
}

// However sessions come and go, at the end nothing is counted that is not there, and nothing is there for ever.
func TestTableConcurrently(t *testing.T) {
	table := NewTable(TableOptions{Shards: 4})
	var wg sync.WaitGroup
	var inside [8]int // of each device: guarded by its slot alone, which the race detector checks
	for g := range 8 {
		wg.Go(func() {
			for i := range 2000 {
				d := (g + i) % len(inside)
				slot, err := table.Enter(fmt.Append(nil, d), Source{byte(g)}, i%2 == 0)
				if err != nil {
					continue
				}
				inside[d]++
				slot.Session = []*Session{open(), nil, closed()}[i%3]
				now := epoch.Add(time.Duration(i) * time.Second)
				table.Leave(slot, now)
				table.Expire(now)
			}
		})
	}
	wg.Wait()
	total := 0
	for _, n := range inside {
		total += n
	}
	if total == 0 {
		t.Error("nobody ever entered")
	}
	table.Expire(epoch.Add(24 * time.Hour))
	if n, _ := table.Sources(); n != 0 || table.Len() != 0 || table.Active() != 0 {
		t.Errorf("%d sources, %d sessions, %d of them in memory", n, table.Len(), table.Active())
	}
}
