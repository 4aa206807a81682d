package sessions

import "time"

// A wheel has a bucket for each second ahead, up to span. What is due later waits in the last one, and is filed again
// when that comes by.
const (
	tick = int64(time.Second)
	span = 256 // a power of two
)

// wheel finds the slots that are due without a timer for each and without a look at the others. All it does takes the
// same time whatever it holds.
//
// A slot that is used again stays in its bucket: its time has only moved on, and it is filed anew when the bucket comes
// by. So a step costs the wheel nothing, and a busy session one look each time Keep is over. Two lists in the order of
// last use would serve Keep and Idle as well; sessions come to the end of their Lifetime in another order.
type wheel struct {
	buckets [span]*Slot
	at      int64 // the tick of the last turn; never 0
}

// file puts s where it is found at due, unless it is where it is found before.
func (w *wheel) file(s *Slot, due int64) {
	to := min(max(due/tick, w.at), w.at+span-1)
	if s.tick != 0 {
		if s.tick <= to {
			return
		}
		w.unlink(s)
	}
	b := &w.buckets[to&(span-1)]
	s.tick, s.next, s.prev = to, *b, nil
	if s.next != nil {
		s.next.prev = s
	}
	*b = s
}

func (w *wheel) unlink(s *Slot) {
	switch {
	case s.tick == 0:
		return
	case s.prev != nil:
		s.prev.next = s.next
	default:
		w.buckets[s.tick&(span-1)] = s.next
	}
	if s.next != nil {
		s.next.prev = s.prev
	}
	s.tick, s.next, s.prev = 0, nil, nil
}

// turn takes out the slots that may be due at a time and shows each to look, which may file it again at once: also into
// the bucket of that very second, which the next turn looks through once more.
func (w *wheel) turn(now int64, look func(*Slot)) {
	to := now / tick
	from := max(w.at, to-span+1)
	w.at = max(w.at, to)
	for k := from; k <= to; k++ {
		s := w.buckets[k&(span-1)]
		w.buckets[k&(span-1)] = nil
		for s != nil {
			next := s.next
			s.tick, s.next, s.prev = 0, nil, nil
			look(s)
			s = next
		}
	}
}
