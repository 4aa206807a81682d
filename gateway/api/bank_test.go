package api_test

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"dmgate/modempool"
	"dmgate/storage"
)

// bank is a pool of modems that does nothing and notes what it is told.
type bank struct {
	mu     sync.Mutex
	modems []modempool.Status
	waits  []modempool.FlowWait
	added  []modempool.Port
	did    []string
	file   modempool.Limits
	set    *modempool.Limits
}

// newBank has two modems: one at work, one that is not.
func newBank() *bank {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	return &bank{
		file: modempool.Limits{Modem: 20},
		waits: []modempool.FlowWait{{
			Flow: storage.Flow{Priority: 5, Name: "/+49171"}, For: "quiet hours, 22:00 to 07:00",
			Until: time.Date(2026, 1, 2, 7, 0, 0, 0, time.UTC),
		}},
		modems: []modempool.Status{
			{
				ID: "IMEI 356938035643809", Name: "ttyUSB0", Port: "/dev/ttyUSB0", Operator: "D1", Tags: []string{"d1"},
				Identity: modempool.Identity{
					IMEI: "356938035643809", IMSI: "262011234567890", ICCID: "8949001", Maker: "huawei", Model: "E173",
				},
				State: modempool.Ready, Since: at, PerMinute: 3, Signal: 17, Draining: true, Trial: true,
				Counters: modempool.Counters{
					Sent: 7, Failed: 1, Doubtful: 2, Pushes: 5, Reports: 6, Unknown: 8, Inbound: 9, Reopened: 10,
				},
				Ring: []modempool.Exchange{{Time: at, Sent: "AT+CSQ", Lines: []string{"+CSQ: 17,99", "OK"}}},
			},
			{
				ID: "ttyUSB1", Name: "ttyUSB1", Port: "/dev/ttyUSB1", State: modempool.OutOfService, Since: at,
				Reason: "the SIM wants a PUK", Until: at.Add(time.Minute), Signal: 99, LastError: "SIM PUK", LastErrorAt: at,
			},
		},
	}
}

func (b *bank) Modems() []modempool.Status {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.modems)
}

func (b *bank) Waits() []modempool.FlowWait { return b.waits }

func (b *bank) AddPort(p modempool.Port) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := p.Check(); err != nil {
		return err
	}
	if slices.ContainsFunc(b.modems, func(s modempool.Status) bool { return s.Port == p.Path }) {
		return modempool.ErrHasModem
	}
	b.added = append(b.added, p)
	b.modems = append(b.modems, modempool.Status{
		ID: "added", Name: "added", Port: p.Path, Tags: p.Tags, State: modempool.Opening, Signal: 99,
	})
	return nil
}

// do notes what is done to a modem.
func (b *bank) do(what, id string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !slices.ContainsFunc(b.modems, func(s modempool.Status) bool { return s.ID == id || s.Name == id }) {
		return modempool.ErrNoModem
	}
	b.did = append(b.did, fmt.Sprintf("%s %s", what, id))
	return nil
}

func (b *bank) Drain(id string) error   { return b.do("drain", id) }
func (b *bank) Undrain(id string) error { return b.do("undrain", id) }
func (b *bank) Reset(id string) error   { return b.do("reset", id) }
func (b *bank) Remove(id string) error  { return b.do("remove", id) }

func (b *bank) Limits() modempool.Limits {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.set != nil {
		return *b.set
	}
	return b.file
}

func (b *bank) LimitsSet() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.set != nil
}

func (b *bank) SetLimits(l modempool.Limits) error {
	if err := l.Check(); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.set = &l
	return nil
}

func (b *bank) UnsetLimits() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.set = nil
	return nil
}
