package storagetest

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"time"

	"dmgate/storage"
)

// model is the Store interface said in maps: what every engine has to be indistinguishable from, durability aside. It
// is for one goroutine.
type model struct {
	devices     map[storage.DeviceID]storage.Device
	accounts    map[storage.DeviceID]storage.Account
	checkpoints map[storage.DeviceID]storage.Checkpoint
	orders      map[row[string]]storage.Order
	tasks       map[row[uint64]]storage.Task
	pushes      map[row[uint64]]storage.PushJob
	results     []storage.Results
	feed        []storage.FeedEntry
	campaigns   map[string]storage.Campaign
	targets     map[targetRow]storage.Target
	documents   map[string]string
	nodes       map[row[string]]storage.Node
	jobs        map[row[string]]storage.Job
}

// row names a record of a device.
type row[K comparable] struct {
	device storage.DeviceID
	key    K
}

func newModel() *model {
	return &model{
		devices:     map[storage.DeviceID]storage.Device{},
		accounts:    map[storage.DeviceID]storage.Account{},
		checkpoints: map[storage.DeviceID]storage.Checkpoint{},
		orders:      map[row[string]]storage.Order{},
		tasks:       map[row[uint64]]storage.Task{},
		pushes:      map[row[uint64]]storage.PushJob{},
		campaigns:   map[string]storage.Campaign{},
		targets:     map[targetRow]storage.Target{},
		documents:   map[string]string{},
		nodes:       map[row[string]]storage.Node{},
		jobs:        map[row[string]]storage.Job{},
	}
}

// commit does what c says, or returns all that is wrong with it: which of several errors an engine reports is open.
func (m *model) commit(c *storage.Commit) error {
	var errs []error
	was, found := m.devices[c.Device]
	is := was
	if c.New != nil {
		if found {
			errs = append(errs, storage.ErrExists)
		}
		is = *c.New
	}
	if c.Edit != nil {
		is.Facts = maps.Clone(is.Facts)
		if is.Facts == nil {
			is.Facts = map[string]string{}
		}
		if !found && c.New == nil {
			errs = append(errs, storage.ErrNotFound)
		} else if err := c.Edit(&is); err != nil {
			errs = append(errs, err)
		}
	}
	pushes, news, err := m.edited(c)
	if err != nil {
		errs = append(errs, err)
	}
	jobs, jobNews, err := m.editedJobs(c)
	if err != nil {
		errs = append(errs, err)
	}
	for id, other := range m.devices {
		if id != c.Device &&
			(is.MSISDN != "" && other.MSISDN == is.MSISDN || is.DevID != "" && other.DevID == is.DevID) {
			errs = append(errs, storage.ErrExists)
		}
	}
	var ended []storage.Order
	for i, end := range c.Ends {
		if slices.ContainsFunc(c.Ends[:i], func(e storage.OrderEnd) bool { return e.ID == end.ID }) {
			continue
		}
		o, found := m.orders[row[string]{c.Device, end.ID}]
		if !found {
			errs = append(errs, storage.ErrNotFound)
		}
		if o.State == storage.OrderOpen {
			o.State, o.Ended, o.Reason = end.State, c.Time, end.Reason
			ended = append(ended, o)
		}
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}

	for _, e := range news {
		m.happen(c, e)
	}
	if c.New != nil || c.Edit != nil {
		m.devices[c.Device] = is
		if was.State != is.State {
			m.happen(c, storage.FeedEntry{
				Kind: "state", Order: is.Order, From: was.State, To: is.State, Text: cmp.Or(is.Reason, is.Wait.String()),
			})
		}
	}
	for _, e := range jobNews {
		m.happen(c, e)
	}
	for _, o := range ended {
		m.happen(c, storage.FeedEntry{Kind: "order", Order: o.ID, Status: string(o.State), Text: o.Reason})
	}
	for _, e := range c.Feed {
		m.happen(c, e)
	}
	if c.Account != nil {
		m.accounts[c.Device] = *c.Account
	}
	if c.Checkpoint != nil {
		m.checkpoints[c.Device] = *c.Checkpoint
	}
	for _, o := range slices.Concat(c.Orders, ended) {
		m.orders[row[string]{c.Device, o.ID}] = o
	}
	for _, t := range c.Tasks {
		m.tasks[row[uint64]{c.Device, t.ID}] = t
	}
	maps.Copy(m.pushes, pushes)
	maps.Copy(m.jobs, jobs)
	for _, n := range c.Nodes {
		m.nodes[row[string]{c.Device, n.URI}] = n
	}
	m.results = append(m.results, slices.Clone(c.Results)...)
	return nil
}

