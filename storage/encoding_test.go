package storage_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/tinylib/msgp/msgp"
	"pgregory.net/rapid"

	"dmgate/storage"
	"dmgate/storage/storagetest"
)

var write = flag.Bool("write-golden", false, "write the golden file of today's record version, which must be a new one")

// record is what every kept type is.
type record interface {
	msgp.Marshaler
	msgp.Unmarshaler
}

// kinds makes an empty record of each kept type.
var kinds = map[string]func() record{
	"Device":     func() record { return &storage.Device{} },
	"Account":    func() record { return &storage.Account{} },
	"Order":      func() record { return &storage.Order{} },
	"Task":       func() record { return &storage.Task{} },
	"Results":    func() record { return &storage.Results{} },
	"PushJob":    func() record { return &storage.PushJob{} },
	"Checkpoint": func() record { return &storage.Checkpoint{} },
	"FeedEntry":  func() record { return &storage.FeedEntry{} },
	"Campaign":   func() record { return &storage.Campaign{} },
	"Target":     func() record { return &storage.Target{} },
	"Node":       func() record { return &storage.Node{} },
	"Job":        func() record { return &storage.Job{} },
	"Model":      func() record { return &storage.Model{} },

	"ModelReader": func() record { return &storage.ModelReader{} },
	"Certificate": func() record { return &storage.Certificate{} },
	"Operator":    func() record { return &storage.Operator{} },
}

// full is a record of each kept type with every field set.
func full() map[string]record {
	c := storagetest.FullCommit("0123456789abcdef")
	entry := c.Feed[0]
	entry.Offset, entry.Time, entry.Device = 12, c.Time, c.Device
	k := storagetest.FullCampaign("k")
	return map[string]record{
		"Model": storagetest.Full[storage.Model](), "ModelReader": storagetest.Full[storage.ModelReader](),
		"Campaign": k.New, "Target": &k.Targets[0], "Node": &c.Nodes[0], "Job": &c.Jobs[0],
		"Certificate": storagetest.Full[storage.Certificate](), "Operator": storagetest.Full[storage.Operator](),
		"Device": c.New, "Account": c.Account, "Order": &c.Orders[0], "Task": &c.Tasks[0], "Results": &c.Results[0],
		"PushJob": &c.Pushes[0], "Checkpoint": c.Checkpoint, "FeedEntry": &entry,
	}
}

func TestFullIsFull(t *testing.T) {
	for kind, r := range full() {
		v := reflect.ValueOf(r).Elem()
		for i := range v.NumField() {
			if v.Field(i).IsZero() {
				t.Errorf("%s.%s is not set: the tests of the encoding would miss it", kind, v.Type().Field(i).Name)
			}
		}
	}
}

func TestRoundTrip(t *testing.T) {
	for kind, r := range full() {
		b, err := storage.AppendRecord([]byte("before"), r)
		if err != nil {
			t.Fatal(err)
		}
		got := kinds[kind]()
		if err := storage.ReadRecord([]byte(strings.TrimPrefix(string(b), "before")), got); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		if d := storagetest.Difference(got, r); d != "" {
			t.Errorf("%s: read and written differ at%s", kind, d)
		}
	}
}

// goldenKinds are the types that version 1 began with.
var goldenKinds = []string{"Device", "Account", "Order", "Task", "Results", "PushJob", "Checkpoint", "FeedEntry"}

// golden is a record as an earlier program wrote it, and what it meant.
type golden struct {
	Kind   string
	Bytes  string // in hex
	Record json.RawMessage
}

