package files

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"dmgate/codec/byterange"
	"dmgate/storage"
)

// download is what this process knows of how far the download of a ticket has come: the parts that were sent, over all
// requests. It is kept in memory alone, so that a request for a part costs no commit. A process that has been started
// since takes a client by its word that goes on where it left off.
type download struct {
	ticket string
	size   int64

	mu     sync.Mutex // guards what follows
	active int        // requests under way
	parts  coverage
	fresh  bool  // no request has told yet where it goes on
	asked  int   // requests that the ticket's record does not have
	sent   int64 // bytes, the same
	idle   time.Time
}

// Bounds of what one ticket, and all together, may take.
const (
	atOnce       = 4         // requests of one ticket under way: clients that fetch in parts open two or three
	sentFactor   = 4         // bytes of a ticket: so many times the file for each of its uses
	sentAtLeast  = 256 << 10 // however small the file is
	maxDownloads = 1 << 16   // in memory
	forgetAfter  = time.Hour
)

// errBusy puts a request off.
var errBusy = errors.New("files: too many downloads at once")

// downloads are those in memory.
type downloads struct {
	limit int // requests under way

	mu       sync.Mutex
	active   int
	byTicket map[string]*download
}

func (ds *downloads) init(limit int) {
	ds.limit, ds.byTicket = limit, make(map[string]*download)
}

// begin takes a request on. errBusy puts it off; another error is why its ticket is to be closed.
func (ds *downloads) begin(t *storage.Ticket, now time.Time) (*download, error) {
	ds.mu.Lock()
	defer ds.mu.Unlock()
	if ds.active >= ds.limit {
		return nil, errBusy
	}
	d := ds.byTicket[t.ID]
	if d == nil {
		if ds.makeRoom(now); len(ds.byTicket) >= maxDownloads {
			return nil, errBusy
		}
		d = &download{ticket: t.ID, size: t.File.Size, fresh: true}
		ds.byTicket[t.ID] = d
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.active >= atOnce {
		return nil, errBusy
	}
	if n := t.Asked + d.asked; n >= t.Requests {
		return nil, fmt.Errorf("%d requests, at most %d", n+1, t.Requests)
	}
	if n, most := t.Sent+d.sent, max(sentAtLeast, sentFactor*int64(t.Uses)*t.File.Size); n >= most {
		return nil, fmt.Errorf("%d bytes sent for a file of %d", n, t.File.Size)
	}
	d.asked++
	d.active++
	ds.active++
	return d, nil
}

// makeRoom forgets downloads of which nothing was heard for long, where there are as many as may be.
func (ds *downloads) makeRoom(now time.Time) {
	if len(ds.byTicket) < maxDownloads {
		return
	}
	for id, d := range ds.byTicket {
		d.mu.Lock()
		if d.active == 0 && now.Sub(d.idle) >= forgetAfter {
			delete(ds.byTicket, id)
		}
		d.mu.Unlock()
	}
}

// underWay is how many requests are.
func (ds *downloads) underWay() int {
	ds.mu.Lock()
	defer ds.mu.Unlock()
	return ds.active
}

// end lets a request go.
func (ds *downloads) end(d *download, now time.Time) {
	ds.mu.Lock()
	defer ds.mu.Unlock()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.active--
	d.idle = now
	ds.active--
}

// resume takes the first request of a ticket that was opened before this process was started by its word: what lies
// before the part it asks for, it has.
func (d *download) resume(t *storage.Ticket, s byterange.Span) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fresh && !t.Opened.IsZero() {
		d.parts.add(byterange.Span{To: s.From})
	}
	d.fresh = false
}

// add counts bytes as sent, and says whether all of the file is with that: then the next download begins. asked and
// sent are what was not counted yet.
func (d *download) add(s byterange.Span) (whole bool, asked int, sent int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.parts.add(s)
	d.sent += s.Size()
	if !d.parts.whole(d.size) {
		return false, 0, 0
	}
	asked, sent = d.asked, d.sent
	d.parts, d.asked, d.sent = nil, 0, 0
	return true, asked, sent
}

// restore takes back that all of the file was sent, where that could not be recorded: whatever is sent next makes it
// whole again.
func (d *download) restore(asked int, sent int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.parts = coverage{{To: d.size}}
	d.asked += asked
	d.sent += sent
}