// edited are the pushes of c with its edits carried out, and what the feed says of them.
func (m *model) edited(c *storage.Commit) (map[row[uint64]]storage.PushJob, []storage.FeedEntry, error) {
	pushes := map[row[uint64]]storage.PushJob{}
	var news []storage.FeedEntry
	put := func(p storage.PushJob) {
		key := row[uint64]{c.Device, p.ID}
		was, found := pushes[key]
		if !found {
			was = m.pushes[key]
		}
		if e, ok := storage.PushNews(&was, &p); ok {
			news = append(news, e)
		}
		pushes[key] = p
	}
	for _, p := range c.Pushes {
		put(p)
	}
	for _, e := range c.PushEdits {
		key := row[uint64]{c.Device, e.ID}
		p, found := pushes[key]
		if !found {
			if p, found = m.pushes[key]; !found {
				return nil, nil, storage.ErrNotFound
			}
		}
		p.Segments = slices.Clone(p.Segments)
		if err := e.Edit(&p); err != nil {
			return nil, nil, err
		}
		put(p)
	}
	return pushes, news, nil
}

func (m *model) happen(c *storage.Commit, e storage.FeedEntry) {
	e.Offset, e.Time, e.Device = uint64(len(m.feed)+1), c.Time, c.Device
	m.feed = append(m.feed, e)
}

// pick returns the values of a map that are wanted, in order, at most limit.
func pick[K comparable, V any](all map[K]V, limit int, wanted func(V) bool, order func(a, b V) int) []V {
	return pickList(slices.SortedFunc(maps.Values(all), order), limit, wanted)
}

func pickList[V any](all []V, limit int, wanted func(V) bool) (list []V) {
	for _, v := range all {
		if len(list) < limit && wanted(v) {
			list = append(list, v)
		}
	}
	return list
}

// find returns a value of a map as a lookup of the Store does.
func find[K comparable, V any](all map[K]V, key K) (*V, error) {
	v, found := all[key]
	if !found {
		return nil, storage.ErrNotFound
	}
	return &v, nil
}

func (m *model) findDevice(by storage.Index, value string) (storage.DeviceID, error) {
	for id, d := range m.devices {
		if value != "" && (by == storage.ByMSISDN && d.MSISDN == value || by == storage.ByDevID && d.DevID == value) {
			return id, nil
		}
	}
	return "", storage.ErrNotFound
}

func (m *model) devicesAfter(after storage.DeviceID, limit int) []storage.Device {
	return pick(m.devices, limit, func(d storage.Device) bool { return d.ID > after },
		func(a, b storage.Device) int { return cmp.Compare(a.ID, b.ID) })
}

func (m *model) devicesDue(now time.Time, limit int) []storage.DeviceID {
	list := pick(m.devices, limit, func(d storage.Device) bool { return d.Wait.For != "" && !d.Wait.Until.After(now) },
		func(a, b storage.Device) int {
			return cmp.Or(a.Wait.Until.Compare(b.Wait.Until), cmp.Compare(a.ID, b.ID))
		})
	return each(list, deviceID)
}

func (m *model) ordersOf(dev storage.DeviceID) []storage.Order {
	return pick(m.orders, len(m.orders), func(o storage.Order) bool { return o.Device == dev },
		func(a, b storage.Order) int { return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID)) })
}

func (m *model) openTasks(dev storage.DeviceID, after uint64, limit int) []storage.Task {
	return pick(m.tasks, limit, func(t storage.Task) bool {
		return t.Device == dev && t.ID > after && t.Open()
	}, func(a, b storage.Task) int { return cmp.Compare(a.ID, b.ID) })
}