// TestGolden reads records written by version 1. The file is never written anew: fields that are added later are
// not in it, and read as zero.
func TestGolden(t *testing.T) {
	const file = "testdata/records-v1.json"
	if *write {
		writeGolden(t, file)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all []golden
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	if len(all) != len(goldenKinds) {
		t.Errorf("%d records for %d kinds", len(all), len(goldenKinds))
	}
	for _, g := range all {
		b, err := hex.DecodeString(g.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		got, want := kinds[g.Kind](), kinds[g.Kind]()
		if err := json.Unmarshal(g.Record, want); err != nil {
			t.Fatal(err)
		}
		if err := storage.ReadRecord(b, got); err != nil {
			t.Errorf("%s: %v", g.Kind, err)
		}
		if d := storagetest.Difference(got, want); d != "" {
			t.Errorf("%s: read and meant differ at%s", g.Kind, d)
		}
	}
}

func writeGolden(t *testing.T, file string) {
	var all []golden
	for _, kind := range goldenKinds {
		r := full()[kind]
		b, err := storage.AppendRecord(nil, r)
		if err != nil {
			t.Fatal(err)
		}
		meant, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, golden{kind, hex.EncodeToString(b), meant})
	}
	data, err := json.MarshalIndent(all, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(data, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestUnknownKeys reads a record of a later program with more fields, and one of an earlier program with fewer.
func TestUnknownKeys(t *testing.T) {
	b := []byte{storage.RecordVersion}
	b = msgp.AppendMapHeader(b, 4)
	b = msgp.AppendString(msgp.AppendString(b, "new text"), "?")
	b = msgp.AppendString(msgp.AppendString(b, "id"), "order-1")
	b = msgp.AppendBytes(msgp.AppendArrayHeader(msgp.AppendString(b, "new list"), 1), []byte{1})
	b = msgp.AppendString(msgp.AppendString(b, "st"), "open")
	got := storage.Order{}
	if err := storage.ReadRecord(b, &got); err != nil {
		t.Fatal(err)
	}
	if want := (storage.Order{ID: "order-1", State: storage.OrderOpen}); got != want {
		t.Errorf("read %+v, want %+v", got, want)
	}
}

func TestDamaged(t *testing.T) {
	whole, err := storage.AppendRecord(nil, storagetest.FullCommit("a").New)
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{
		"empty":         {},
		"version alone": {storage.RecordVersion},
		"newer version": append([]byte{storage.RecordVersion + 1}, whole[1:]...),
		"cut":           whole[:len(whole)-1],
		"more behind":   append(append([]byte{}, whole...), 0),
		"no map":        {storage.RecordVersion, 0xc0},
		"endless list":  append(msgp.AppendString([]byte{storage.RecordVersion, 0x81}, "ob"), 0xdd, 0xff, 0xff, 0xff, 0xff),
		"endless map":   append(msgp.AppendString([]byte{storage.RecordVersion, 0x81}, "fa"), 0xdf, 0xff, 0xff, 0xff, 0xff),
		"endless text":  append(msgp.AppendString([]byte{storage.RecordVersion, 0x81}, "id"), 0xdb, 0xff, 0xff, 0xff, 0xff),
	} {
		if err := storage.ReadRecord(b, &storage.Device{}); !errors.Is(err, storage.ErrDamaged) {
			t.Errorf("%s: error %v, want ErrDamaged", name, err)
		}
	}
}

// TestDamagedAnywhere changes some bytes of a record: it reads, perhaps wrongly, or it is an error; it is no panic.
func TestDamagedAnywhere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom([]string{
			"Device", "Task", "Results", "PushJob", "Checkpoint", "Campaign", "Target", "Node", "Job", "Certificate", "Operator",
			"Model",
		}).Draw(t, "kind")
		b, err := storage.AppendRecord(nil, full()[kind])
		if err != nil {
			t.Fatal(err)
		}
		for range rapid.IntRange(1, 4).Draw(t, "changes") {
			b[rapid.IntRange(0, len(b)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
		}
		b = b[:rapid.IntRange(0, len(b)).Draw(t, "length")]
		if err := storage.ReadRecord(b, kinds[kind]()); err != nil && !errors.Is(err, storage.ErrDamaged) {
			t.Errorf("error %v, want ErrDamaged", err)
		}
	})
}
