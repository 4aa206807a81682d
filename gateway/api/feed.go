package api

import (
	"time"

	"dmgate/storage"
)

// FeedEntry is something that happened, as the API shows it.
type FeedEntry struct {
	Offset   uint64           `json:"offset"`
	Time     time.Time        `json:"time"`
	Device   storage.DeviceID `json:"device,omitempty"`
	Kind     string           `json:"kind"`
	Order    string           `json:"order,omitempty"`
	Campaign string           `json:"campaign,omitempty"`
	Recipe   string           `json:"recipe,omitempty"` // of an outcome: what was tried
	Status   string           `json:"status,omitempty"` // the state that was entered; of an outcome what came of it
	From     storage.State    `json:"from,omitempty"`
	To       storage.State    `json:"to,omitempty"`
	Count    int              `json:"count,omitempty"`
	Text     string           `json:"text,omitempty"`
}

type feedPage struct {
	Entries []FeedEntry `json:"entries"`
	Next    uint64      `json:"next"` // the ?from of the next read
	Head    uint64      `json:"head"` // offset of the last entry there is
}

// maxWait is the longest that a read may wait for something to happen, in seconds.
const maxWait = 60

// getFeed lists entries from an offset on. With ?wait=SECONDS it waits for the first where there is none yet.
func (a *API) getFeed(r *request) (any, error) {
	from, err := r.number("from", 1, 0, 1<<62)
	if err != nil {
		return nil, err
	}
	limit, err := r.limit()
	if err != nil {
		return nil, err
	}
	wait, err := r.number("wait", 0, 0, maxWait)
	if err != nil {
		return nil, err
	}
	from = max(from, 1)
	timeout := time.After(time.Duration(wait) * time.Second)
	for {
		grown := a.store.Grown()
		entries, err := a.store.Feed(from-1, limit)
		if err != nil {
			return nil, err
		}
		if len(entries) == 0 && wait > 0 {
			select {
			case <-grown:
				continue
			case <-timeout:
			case <-a.done:
			}
		}
		return feedPage{Entries: ShowFeed(entries), Next: from + uint64(len(entries)), Head: a.store.Head()}, nil
	}
}

// ShowFeed is entries as the API shows them.
func ShowFeed(entries []storage.FeedEntry) []FeedEntry {
	out := make([]FeedEntry, len(entries))
	for i, e := range entries {
		out[i] = FeedEntry(e)
	}
	return out
}

// Overview is the state of the whole, as the page and the API show it.
type Overview struct {
	Offset  uint64                `json:"offset"`
	Devices int                   `json:"devices"`
	States  map[storage.State]int `json:"states"`
	Order   []storage.State       `json:"order"` // of the states, along the way
	Modems  []Modem               `json:"modems"`
}

func (a *API) getOverview(*request) (any, error) { return a.Overview(), nil }

// Overview is the state of the whole as it stands now.
func (a *API) Overview() Overview {
	o := a.fleet.Overview()
	return Overview{Offset: o.Offset, Devices: o.Devices, States: o.States, Order: storage.States, Modems: a.showModems()}
}
