package pebble

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/tinylib/msgp/msgp"

	"dmgate/storage"
)

// Report is what Check found.
type Report struct {
	Devices, Accounts, Orders, Tasks, Results, Pushes, Checkpoints, Nodes, Jobs, Campaigns, Targets, Feed int

	Problems []string // the first of them, in words
	More     int      // problems beyond those
}

// OK says whether the store is sound.
func (r *Report) OK() bool { return len(r.Problems) == 0 }

func (r *Report) problem(format string, args ...any) {
	if len(r.Problems) == 100 {
		r.More++
		return
	}
	r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
}

// Check walks the whole store as it is at this moment: it reads every record, compares records and indexes both ways,
// and looks for gaps in the feed. Commits go on meanwhile. The error is of a walk that could not be ended; what is
// wrong with the store is in the report.
func (s *Store) Check() (report *Report, err error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	defer s.gate.leave()
	c := checker{s: s, snap: s.db.NewSnapshot(), Report: &Report{}}
	defer closeRead(c.snap, &err)
	it, err := c.snap.NewIter(nil)
	if err != nil {
		return nil, s.readError(nil, err)
	}
	defer closeIter(it, &err)
	for ok := it.First(); ok; ok = it.Next() {
		value, err := it.ValueAndErr()
		if err != nil {
			return c.Report, s.readError(it.Key(), err)
		}
		if err := c.row(it.Key(), value); err != nil {
			return c.Report, err
		}
	}
	return c.Report, it.Error()
}

// checker checks one row after the other.
type checker struct {
	*Report
	s      *Store
	snap   *pebble.Snapshot
	offset uint64 // of the last feed entry
}

