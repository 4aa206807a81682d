package recipe

import "cmp"

// Wanted are the URIs whose Get would settle whether recipes that the facts do not rule out have what they need, at
// most max of them, those of the best recipes first. Some end in "?prop=Type". None is known already, whatever the
// answer was: who asks and adds the answers comes to an end, where nothing is wanted.
//
// That end is bounded: only nodes that patterns reach are asked for, and a * stands for 16 children at most.
func (s *Set) Wanted(k *Known, max int) []string {
	w := wants{most: max}
	sv := solver{known: k, wants: &w, most: maxInstances, buf: make([]byte, 0, 256)}
	for _, r := range s.recipes {
		if w.full() {
			break
		}
		if ruledOut, _ := r.ruledOut(k.facts); ruledOut {
			continue
		}
		sv.of(r)
		sv.solve(0)
	}
	return w.uris
}

// of makes s ready for the needs of r that do not depend on an order.
func (s *solver) of(r *Recipe) {
	s.needs = r.needs[:r.late]
	if s.names == nil {
		s.names = make(map[string]string, 8)
	}
	clear(s.names)
	s.proofs = resized(s.proofs, len(s.needs))
	s.tried = resized(s.tried, len(s.needs))
	s.buf, s.unknown, s.hit, s.miss, s.err = s.buf[:0], false, false, miss{}, nil
}

func resized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	s = s[:n]
	clear(s)
	return s
}

// ruledOut says whether the facts say that r is for other devices. Where they do not say it, and no row of when holds,
// missing is a fact that would decide it.
func (r *Recipe) ruledOut(facts map[string]string) (out bool, missing string) {
	for _, c := range r.unless {
		if holds, _, _ := c.holds(facts); holds {
			return true, ""
		}
	}
	if len(r.when) == 0 {
		return false, ""
	}
	out = true
	for _, c := range r.when {
		holds, known, fact := c.holds(facts)
		if holds {
			return false, ""
		}
		if !known {
			out = false
			missing = cmp.Or(missing, fact)
		}
	}
	return out, missing
}
