package storagetest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"dmgate/storage"
)

// happen commits feed entries of a device.
func happen(t *testing.T, s storage.Store, id storage.DeviceID, texts ...string) {
	t.Helper()
	c := &storage.Commit{Device: id, Time: at(2)}
	for _, text := range texts {
		c.Feed = append(c.Feed, storage.FeedEntry{Kind: "session", Text: text})
	}
	commit(t, s, c)
}

func text(e storage.FeedEntry) string   { return e.Text }
func offset(e storage.FeedEntry) uint64 { return e.Offset }

func testFeed(t *testing.T, s storage.Store) {
	wantSame(t, "Head of nothing", s.Head(), uint64(0))
	wantSame(t, "Feed of nothing", len(must(s.Feed(0, 9))(t)), 0)
	happen(t, s, "a", "1", "2", "3")
	happen(t, s, "b", "4")
	happen(t, s, "a", "5", "6")
	for limit := 1; limit < 8; limit++ {
		list := pages(t, 0, limit, func(after uint64) ([]storage.FeedEntry, error) { return s.Feed(after, limit) }, offset)
		wantSame(t, "texts", each(list, text), []string{"1", "2", "3", "4", "5", "6"})
		wantSame(t, "offsets", each(list, offset), []uint64{1, 2, 3, 4, 5, 6})
	}
	wantSame(t, "entry", must(s.Feed(3, 1))(t), []storage.FeedEntry{
		{Offset: 4, Time: at(2), Device: "b", Kind: "session", Text: "4"},
	})
	wantSame(t, "Head", s.Head(), uint64(6))
	for _, after := range []uint64{6, 7, 1<<64 - 1} {
		wantSame(t, "Feed past its end", len(must(s.Feed(after, 9))(t)), 0)
		wantSame(t, "Timeline past its end", len(must(s.Timeline("a", after, 9))(t)), 0)
	}
	wantSame(t, "limit 0", len(must(s.Feed(0, 0))(t)), 0)
}

// testFeedConcurrent has many commits grow the feed while readers follow it. Readers must see every entry once, in
// order, none that Head does not cover, and the entries of one commit side by side.
func testFeedConcurrent(t *testing.T, s storage.Store) {
	const writers, rounds, each = 12, 15, 3
	const total = writers * rounds * each
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			id := storage.DeviceID(fmt.Sprintf("d%02d", w))
			for i := range rounds {
				c := &storage.Commit{Device: id}
				for k := range each {
					c.Feed = append(c.Feed, storage.FeedEntry{Kind: "session", Text: fmt.Sprintf("%s %d.%d", id, i, k)})
				}
				before := s.Head()
				if err := s.Commit(c); err != nil {
					t.Error(err)
					return
				}
				if s.Head() < before+each {
					t.Errorf("Head is %d after a commit of %d that began at %d", s.Head(), each, before)
				}
			}
		})
	}
	for range 3 {
		wg.Go(func() {
			var last uint64
			first := ""
			for last < total {
				grown := s.Grown()
				list, err := s.Feed(last, 7)
				if err != nil {
					t.Error(err)
					return
				}
				if len(list) == 0 {
					<-grown
					continue
				}
				head := s.Head()
				for _, e := range list {
					if e.Offset != last+1 || e.Offset > head {
						t.Errorf("offset %d after %d, Head %d", e.Offset, last, head)
						return
					}
					if k := last % each; k == 0 {
						first = e.Text[:len(e.Text)-1]
					} else if want := first + fmt.Sprint(k); e.Text != want {
						t.Errorf("entry %d is %q, want %q", e.Offset, e.Text, want)
					}
					last = e.Offset
				}
			}
		})
	}
	wg.Wait()
	wantSame(t, "Head", s.Head(), uint64(total))
}

func testTimeline(t *testing.T, s storage.Store) {
	happen(t, s, "a", "1", "2")
	happen(t, s, "aa", "3")
	happen(t, s, "a", "4")
	happen(t, s, "b", "5")
	happen(t, s, "a", "6")
	list := pages(t, 0, 2, func(after uint64) ([]storage.FeedEntry, error) { return s.Timeline("a", after, 2) }, offset)
	wantSame(t, "texts", each(list, text), []string{"1", "2", "4", "6"})
	wantSame(t, "offsets", each(list, offset), []uint64{1, 2, 4, 6})
	wantSame(t, "entry", must(s.Timeline("b", 0, 9))(t), must(s.Feed(4, 1))(t))
	wantSame(t, "after", each(must(s.Timeline("a", 2, 9))(t), text), []string{"4", "6"})
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func testGrown(t *testing.T, s storage.Store) {
	grown := s.Grown()
	register(t, s, "a")
	if !isClosed(grown) {
		t.Error("Grown is open after the feed grew")
	}
	grown = s.Grown()
	commit(t, s, &storage.Commit{Device: "a", Checkpoint: &storage.Checkpoint{Device: "a"}})
	if isClosed(grown) {
		t.Error("Grown is closed, and the feed did not grow")
	}
	other := s.Grown()
	happen(t, s, "a", "1")
	if !isClosed(grown) || !isClosed(other) {
		t.Error("Grown is open for one of two who wait")
	}
}

// testGrownRace has one writer and readers that take the channel, look, and wait: each must get to see the end. A lost
// wake-up leaves one of them waiting.
func testGrownRace(t *testing.T, s storage.Store) {
	const total = 200
	var wg sync.WaitGroup
	var looks atomic.Int64
	for range 4 {
		wg.Go(func() {
			for {
				grown := s.Grown()
				looks.Add(1)
				if s.Head() >= total {
					return
				}
				<-grown
			}
		})
	}
	for range total {
		happen(t, s, "a", "1")
	}
	wg.Wait()
	if looks.Load() == 0 {
		t.Error("nobody looked")
	}
}