// row checks the row under key. Its error is one of reading other rows.
func (c *checker) row(key, value []byte) error {
	switch key[0] {
	case tableStore:
		return nil
	case tableDevice:
		d := storage.Device{}
		if !c.record(&c.Devices, key, value, &d) || !c.under(key, appendDeviceKey(nil, tableDevice, d.ID)) {
			return nil
		}
		return errors.Join(
			c.name(key, tableMSISDN, d.MSISDN, d.ID), c.name(key, tableDevID, d.DevID, d.ID), c.entry(key, dueKey(&d)),
		)
	case tableMSISDN, tableDevID:
		d := storage.Device{}
		return c.leads(key, appendDeviceKey(nil, tableDevice, storage.DeviceID(value)), &d, func() bool {
			return key[0] == tableMSISDN && d.MSISDN == string(key[1:]) || key[0] == tableDevID && d.DevID == string(key[1:])
		})
	case tableDeviceDue:
		d := storage.Device{}
		dev, _, ok := cutText(key[min(1+lenTime, len(key)):])
		if !ok {
			return c.unknown(key)
		}
		return c.leads(key, appendDeviceKey(nil, tableDevice, storage.DeviceID(dev)), &d, func() bool {
			return bytes.Equal(key, dueKey(&d))
		})
	case tableAccount:
		a := storage.Account{}
		if c.record(&c.Accounts, key, value, &a) {
			c.under(key, appendDeviceKey(nil, tableAccount, a.Device))
		}
		return nil
	case tableCheckpoint:
		p := storage.Checkpoint{}
		if c.record(&c.Checkpoints, key, value, &p) {
			c.under(key, appendDeviceKey(nil, tableCheckpoint, p.Device))
		}
		return nil
	case tableOrder:
		o := storage.Order{}
		if c.record(&c.Orders, key, value, &o) {
			c.under(key, appendOrderKey(nil, o.Device, o.ID))
		}
		return nil
	case tableTask:
		t := storage.Task{}
		if !c.record(&c.Tasks, key, value, &t) || !c.under(key, appendNumberedKey(nil, tableTask, t.Device, t.ID)) {
			return nil
		}
		if t.Open() {
			return c.entry(key, indexed(tableOpenTask, key))
		}
		return nil
	case tableOpenTask:
		t := storage.Task{}
		return c.leads(key, indexed(tableTask, key), &t, func() bool { return t.Open() })
	case tableResults:
		r := storage.Results{}
		if c.record(&c.Results, key, value, &r) {
			own := appendNumberedKey(nil, tableResults, r.Device, r.Task)
			c.under(key[:min(len(own), len(key))], own)
		}
		return nil
	case tablePush:
		p := storage.PushJob{}
		if !c.record(&c.Pushes, key, value, &p) || !c.under(key, appendNumberedKey(nil, tablePush, p.Device, p.ID)) {
			return nil
		}
		errs := []error{c.entry(key, queueKey(&p)), c.entry(key, wayKey(&p))}
		for _, index := range awaitingKeys(&p) {
			errs = append(errs, c.entry(key, index))
		}
		return errors.Join(errs...)
	case tablePushDue:
		_, rest, ok := cutFlow(key)
		if !ok {
			return c.unknown(key)
		}
		return c.pushEntry(key, rest[lenTime:], func(p *storage.PushJob) [][]byte { return [][]byte{queueKey(p)} })
	case tablePushOnWay:
		ref := key[min(1+lenTime, len(key)):]
		return c.pushEntry(key, ref, func(p *storage.PushJob) [][]byte { return [][]byte{wayKey(p)} })
	case tableAwaiting:
		ref, ok := cutAwaiting(key)
		if !ok {
			return c.unknown(key)
		}
		return c.pushEntry(key, ref, awaitingKeys)
	case tableCampaign:
		a := storage.Campaign{}
		if c.record(&c.Campaigns, key, value, &a) {
			c.under(key, appendText([]byte{tableCampaign}, a.ID))
		}
		return nil
	case tableTarget:
		t := storage.Target{}
		if !c.record(&c.Targets, key, value, &t) || !c.under(key, appendTargetKey(nil, t.Campaign, t.Number)) {
			return nil
		}
		return errors.Join(c.entry(key, targetInKey(&t)), c.entry(key, targetNameKey(&t)))
	case tableTargetIn, tableTargetName:
		return c.targetEntry(key, value)
	case tableDocument:
		return nil
	case tableNode:
		n := storage.Node{}
		if c.record(&c.Nodes, key, value, &n) {
			c.under(key, appendNamedKey(nil, tableNode, n.Device, n.URI))
		}
		return nil
	case tableJob:
		j := storage.Job{}
		if !c.record(&c.Jobs, key, value, &j) || !c.under(key, appendNamedKey(nil, tableJob, j.Device, j.ID)) {
			return nil
		}
		return c.entry(key, jobDueKey(&j))
	case tableJobDue:
		ref, ok := cutJobDue(key)
		if !ok {
			return c.unknown(key)
		}
		j := storage.Job{}
		return c.leads(key, appendNamedKey(nil, tableJob, ref.Device, ref.ID), &j, func() bool {
			return bytes.Equal(key, jobDueKey(&j))
		})
	case tableFeed:
		return c.feed(key, value)
	case tableTimeline:
		dev, offset, rest, ok := cutNumbered(key)
		if !ok || len(rest) > 0 {
			return c.unknown(key)
		}
		e := storage.FeedEntry{}
		return c.leads(key, appendFeedKey(nil, offset), &e, func() bool { return e.Device == dev })
	}
	return c.unknown(key)
}

// feed checks that an entry follows the one before and is in its device's timeline.
func (c *checker) feed(key, value []byte) error {
	e := storage.FeedEntry{}
	if !c.record(&c.Feed, key, value, &e) {
		return nil
	}
	if len(key) != 1+lenUint {
		return c.unknown(key)
	}
	offset := binary.BigEndian.Uint64(key[1:])
	if offset != c.offset+1 {
		c.problem("feed entry %d follows %d", offset, c.offset)
	}
	c.offset = offset
	if e.Device == "" {
		return nil
	}
	return c.entry(key, appendNumberedKey(nil, tableTimeline, e.Device, offset))
}

