package handset

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"time"

	"dmgate/codec/push"
	"dmgate/modempool/modemsim"
)

const (
	cmsUnassigned   = 1    // +CMS ERROR: unassigned number (section 7.2)
	validityExpired = 0x46 // TP-Status
)

// message is a short message on its way to a handset.
type message struct {
	ud      []byte
	header  bool // ud begins with a user data header
	dcs     uint8
	septets uint8 // see push.Submit
}

// segments names the message that segments are of.
type segments struct {
	handset *Handset
	ref     uint16
	total   uint8
}

var _ modemsim.Network = (*Fleet)(nil)

// Submit carries a short message to the handset it is for, and says what the network reports.
func (f *Fleet) Submit(_ int, s *push.Submit) modemsim.Fate {
	h := f.Handset(s.Destination)
	if h == nil {
		return modemsim.Fate{CMS: cmsUnassigned}
	}
	m := message{ud: slices.Clone(s.UD), header: s.HasUDH, dcs: s.DCS, septets: s.Septets}
	fate := modemsim.Fate{Report: s.Report, After: f.reportAfter(h)}
	switch {
	case h.Temper.Off:
		fate.Status, fate.After = validityExpired, f.opt.OffAfter
	case h.Temper.Late && f.keepForLater(h, m):
		fate.After = f.opt.LateAfter
	default:
		f.carry(h, m)
	}
	return fate
}

// reportAfter is how long the delivery report takes.
func (f *Fleet) reportAfter(h *Handset) time.Duration {
	if f.opt.ReportAfter <= 0 {
		return 0
	}
	r := rand.New(rand.NewPCG(h.Seed, uint64(h.Result().SMS)))
	return time.Duration(r.Int64N(int64(f.opt.ReportAfter)))
}

// keepForLater keeps a message for a handset that is not on yet. The first one sets the time when it comes on.
func (f *Fleet) keepForLater(h *Handset, m message) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.on[h] {
		return false
	}
	if len(f.off[h]) == 0 {
		f.opt.After(f.opt.LateAfter, func() { f.switchOn(h) })
	}
	f.off[h] = append(f.off[h], m)
	return true
}

func (f *Fleet) switchOn(h *Handset) {
	f.mu.Lock()
	kept := f.off[h]
	delete(f.off, h)
	f.on[h] = true
	f.mu.Unlock()
	for _, m := range kept {
		f.carry(h, m)
	}
}

// carry hands over a message, or with Reorder all segments of one once they are all there.
func (f *Fleet) carry(h *Handset, m message) {
	if f.closed() {
		return
	}
	if m.isText() {
		if text, ok := f.text(h, &m); ok {
			h.ReceiveText(text)
			f.wake(h)
		}
		return
	}
	for _, ud := range f.shuffled(h, m.ud) {
		h.Receive(ud)
	}
	if h.Asked() {
		f.opt.After(f.opt.AgreeAfter, func() { h.Agree(); f.wake(h) })
	}
	f.wake(h)
}

// shuffled is what arrives now that ud was sent. It keeps segments back until there is one of each.
func (f *Fleet) shuffled(h *Handset, ud []byte) [][]byte {
	udh, _, err := push.ReadUDH(ud)
	if !f.opt.Reorder || err != nil || udh.Total <= 1 {
		return [][]byte{ud}
	}
	key := segments{h, udh.Ref, udh.Total}
	f.mu.Lock()
	defer f.mu.Unlock()
	seen := map[uint8]bool{udh.Seq: true}
	for _, held := range f.held[key] {
		u, _, _ := push.ReadUDH(held)
		if u.Seq == udh.Seq && !bytes.Equal(held, ud) {
			delete(f.held, key) // the rest of an older message, which is not going to be complete any more
			seen = map[uint8]bool{udh.Seq: true}
			break
		}
		seen[u.Seq] = true
	}
	f.held[key] = append(f.held[key], ud)
	if len(seen) < int(udh.Total) {
		return nil
	}
	all := f.held[key]
	delete(f.held, key)
	r := rand.New(rand.NewPCG(h.Seed, uint64(udh.Ref)))
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}
