package api_test

import (
	"testing"
	"time"

	"dmgate/gateway/api"
	"dmgate/storage"
)

// The parts of a large object are shown as one answer, whatever stands between them; what was refused has no data.
func TestLargeObjects(t *testing.T) {
	r := newRig(t)
	d := r.device(1)
	part := func(n int, more bool, code int, data string) storage.Answer {
		return storage.Answer{Code: code, URI: []byte("./Log"), Format: []byte("chr"), Part: n, More: more, Data: []byte(data)}
	}
	for i, answers := range [][]storage.Answer{
		{{Command: 1, Code: 200, URI: []byte("./DevDetail/FwV"), Data: []byte("1")}, part(1, true, 200, "Gr\xc3")},
		{part(2, true, 200, "\xbc\xc3")},
		{part(3, false, 200, "\x9fe")},
		{part(1, true, 200, "lost"), part(2, false, 424, "")},
		{part(1, true, 200, "begun")},
		{{Command: 2, Code: 1200, URI: []byte("./SCOMO/X"), Late: true}},
	} {
		err := r.store.Commit(&storage.Commit{Device: d.ID, Time: time.Now(), Results: []storage.Results{{
			Device: d.ID, Task: 1, Session: "1", MsgID: uint32(i + 1), Answers: answers,
		}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	var page api.ResultPage
	r.get("/v1/devices/"+string(d.ID)+"/results", &page)
	want := []api.Answer{
		{Command: 1, URI: "./DevDetail/FwV", Code: 200, Data: "1"},
		{URI: "./Log", Code: 200, Format: "chr", Data: "Grüße"},
		{URI: "./Log", Code: 424, Format: "chr"},
		{Command: 2, URI: "./SCOMO/X", Code: 1200, Late: true},
		{URI: "./Log", Code: 200, Format: "chr", Data: "begun", Partial: true},
	}
	if len(page.Answers) != len(want) {
		t.Fatalf("%d answers, want %d: %+v", len(page.Answers), len(want), page.Answers)
	}
	for i := range want {
		got := page.Answers[i]
		got.Task, got.Session, got.Time = 0, "", time.Time{}
		if got.Binary != nil || got.URI != want[i].URI || got.Code != want[i].Code || got.Data != want[i].Data ||
			got.Format != want[i].Format || got.Late != want[i].Late || got.Partial != want[i].Partial ||
			got.Command != want[i].Command {
			t.Errorf("answer %d: %+v, want %+v", i, got, want[i])
		}
	}
}
