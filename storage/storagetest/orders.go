package storagetest

import (
	"testing"
	"time"

	"dmgate/storage"
)

// testOrderEnd ends orders: one that is open, one that has ended already, and one that is not there.
func testOrderEnd(t *testing.T, s storage.Store) {
	register(t, s, "a")
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	commit(t, s, &storage.Commit{Device: "a", Time: at, Orders: []storage.Order{
		{ID: "o1", Device: "a", Kind: "bootstrap", Batch: "b", State: storage.OrderOpen, Created: at},
	}})
	end := func(at time.Time, state storage.OrderState, reason string) *storage.Order {
		commit(t, s, &storage.Commit{Device: "a", Time: at, Ends: []storage.OrderEnd{
			{ID: "o1", State: state, Reason: reason},
		}})
		return must(s.Order("a", "o1"))(t)
	}
	first := end(at.Add(time.Hour), storage.OrderFailed, "nobody answered")
	wantSame(t, "ended order", first, &storage.Order{
		ID: "o1", Device: "a", Kind: "bootstrap", Batch: "b", State: storage.OrderFailed, Created: at,
		Ended: at.Add(time.Hour), Reason: "nobody answered",
	})
	wantSame(t, "order ended twice", end(at.Add(2*time.Hour), storage.OrderDone, ""), first)
	err := s.Commit(&storage.Commit{Device: "a", Ends: []storage.OrderEnd{{ID: "o2", State: storage.OrderDone}}})
	wantError(t, "end of an unknown order", err, storage.ErrNotFound)

	commit(t, s, &storage.Commit{Device: "a", Orders: []storage.Order{{ID: "o3", Device: "a", State: storage.OrderOpen}}})
	head := s.Head()
	commit(t, s, &storage.Commit{Device: "a", Time: at, Ends: []storage.OrderEnd{
		{ID: "o3", State: storage.OrderFailed, Reason: "first"}, {ID: "o1", State: storage.OrderDone},
		{ID: "o3", State: storage.OrderDone},
	}})
	wantSame(t, "ended twice in a commit", must(s.Order("a", "o3"))(t).Reason, "first")
	wantSame(t, "feed", must(s.Feed(head, 9))(t), []storage.FeedEntry{
		{Offset: head + 1, Time: at, Device: "a", Kind: "order", Order: "o3", Status: "failed", Text: "first"},
	})
}