// resultsOf returns whole tasks: as many as it takes to reach limit.
func (m *model) resultsOf(dev storage.DeviceID, after uint64, limit int) (list []storage.Results) {
	all := pickList(m.results, len(m.results), func(r storage.Results) bool { return r.Device == dev && r.Task > after })
	slices.SortStableFunc(all, func(a, b storage.Results) int { return cmp.Compare(a.Task, b.Task) })
	for i, r := range all {
		if i >= limit && (i == 0 || r.Task != all[i-1].Task) {
			break
		}
		list = append(list, r)
	}
	return list
}

func byPushID(a, b storage.PushJob) int { return cmp.Compare(a.ID, b.ID) }

func (m *model) pushesOf(dev storage.DeviceID) []storage.PushJob {
	return pick(m.pushes, len(m.pushes), func(p storage.PushJob) bool { return p.Device == dev }, byPushID)
}

func flowOf(p storage.PushJob) storage.Flow { return storage.Flow{Priority: p.Priority, Name: p.Flow} }

func byFlow(a, b storage.Flow) int {
	return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(a.Name, b.Name))
}

func (m *model) pushFlows(now time.Time, from storage.Flow, limit int) []storage.Flow {
	flows := map[storage.Flow]storage.Flow{}
	for _, p := range m.pushes {
		if p.State == storage.PushQueued && !p.NotBefore.After(now) {
			flows[flowOf(p)] = flowOf(p)
		}
	}
	return pick(flows, limit, func(f storage.Flow) bool { return byFlow(f, from) >= 0 }, byFlow)
}

func (m *model) pushesDue(flow storage.Flow, now time.Time, limit int) []storage.PushJob {
	return pick(m.pushes, limit, func(p storage.PushJob) bool {
		return p.State == storage.PushQueued && flowOf(p) == flow && !p.NotBefore.After(now)
	}, func(a, b storage.PushJob) int { return cmp.Or(a.NotBefore.Compare(b.NotBefore), byPushID(a, b)) })
}

func (m *model) pushesOverdue(now time.Time, limit int) []storage.PushJob {
	until := func(p storage.PushJob) time.Time {
		if p.State == storage.PushSending {
			return time.Time{}
		}
		return p.Until
	}
	return pick(m.pushes, limit, func(p storage.PushJob) bool {
		return p.State == storage.PushSending || p.Awaits() && !p.Until.After(now)
	}, func(a, b storage.PushJob) int { return cmp.Or(until(a).Compare(until(b)), byPushID(a, b)) })
}

func (m *model) pushesAwaiting(modem, number string, reference uint8) []storage.PushJob {
	has := func(p storage.PushJob, is func(s *storage.Segment) bool) bool {
		for i := range p.Segments {
			if is(&p.Segments[i]) {
				return true
			}
		}
		return false
	}
	same := func(p storage.PushJob) bool {
		return p.Awaits() && p.Modem == modem && storage.SameNumber(p.MSISDN, number)
	}
	known := pick(m.pushes, len(m.pushes), func(p storage.PushJob) bool {
		return same(p) && has(p, func(s *storage.Segment) bool { return s.Sent && !s.Reported && s.Reference == reference })
	}, func(a, b storage.PushJob) int { return byPushID(b, a) })
	unknown := pick(m.pushes, len(m.pushes), func(p storage.PushJob) bool {
		return same(p) && has(p, p.AwaitsUnknown) &&
			!slices.ContainsFunc(known, func(k storage.PushJob) bool { return k.ID == p.ID })
	}, byPushID)
	return append(known, unknown...)
}

func (m *model) feedAfter(after uint64, limit int) []storage.FeedEntry {
	return pickList(m.feed, limit, func(e storage.FeedEntry) bool { return e.Offset > after })
}

func (m *model) timeline(dev storage.DeviceID, after uint64, limit int) []storage.FeedEntry {
	return pickList(m.feed, limit, func(e storage.FeedEntry) bool { return e.Device == dev && e.Offset > after })
}

// errRefused stands for an error of the engine's own making.
var errRefused = errors.New("refused")

// sameError says whether an engine's error is among the model's, or none where that has none.
func sameError(got, want error) bool {
	if got == nil || want == nil {
		return got == nil && want == nil
	}
	if errors.Is(want, errRefused) {
		return true
	}
	for _, err := range []error{storage.ErrNotFound, storage.ErrExists, errAbandoned} {
		if errors.Is(got, err) && errors.Is(want, err) {
			return true
		}
	}
	return false
}