func (c *checker) unknown(key []byte) error {
	c.problem("%s: a key that is none of this format", describe(key))
	return nil
}

// record reads a record and counts it.
func (c *checker) record(count *int, key, value []byte, r msgp.Unmarshaler) bool {
	*count++
	if err := read(key, value, r); err != nil {
		c.problem("%v", err)
		return false
	}
	return true
}

// under checks that a record lies under the key made of its fields.
func (c *checker) under(key, own []byte) bool {
	if bytes.Equal(key, own) {
		return true
	}
	c.problem("%s lies under the key of %s", describe(own), describe(key))
	return false
}

// get reads a row at the moment of the check. It returns nil where there is none.
func (c *checker) get(key []byte) (_ []byte, err error) {
	value, closer, err := c.snap.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, c.s.readError(key, err)
	}
	defer closeRead(closer, &err)
	return append([]byte{}, value...), nil
}

// entry checks that the index entry of a record is there.
func (c *checker) entry(key, index []byte) error {
	if index == nil {
		return nil
	}
	value, err := c.get(index)
	if err == nil && value == nil {
		c.problem("%s: its %s is missing", describe(key), describe(index))
	}
	return err
}

// name checks that a device's unique name leads to it.
func (c *checker) name(key []byte, table byte, name string, id storage.DeviceID) error {
	if name == "" {
		return nil
	}
	owner, err := c.get(appendNameKey(nil, table, name))
	if err == nil && string(owner) != string(id) {
		c.problem("%s: the index gives its name %q to %q", describe(key), name, owner)
	}
	return err
}

// leads checks that an index entry leads to a record that agrees with it.
func (c *checker) leads(index, key []byte, r msgp.Unmarshaler, agrees func() bool) error {
	value, err := c.get(key)
	switch {
	case err != nil:
		return err
	case value == nil:
		c.problem("%s leads nowhere", describe(index))
	case read(key, value, r) != nil:
		// The record's own row reports it.
	case !agrees():
		c.problem("%s: the record does not agree", describe(index))
	}
	return nil
}

// pushEntry checks that an index entry, which ends in ref, is one of those that its push makes.
func (c *checker) pushEntry(key, ref []byte, own func(*storage.PushJob) [][]byte) error {
	to, ok := cutPushRef(ref)
	if !ok {
		return c.unknown(key)
	}
	p := storage.PushJob{}
	return c.leads(key, appendNumberedKey(nil, tablePush, to.device, to.id), &p, func() bool {
		return containsKey(own(&p), key)
	})
}

// targetEntry checks that an index entry of a target is one that its record makes.
func (c *checker) targetEntry(key, value []byte) error {
	campaign, rest, ok := cutText(key[1:])
	number := value // of an entry by MSISDN
	if ok && key[0] == tableTargetIn {
		if _, rest, ok = cutText(rest); ok {
			number = rest[min(lenTime, len(rest)):]
		}
	}
	if !ok || len(number) != lenUint {
		return c.unknown(key)
	}
	t := storage.Target{}
	return c.leads(key, appendTargetKey(nil, campaign, binary.BigEndian.Uint64(number)), &t, func() bool {
		return bytes.Equal(key, targetInKey(&t)) || bytes.Equal(key, targetNameKey(&t))
	})
}

// String lists what was counted and what is wrong.
func (r *Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d devices, %d accounts, %d orders, %d tasks, %d results, %d pushes, %d checkpoints, %d nodes, "+
		"%d jobs, %d campaigns, %d targets, %d feed entries", r.Devices, r.Accounts, r.Orders, r.Tasks, r.Results, r.Pushes,
		r.Checkpoints, r.Nodes, r.Jobs, r.Campaigns, r.Targets, r.Feed)
	for _, p := range r.Problems {
		b.WriteString("\n" + p)
	}
	if r.More > 0 {
		fmt.Fprintf(&b, "\nand %d more", r.More)
	}
	return b.String()
}
