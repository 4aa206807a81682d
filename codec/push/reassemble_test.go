package push

import (
	"fmt"
	"testing"
)

// A conversation with a Reassembler: what comes, and what it says. Segments are written from/ref/seq-of-total=text.
func TestReassemble(t *testing.T) {
	type step struct {
		from       string
		ref        uint16
		seq, total uint8
		dst        uint16
		text       string
		want       string
	}
	for _, v := range []struct {
		name  string
		steps []step
	}{
		{"in order", []step{
			{"a", 1, 1, 2, 2948, "x", "pending 1"},
			{"a", 1, 2, 2, 2948, "y", "done xy"},
		}},
		{"in reverse", []step{
			{"a", 1, 3, 3, 2948, "z", "pending 1"},
			{"a", 1, 2, 3, 2948, "y", "pending 1"},
			{"a", 1, 1, 3, 2948, "x", "done xyz"},
		}},
		{"one SMS, cut into one", []step{{"a", 1, 1, 1, 2948, "x", "done x"}}},
		{"one SMS, not cut", []step{{"a", 1, 0, 0, 2948, "x", "done x"}}},
		{"a segment of no text", []step{
			{"a", 1, 1, 2, 2948, "", "pending 1"},
			{"a", 1, 1, 2, 2948, "", "pending 1"},
			{"a", 1, 2, 2, 2948, "y", "done y"},
		}},
		{"two senders, the same reference", []step{
			{"a", 1, 1, 2, 2948, "x", "pending 1"},
			{"b", 1, 1, 2, 2948, "u", "pending 2"},
			{"b", 1, 2, 2, 2948, "v", "done uv"},
			{"a", 1, 2, 2, 2948, "y", "done xy"},
		}},
		{"one sender, two references", []step{
			{"a", 1, 1, 2, 2948, "x", "pending 1"},
			{"a", 2, 1, 2, 2948, "u", "pending 2"},
			{"a", 1, 2, 2, 2948, "y", "done xy"},
			{"a", 2, 2, 2, 2948, "v", "done uv"},
		}},
		{"a duplicate", []step{
			{"a", 1, 1, 2, 2948, "x", "pending 1"},
			{"a", 1, 1, 2, 2948, "x", "pending 1"},
			{"a", 1, 2, 2, 2948, "y", "done xy"},
		}},
		{"a duplicate after the end, and the whole once more", []step{
			{"a", 1, 1, 2, 2948, "x", "pending 1"},
			{"a", 1, 2, 2, 2948, "y", "done xy"},
			{"a", 1, 2, 2, 2948, "y", "pending 1"},
			{"a", 1, 1, 2, 2948, "x", "done xy"},
		}},
		{"another text in the same place", []step{
			{"a", 1, 1, 3, 2948, "x", "pending 1"},
			{"a", 1, 1, 3, 2948, "u", "tpdu: offset 0: segment 1 of message 1 came twice and differs"},
			{"a", 1, 1, 3, 2948, "u", "pending 1"},
			{"a", 1, 2, 3, 2948, "v", "pending 1"},
			{"a", 1, 3, 3, 2948, "w", "done uvw"},
		}},
		{"another number of segments", []step{
			{"a", 1, 1, 3, 2948, "x", "pending 1"},
			{"a", 1, 5, 5, 2948, "u", "tpdu: offset 0: message 1 has 5 segments here and 3 before"},
			{"a", 1, 1, 2, 2948, "u", "pending 1"},
			{"a", 1, 2, 2, 2948, "v", "done uv"},
		}},
		{"other ports", []step{
			{"a", 1, 1, 2, 2948, "x", "pending 1"},
			{"a", 1, 2, 2, 2949, "y", "tpdu: offset 0: segment 2 of message 1 has other ports"},
		}},
		{"the oldest makes room", []step{
			{"a", 1, 1, 2, 2948, "x", "pending 1"},
			{"a", 2, 1, 2, 2948, "u", "pending 2"},
			{"a", 3, 1, 2, 2948, "k", "pending 2"},
			{"a", 2, 2, 2, 2948, "v", "done uv"},
			{"a", 1, 2, 2, 2948, "y", "pending 2"},
		}},
		{"the oldest makes room for bytes", []step{
			{"a", 1, 1, 2, 2948, "12345678", "pending 1"},
			{"a", 2, 1, 2, 2948, "12345678", "pending 1"},
			{"a", 2, 2, 2, 2948, "12345678", "done 1234567812345678"},
		}},
	} {
		t.Run(v.name, func(t *testing.T) {
			r := Reassembler{MaxMessages: 2, MaxBytes: 10}
			for i, s := range v.steps {
				h := UDH{Ports: Ports{Dst: s.dst}, HasPorts: true, Ref: s.ref, Seq: s.seq, Total: s.total}
				pdu, ports, done, err := r.Add(s.from, append(h.Append(nil), s.text...))
				got := fmt.Sprintf("pending %d", r.Pending())
				switch {
				case err != nil:
					got = err.Error()
				case done:
					got = "done " + string(pdu)
					if ports.Dst != s.dst {
						t.Errorf("step %d: ports %v", i+1, ports)
					}
				}
				if got != s.want {
					t.Errorf("step %d: got %q, want %q", i+1, got, s.want)
				}
			}
		})
	}
}

// Whatever comes, what is held stays within bounds: here a flood of first segments.
func TestReassemblerIsBounded(t *testing.T) {
	var r Reassembler
	for i := range 10000 {
		h := UDH{Ref: uint16(i), Wide: true, Seq: 1, Total: 255}
		if _, _, done, err := r.Add("a", append(h.Append(nil), make([]byte, 100)...)); done || err != nil {
			t.Fatal(done, err)
		}
	}
	if r.Pending() != 64 || r.bytes != 6400 || len(r.order) != 64 {
		t.Errorf("%d messages, %d bytes, %d in order", r.Pending(), r.bytes, len(r.order))
	}
}

// A segment is copied: the caller's buffer may be used again.
func TestReassemblerCopies(t *testing.T) {
	var r Reassembler
	buf := make([]byte, 0, 20)
	var pdu []byte
	for i, text := range []string{"x", "y"} {
		h := UDH{Seq: uint8(i + 1), Total: 2}
		pdu, _, _, _ = r.Add("", append(h.Append(buf), text...))
	}
	if string(pdu) != "xy" {
		t.Errorf("got %q", pdu)
	}
}

// User data whose header is none is an error, and changes nothing.
func TestReassembleBadHeader(t *testing.T) {
	var r Reassembler
	_, _, done, err := r.Add("a", []byte{5, 0, 3})
	if done || r.Pending() != 0 {
		t.Error(done, r.Pending())
	}
	expect(t, err, "tpdu: offset 0: user data header of 5 bytes, only 2 left")
}
