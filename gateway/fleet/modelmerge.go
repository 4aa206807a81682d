package fleet

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"time"

	"dmgate/storage"
)

// mergeModels adds what src says to dst, a record of the same model, and says where the two do not agree. own is the
// name under which this gateway counts.
//
// Merging is idempotent, and the order in which records are merged makes no difference, but for the device of the
// reference, which is not told to others, and for what is said of conflicts: of two counts of one gateway the later one
// holds, and so does the later one of two references. Of more than maxOrigins other gateways those that have counted
// last are kept.
func mergeModels(dst, src *storage.Model, own string) (conflicts []string) {
	dst.Created = earlier(dst.Created, src.Created)
	if src.Changed.After(dst.Changed) {
		dst.Changed = src.Changed
	}
	for _, met := range src.Models {
		addModel(dst, met)
	}
	if why := mergeReference(&dst.Reference, &src.Reference); why != "" {
		conflicts = append(conflicts, why)
	}
	for i := range src.Learnt {
		l := learntBy(dst, src.Learnt[i].Origin)
		if laterLearnt(&src.Learnt[i], l) {
			*l = src.Learnt[i]
		}
	}
	if gone := boundOrigins(dst, own); gone > 0 {
		conflicts = append(conflicts, fmt.Sprintf("counts of %d gateways are left out: %d others are kept", gone, maxOrigins))
	}
	return conflicts
}

// earlier is the earlier of two times, of which a zero one is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// mergeReference takes the later of two references, and says that they differ where they do.
func mergeReference(dst, src *storage.ModelReference) (conflict string) {
	if src.Time.IsZero() {
		return ""
	}
	if dst.Time.IsZero() {
		*dst = *src
		return ""
	}
	a, b := told(dst), told(src)
	if bytes.Equal(a, b) {
		return ""
	}
	was := dst.Time
	if cmp.Or(src.Time.Compare(dst.Time), bytes.Compare(b, a)) > 0 {
		*dst = *src
	}
	return fmt.Sprintf("references of %s and %s differ: that of %s is kept",
		was.UTC().Format(time.RFC3339), src.Time.UTC().Format(time.RFC3339), dst.Time.UTC().Format(time.RFC3339))
}

// told is what others are told of a reference, as bytes that are the same for the same.
func told(r *storage.ModelReference) []byte {
	other := *r
	other.Device, other.Confirmed, other.Denied = "", 0, 0
	return canonical(&storage.Model{Reference: other})
}

// canonical is m as bytes that are the same for the same: a map has no order.
func canonical(m *storage.Model) []byte {
	facts := make([]string, 0, len(m.Reference.Facts))
	for name, value := range m.Reference.Facts {
		facts = append(facts, fmt.Sprintf("%q=%q", name, value))
	}
	slices.Sort(facts)
	other := *m
	other.Reference.Facts = nil
	b, _ := storage.AppendRecord(nil, &other) // it fails for no value of the type
	return fmt.Append(b, facts)
}

// laterLearnt says whether a, of the same gateway, holds rather than b.
func laterLearnt(a, b *storage.Learnt) bool {
	if c := a.Changed.Compare(b.Changed); c != 0 {
		return c > 0
	}
	x, _ := storage.AppendRecord(nil, a)
	y, _ := storage.AppendRecord(nil, b)
	return bytes.Compare(x, y) > 0
}

// boundOrigins drops the counts of other gateways beyond maxOrigins, and puts the rest in order: the own ones, then
// those that have counted last.
func boundOrigins(m *storage.Model, own string) (gone int) {
	slices.SortFunc(m.Learnt, func(a, b storage.Learnt) int {
		switch {
		case a.Origin == b.Origin:
			return 0
		case a.Origin == own:
			return -1
		case b.Origin == own:
			return 1
		}
		return cmp.Or(b.Changed.Compare(a.Changed), cmp.Compare(a.Origin, b.Origin))
	})
	keep := maxOrigins
	if len(m.Learnt) > 0 && m.Learnt[0].Origin == own {
		keep++
	}
	gone = max(0, len(m.Learnt)-keep)
	m.Learnt = m.Learnt[:len(m.Learnt)-gone]
	return gone
}
