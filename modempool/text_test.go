package modempool

import (
	"bytes"
	"slices"
	"strings"
	"sync"
	"testing"

	"dmgate/codec/push"
	"dmgate/modempool/modemsim"
	"dmgate/storage"
)

// Texts go the way of pushes: segment by segment, each reported, with the alphabet that they need and for no port.
func TestTextsArrive(t *testing.T) {
	texts := []string{"Mail: http://dm.test/t/abc", strings.Repeat("длинный текст ", 12) + "http://dm.test/t/abc"}
	q := newQueue()
	for i, text := range texts {
		job := pushes(2)[i]
		job.Text = text
		q.add(job)
	}
	q.render = func(*storage.PushJob) ([]byte, error) { t.Error("a text has no PDU"); return nil, nil }
	var mu sync.Mutex
	sent := make(map[string][]push.Submit)
	n := newNetwork()
	n.fate = func(_, _ int, s *push.Submit) modemsim.Fate {
		mu.Lock()
		defer mu.Unlock()
		kept := *s
		kept.UD = bytes.Clone(s.UD)
		sent[s.Destination] = append(sent[s.Destination], kept)
		return modemsim.Fate{Report: true}
	}
	startBank(t, quick(), q, n, modemsim.Options{Modems: 1, Seed: 1})
	q.awaitState(t, storage.PushDelivered)
	mu.Lock()
	defer mu.Unlock()
	for i, text := range texts {
		number := pushes(2)[i].MSISDN
		got := sent[number]
		ref := uint8(0)
		if len(got) > 1 {
			h, _, err := push.ReadUDH(got[0].UD)
			if err != nil {
				t.Fatal(err)
			}
			ref = uint8(h.Ref)
		}
		want, dcs, err := push.SplitText(text, ref)
		if err != nil || len(got) != len(want) {
			t.Fatalf("%d segments, want %d: %v", len(got), len(want), err)
		}
		for k, s := range got {
			if s.DCS != dcs || !bytes.Equal(s.UD, want[k].UD) || s.Septets != want[k].Septets || s.HasUDH != want[k].HasUDH ||
				!s.Report || s.Validity != validity {
				t.Errorf("segment %d of %q: %+v, want %+v", k, text, s, want[k])
			}
		}
		unreported := func(s storage.Segment) bool { return !s.Reported }
		if job := q.get(uint64(i + 1)); len(job.Segments) != len(want) || slices.ContainsFunc(job.Segments, unreported) {
			t.Errorf("%+v", job)
		}
	}
}
