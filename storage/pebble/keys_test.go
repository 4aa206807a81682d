package pebble

import (
	"bytes"
	"cmp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"dmgate/storage"
)

// text draws texts that are hard on an encoding: short, of few different bytes, often beginnings of each other.
func text() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		b := rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 2, 'a', 0xfe, 0xff}), 0, 5).Draw(t, "bytes")
		return string(b)
	})
}

func TestTextKeysSort(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := text().Draw(t, "a"), text().Draw(t, "b")
		ka, kb := appendText([]byte{'X'}, a), appendText([]byte{'X'}, b)
		if got, want := bytes.Compare(ka, kb), cmp.Compare(a, b); got != want {
			t.Errorf("keys of %q and %q compare %d, want %d", a, b, got, want)
		}
		if a != b && bytes.HasPrefix(kb, ka) {
			t.Errorf("the key of %q begins with that of %q", b, a)
		}
		rest := text().Draw(t, "rest")
		gotText, gotRest, ok := cutText(append(ka[1:], rest...))
		if !ok || gotText != a || string(gotRest) != rest {
			t.Errorf("cut %q, %q, %v; want %q, %q", gotText, gotRest, ok, a, rest)
		}
	})
}

func TestTimeKeysSort(t *testing.T) {
	moment := rapid.Custom(func(t *rapid.T) time.Time {
		if rapid.Bool().Draw(t, "zero") {
			return time.Time{}
		}
		return time.Unix(rapid.Int64Range(-1<<35, 1<<35).Draw(t, "s"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns"))
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := moment.Draw(t, "a"), moment.Draw(t, "b")
		if got, want := bytes.Compare(appendTime(nil, a), appendTime(nil, b)), a.Compare(b); got != want {
			t.Errorf("keys of %v and %v compare %d, want %d", a, b, got, want)
		}
	})
}

// TestDescribe names what lies under each table's keys, and takes any bytes for a key.
func TestDescribe(t *testing.T) {
	p := &storage.PushJob{ID: 7, Device: "dev", Priority: 1, Flow: "k/+49", State: storage.PushQueued}
	awaited := &storage.PushJob{
		ID: 7, Device: "dev", State: storage.PushSent, Until: time.Unix(1, 0),
		Segments: []storage.Segment{{Sent: true, Reference: 255}},
	}
	sending := &storage.PushJob{ID: 7, Device: "dev", State: storage.PushSending}
	target := &storage.Target{Campaign: "k", Number: 5, MSISDN: "+49", State: storage.TargetPending}
	d := &storage.Device{ID: "dev"}
	for want, key := range map[string][]byte{
		`store's own "format"`:                        appendNameKey(nil, tableStore, storeFormat),
		`device "dev"`:                                appendDeviceKey(nil, tableDevice, "dev"),
		`index entry of MSISDN "+49"`:                 appendNameKey(nil, tableMSISDN, "+49"),
		`index entry of DevID "IMEI:1"`:               appendNameKey(nil, tableDevID, "IMEI:1"),
		`due entry of device "dev"`:                   appendDeviceDueKey(nil, d),
		`account of device "dev"`:                     appendDeviceKey(nil, tableAccount, "dev"),
		`order "o1" of device "dev"`:                  appendOrderKey(nil, "dev", "o1"),
		`task 9 of device "dev"`:                      appendNumberedKey(nil, tableTask, "dev", 9),
		`open entry of task 9 of device "dev"`:        appendNumberedKey(nil, tableOpenTask, "dev", 9),
		`results of task 9 of device "dev"`:           appendResultsKey(nil, &storage.Results{Device: "dev", Task: 9}, 1, 2),
		`push 7 of device "dev"`:                      appendNumberedKey(nil, tablePush, "dev", 7),
		`due entry of push 7 of device "dev"`:         queueKey(p),
		`under-way entry of push 7 of device "dev"`:   wayKey(sending),
		`awaiting entry of push 7 of device "dev"`:    awaitingKeys(awaited)[0],
		`campaign "k"`:                                appendText([]byte{tableCampaign}, "k"),
		`target 5 of campaign "k"`:                    appendTargetKey(nil, "k", 5),
		`entry of target 5 of campaign "k"`:           targetInKey(target),
		`index entry of MSISDN "+49" in campaign "k"`: targetNameKey(target),
		`document "limits"`:                           appendNameKey(nil, tableDocument, "limits"),
		`node "./A/B" of device "dev"`:                appendNamedKey(nil, tableNode, "dev", "./A/B"),
		`job "j1" of device "dev"`:                    appendNamedKey(nil, tableJob, "dev", "j1"),
		`due entry of job "j1" of device "dev"`:       jobDueKey(&storage.Job{ID: "j1", Device: "dev"}),
		`checkpoint of device "dev"`:                  appendDeviceKey(nil, tableCheckpoint, "dev"),
		`feed entry 3`:                                appendFeedKey(nil, 3),
		`timeline entry 3 of device "dev"`:            appendNumberedKey(nil, tableTimeline, "dev", 3),
	} {
		if got := describe(key); got != want {
			t.Errorf("%x is %s, want %s", key, got, want)
		}
		for i := range key { // a damaged key has to be named as well
			describe(key[:i])
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		if got := describe(rapid.SliceOf(rapid.Byte()).Draw(t, "key")); strings.TrimSpace(got) == "" {
			t.Error("a key without a name")
		}
	})
}
