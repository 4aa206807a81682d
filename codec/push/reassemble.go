package push

// And put together again.

import "dmgate/codec"

// Reassembler puts segments back together. The zero value is ready and its bounds have defaults.
//
// Segments come in any order. One that comes twice while its message is incomplete changes nothing; afterwards it
// begins a message that will never be complete, and goes when room is needed. It is not safe for concurrent use.
type Reassembler struct {
	MaxMessages int // incomplete at a time; 64. The one that was begun first makes room
	MaxBytes    int // held for incomplete messages; 256 KiB. The same holds

	pending map[segmentKey]*partial
	order   []segmentKey // as begun
	bytes   int
}

type segmentKey struct {
	from string
	ref  uint16
	wide bool
}

// partial is a message some of whose segments are there.
type partial struct {
	ports    Ports
	hasPorts bool
	segments [][]byte // by Seq-1; nil where missing
	missing  int
	bytes    int
}

// Add takes the user data of an SMS from a number. When that completes a message, done is true and pdu is what Split
// was given; pdu of a message in one segment is a view into ud. A segment at odds with those before it is an error,
// and the message they both claim to be of is forgotten, since there is no telling which is wrong.
func (r *Reassembler) Add(from string, ud []byte) (pdu []byte, ports Ports, done bool, err error) {
	h, body, err := ReadUDH(ud)
	if err != nil {
		return nil, Ports{}, false, err
	}
	if h.Total <= 1 {
		return body, h.Ports, true, nil
	}
	key := segmentKey{from, h.Ref, h.Wide}
	p := r.pending[key]
	if p == nil {
		p = r.begin(key, &h)
	}
	held := p.segments[min(int(h.Seq), len(p.segments))-1]
	switch {
	case len(p.segments) != int(h.Total):
		r.forget(key)
		return nil, Ports{}, false, codec.Errorf("tpdu", 0, "message %d has %d segments here and %d before", h.Ref,
			h.Total,
			len(p.segments))
	case p.ports != h.Ports || p.hasPorts != h.HasPorts:
		r.forget(key)
		return nil, Ports{}, false, codec.Errorf("tpdu", 0, "segment %d of message %d has other ports", h.Seq, h.Ref)
	case held != nil && string(held) != string(body):
		r.forget(key)
		return nil, Ports{}, false, codec.Errorf("tpdu", 0, "segment %d of message %d came twice and differs", h.Seq,
			h.Ref)
	case held != nil:
		return nil, Ports{}, false, nil
	}
	r.store(key, p, int(h.Seq)-1, body)
	if p.missing > 0 {
		return nil, Ports{}, false, nil
	}
	for _, s := range p.segments {
		pdu = append(pdu, s...)
	}
	r.forget(key)
	return pdu, p.ports, true, nil
}

// Pending is the number of messages that are incomplete.
func (r *Reassembler) Pending() int { return len(r.pending) }

func (r *Reassembler) begin(key segmentKey, h *UDH) *partial {
	if r.pending == nil {
		r.pending = make(map[segmentKey]*partial)
	}
	bound := r.MaxMessages
	if bound <= 0 {
		bound = 64
	}
	for len(r.order) >= bound {
		r.forget(r.order[0])
	}
	p := &partial{ports: h.Ports, hasPorts: h.HasPorts, segments: make([][]byte, h.Total), missing: int(h.Total)}
	r.pending[key] = p
	r.order = append(r.order, key)
	return p
}

// store keeps a copy of a segment. Messages begun earlier make room for it, never the one it belongs to, which Total
// bounds by itself.
func (r *Reassembler) store(key segmentKey, p *partial, i int, body []byte) {
	bound := r.MaxBytes
	if bound <= 0 {
		bound = 256 << 10
	}
	for r.bytes+len(body) > bound && r.order[0] != key {
		r.forget(r.order[0])
	}
	p.segments[i] = append(make([]byte, 0, len(body)), body...)
	p.missing--
	p.bytes += len(body)
	r.bytes += len(body)
}

func (r *Reassembler) forget(key segmentKey) {
	r.bytes -= r.pending[key].bytes
	delete(r.pending, key)
	for i, k := range r.order {
		if k == key {
			r.order = append(r.order[:i], r.order[i+1:]...)
			return
		}
	}
}
