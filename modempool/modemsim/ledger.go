package modemsim

import (
	"cmp"
	"hash/fnv"
	"slices"
	"sync"
	"time"

	"dmgate/codec/push"
)

// Ledger holds what banks have sent: every SMS that a network took, by whom and when. The zero value is ready; it may
// serve several banks, and is safe for concurrent use.
type Ledger struct {
	mu      sync.Mutex
	entries map[key]*Entry
	total   int
}

// Entry is a segment, and every time it was accepted.
type Entry struct {
	Destination string
	Reference   uint16 // of the concatenation; 0 for an SMS that is not part of one
	Part, Total uint8  // from 1 on
	Content     uint64 // FNV-1a of the user data without its header: the same text under another reference shows
	Taken       []Taken
}

// Taken is one acceptance.
type Taken struct {
	Modem     int
	At        time.Time
	Reference uint8 // that the modem answered with
}

// key tells segments apart. Two messages may have the same reference, which is of 8 bits: they differ in content.
type key struct {
	destination string
	reference   uint16
	part, total uint8
	content     uint64
}

// record enters an SMS.
func (l *Ledger) record(modem int, s *push.Submit, mr uint8) {
	k := key{destination: s.Destination, part: 1, total: 1}
	body := s.UD
	if s.HasUDH {
		if h, rest, err := push.ReadUDH(s.UD); err == nil {
			body = rest
			if h.Seq > 0 && h.Seq <= h.Total {
				k.reference, k.part, k.total = h.Ref, h.Seq, h.Total
			}
		}
	}
	sum := fnv.New64a()
	_, _ = sum.Write(body)
	k.content = sum.Sum64()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.entries == nil {
		l.entries = make(map[key]*Entry)
	}
	e := l.entries[k]
	if e == nil {
		e = &Entry{Destination: k.destination, Reference: k.reference, Part: k.part, Total: k.total, Content: k.content}
		l.entries[k] = e
	}
	e.Taken = append(e.Taken, Taken{Modem: modem, At: time.Now(), Reference: mr})
	l.total++
}

// Accepted is the number of SMS that networks took, and that of different ones among them.
func (l *Ledger) Accepted() (all, different int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.total, len(l.entries)
}

// Entries returns everything, by destination, reference, part, and time of the first acceptance.
func (l *Ledger) Entries() []Entry {
	l.mu.Lock()
	out := make([]Entry, 0, len(l.entries))
	for _, e := range l.entries {
		c := *e
		c.Taken = slices.Clone(e.Taken)
		out = append(out, c)
	}
	l.mu.Unlock()
	slices.SortFunc(out, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.Destination, b.Destination), cmp.Compare(a.Reference, b.Reference),
			cmp.Compare(a.Part, b.Part), a.Taken[0].At.Compare(b.Taken[0].At))
	})
	return out
}

// Times is how often a part was accepted, whatever it said.
func (l *Ledger) Times(destination string, reference uint16, part uint8) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for k, e := range l.entries {
		if k.destination == destination && k.reference == reference && k.part == part {
			n += len(e.Taken)
		}
	}
	return n
}

// Repeated returns the segments that were accepted more than once.
func (l *Ledger) Repeated() []Entry {
	return slices.DeleteFunc(l.Entries(), func(e Entry) bool { return len(e.Taken) < 2 })
}

// Message is what a phone makes of segments: those of one reference to one destination.
type Message struct {
	Destination string
	Reference   uint16
	Parts       []int // how often each part was accepted
}

// Whole is how often the message can be put together: the fewest times that one of its parts was accepted.
func (m *Message) Whole() int { return slices.Min(m.Parts) }

// Messages returns the messages that at least one part of was accepted, by destination and reference.
func (l *Ledger) Messages() []Message {
	var out []Message
	for _, e := range l.Entries() {
		i := len(out) - 1
		if i < 0 || out[i].Destination != e.Destination || out[i].Reference != e.Reference || e.Total == 1 ||
			len(out[i].Parts) != int(e.Total) {
			out = append(out, Message{
				Destination: e.Destination, Reference: e.Reference, Parts: make([]int, e.Total),
			})
			i++
		}
		out[i].Parts[e.Part-1] += len(e.Taken)
	}
	return out
}
