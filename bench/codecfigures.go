package main

import (
	"strings"

	"dmgate/codec/syncml"
)

// codecFigures adds to r the figures of all, which are named codec.MESSAGE.ENCODING.OPERATION.WHAT. What a subject is
// compared to says its name: vs_floor, vs_read and, of a tenth of the items, vs_tenth are how many times longer it
// takes, vs_encoding_xml how many times longer encoding/xml does. fresh_bytes is what is allocated where neither message
// nor buffer is reused, and copies is that next to the size of the document.
func codecFigures(r *report, all []*contest) {
	for i, k := range all {
		for _, s := range k.subjects {
			name := "codec." + k.name + "." + s.name + "."
			r.add(name+"ns", s.ns(), "ns")
			r.add(name+"spread", s.spread(), "%")
			r.add(name+"bytes", s.bytes, "B")
			r.add(name+"allocs", s.allocs, "allocs")
			for _, c := range k.comparisons(s) {
				r.add(name+c.name, c.times, "x")
			}
			if fresh, ok := k.fresh[s.name]; ok {
				r.add(name+"fresh_bytes", fresh, "B")
				if k.items == 1 {
					r.add(name+"copies", fresh/float64(k.size(s)), "x")
				}
			}
			if k.items > 1 {
				r.add(name+"ns_per_item", s.ns()/float64(k.items), "ns")
				if before := all[i-1]; before.items > 1 {
					r.add(name+"vs_tenth", s.over(before.subject(s.name)), "x")
				}
			}
		}
	}
}

// size is that of the document that s reads or writes.
func (k *contest) size(s *subject) int {
	if strings.HasPrefix(s.name, syncml.XML.String()) {
		return len(k.xml)
	}
	return len(k.wbxml)
}

// comparison is a subject next to another one.
type comparison struct {
	name  string // "vs_floor"
	times float64
}

func (k *contest) comparisons(s *subject) (cs []comparison) {
	enc, op, _ := strings.Cut(s.name, ".")
	ours := enc != "encoding_xml"
	if floor := k.subject(enc + ".floor"); floor != nil && op == "read" {
		cs = append(cs, comparison{"vs_floor", s.over(floor)})
	}
	if stdlib := k.subject("encoding_xml." + op); stdlib != nil && ours {
		cs = append(cs, comparison{"vs_encoding_xml", stdlib.over(s)})
	}
	if op == "write" && ours {
		cs = append(cs, comparison{"vs_read", s.over(k.subject(enc + ".read"))})
	}
	return cs
}
