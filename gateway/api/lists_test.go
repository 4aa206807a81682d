package api_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"dmgate/gateway/api"
	"dmgate/storage"
)

// Every device is listed once, whatever the size of the page.
func TestDevicePages(t *testing.T) {
	r := newRig(t)
	var all []storage.DeviceID
	for i := range 25 {
		all = append(all, r.device(i).ID)
	}
	slices.Sort(all)
	for _, limit := range []int{1, 7, 24, 25, 26, 1000} {
		var seen []storage.DeviceID
		after := storage.DeviceID("")
		for pages := 0; ; pages++ {
			var page api.DevicePage
			r.get(fmt.Sprintf("/v1/devices?limit=%d&after=%s", limit, after), &page)
			for _, d := range page.Devices {
				seen = append(seen, d.ID)
			}
			if after = page.Next; after == "" || pages > len(all) {
				break
			}
		}
		if !slices.Equal(seen, all) {
			t.Errorf("pages of %d: %d devices, want %d", limit, len(seen), len(all))
		}
	}
}

// Every answer of a device is listed once, also where the answers to one task came in several messages and fill more
// than a page.
func TestResultPages(t *testing.T) {
	r := newRig(t)
	d := r.device(1)
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	value := func(task, message int) []byte { return fmt.Appendf(nil, "task %d message %d", task, message) }
	messages := []int{1, 3, 1, 5, 2} // by task
	want := 0
	for task, n := range messages {
		for message := range n {
			want++
			err := r.store.Commit(&storage.Commit{Device: d.ID, Time: at, Results: []storage.Results{{
				Device: d.ID, Task: uint64(task + 1), Session: "1", MsgID: uint32(message + 1), Time: at,
				Answers: []storage.Answer{{Code: 200, URI: []byte("./DevInfo/Man"), Format: []byte("chr"), Data: value(task,
					message)}},
			}}})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	for limit := 1; limit <= want+1; limit++ {
		seen := make(map[string]int)
		after, pages := uint64(0), 0
		for ; pages <= want; pages++ {
			var page api.ResultPage
			r.get(fmt.Sprintf("/v1/devices/%s/results?limit=%d&after=%d", d.ID, limit, after), &page)
			for _, a := range page.Answers {
				seen[a.Data]++
			}
			if after = page.Next; after == 0 {
				break
			}
		}
		if len(seen) != want {
			t.Errorf("pages of %d: %d different answers, want %d", limit, len(seen), want)
		}
		for data, n := range seen {
			if n != 1 {
				t.Errorf("pages of %d: %q is listed %d times", limit, data, n)
			}
		}
	}
}

// What a device has sent is shown as text where it is text, and in base64 where it is not.
func TestResultData(t *testing.T) {
	r := newRig(t)
	d := r.device(1)
	err := r.store.Commit(&storage.Commit{Device: d.ID, Time: time.Now(), Results: []storage.Results{{
		Device: d.ID, Task: 1, Session: "1", MsgID: 2,
		Answers: []storage.Answer{
			{Code: 200, URI: []byte("./a"), Format: []byte("chr"), Type: []byte("text/plain"), Data: []byte("Grüße \x00<&>")},
			{Code: 200, URI: []byte("./b"), Format: []byte("bin"), Data: []byte("\xFF\x00\x01")},
			{Code: 404, URI: []byte("./\xFFc")},
		},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	var page api.ResultPage
	r.get("/v1/devices/"+string(d.ID)+"/results", &page)
	for i, want := range []api.Answer{
		{Task: 1, Session: "1", URI: "./a", Code: 200, Format: "chr", Type: "text/plain", Data: "Grüße \x00<&>"},
		{Task: 1, Session: "1", URI: "./b", Code: 200, Format: "bin", Binary: []byte("\xFF\x00\x01")},
		{Task: 1, Session: "1", URI: "./\uFFFDc", Code: 404},
	} {
		if got := page.Answers[i]; fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	}
}

// feedPage is what GET /v1/feed answers.
type feedPage struct {
	Entries []api.FeedEntry `json:"entries"`
	Next    uint64          `json:"next"`
	Head    uint64          `json:"head"`
}

// The feed can be read from any offset on; whoever keeps next misses nothing and sees nothing twice.
func TestFeedFromAnyOffset(t *testing.T) {
	r := newRig(t)
	const n = 12
	for i := range n {
		r.device(i)
	}
	for _, limit := range []int{1, 5, 12, 100} {
		for from := 0; from <= n+3; from++ {
			next := uint64(from)
			first := max(from, 1)
			for {
				var page feedPage
				r.get(fmt.Sprintf("/v1/feed?from=%d&limit=%d", next, limit), &page)
				if page.Head != n {
					t.Fatalf("head %d", page.Head)
				}
				for i, e := range page.Entries {
					if e.Offset != max(next, 1)+uint64(i) || e.Kind != "state" || e.To != storage.Registered {
						t.Fatalf("from %d by %d: entry %d is %+v", from, limit, i, e)
					}
				}
				if next = page.Next; len(page.Entries) == 0 {
					break
				}
			}
			if want := max(uint64(first), n+1); next != want {
				t.Errorf("from %d by %d: next %d, want %d", from, limit, next, want)
			}
		}
	}
}

// A read that finds nothing waits, if it is asked to: until something happens, until its time is up, or until the
// gateway ends.
func TestFeedWaits(t *testing.T) {
	r := newRig(t)
	r.device(1)
	poll := func(query string) <-chan feedPage {
		got := make(chan feedPage, 1)
		go func() {
			var page feedPage
			r.want(r.send(http.DefaultClient, "GET", "/v1/feed?"+query, "", "Bearer "+adminKey), 200, &page)
			got <- page
		}()
		return got
	}
	expect := func(name string, c <-chan feedPage, entries int, next uint64) {
		t.Helper()
		select {
		case page := <-c:
			if len(page.Entries) != entries || page.Next != next {
				t.Errorf("%s: %+v", name, page)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%s: no answer", name)
		}
	}
	expect("what is there", poll("from=1&wait=60"), 1, 2)
	start := time.Now()
	expect("nothing happens", poll("from=2&wait=1"), 0, 2)
	if took := time.Since(start); took < time.Second {
		t.Errorf("waited %v, want a second", took)
	}

	next, later := poll("from=2&wait=60"), poll("from=3&wait=60")
	r.device(2)
	expect("the next entry", next, 1, 3)
	select {
	case page := <-later:
		t.Fatalf("answered before its entry was there: %+v", page)
	default:
	}
	r.device(3)
	expect("the one after it", later, 1, 4)

	last := poll("from=4&wait=60")
	close(r.done)
	expect("the end", last, 0, 4)
	expect("after the end", poll("from=4&wait=60"), 0, 4)
}

// A device with a long past shows the end of its timeline, not the beginning.
func TestLongTimeline(t *testing.T) {
	r := newRig(t)
	d := r.device(1)
	const events = 2500
	c := storage.Commit{Device: d.ID}
	for i := range events {
		c.Feed = append(c.Feed, storage.FeedEntry{Kind: "device", Count: i + 1})
	}
	if err := r.store.Commit(&c); err != nil {
		t.Fatal(err)
	}
	var got api.Device
	r.get("/v1/devices/"+string(d.ID), &got)
	n := len(got.Timeline)
	if n != 1000 || got.Timeline[0].Count != events-999 || got.Timeline[n-1].Count != events {
		t.Errorf("%d entries, want the last 1000 of %d", n, events)
	}
}
