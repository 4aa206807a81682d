package storage_test

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"dmgate/storage"
	"dmgate/storage/storagetest"
)

// TestModelGolden reads what was learnt of a model as an earlier program wrote it. The file is never written anew.
func TestModelGolden(t *testing.T) {
	data, err := os.ReadFile("testdata/model-v1.json")
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	b, err := hex.DecodeString(g.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	got, want := storage.Model{}, storage.Model{}
	if err := json.Unmarshal(g.Record, &want); err != nil {
		t.Fatal(err)
	}
	if err := storage.ReadRecord(b, &got); err != nil {
		t.Fatal(err)
	}
	if d := storagetest.Difference(&got, &want); d != "" {
		t.Errorf("read and meant differ at%s", d)
	}
}

func TestModelKey(t *testing.T) {
	long := strings.Repeat("x", 64)
	for _, c := range []struct {
		m    storage.Model
		want string
	}{
		{storage.Model{Man: "Nokia", Mod: "E71", FwV: "100.07.76"}, "Nokia|E71|100.07.76"},
		{storage.Model{Man: "Nokia", Mod: "E71"}, "Nokia|E71|"},
		{storage.Model{TAC: "35824201"}, "tac:35824201"},
		{storage.Model{Man: "Sony Ericsson", Mod: "a/b|c~%", FwV: "\x00é"}, "Sony~20Ericsson|a~2Fb~7Cc~7E~25|~00~C3~A9"},
		{storage.Model{Man: "tac:35824201", Mod: "x"}, "tac~3A35824201|x|"},
		{storage.Model{Man: long + "1", Mod: long, FwV: long + "2"}, long + "~~|" + long + "|" + long + "~~"},
		{storage.Model{Man: "Nokia"}, ""},
		{storage.Model{Mod: "E71", FwV: "1"}, ""},
		{storage.Model{}, ""},
	} {
		if got := c.m.Key(); got != c.want {
			t.Errorf("%+v: %q, want %q", c.m, got, c.want)
		}
	}
}

// Whatever devices say, models that differ have keys that differ, and a key is one segment of a path.
func TestModelKeyRapid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SliceOfN(rapid.Byte(), 1, 64)
		a := [3]string{string(text.Draw(t, "man")), string(text.Draw(t, "mod")), string(text.Draw(t, "firmware"))}
		b := [3]string{string(text.Draw(t, "man 2")), string(text.Draw(t, "mod 2")), string(text.Draw(t, "firmware 2"))}
		key := storage.ModelKey(a[0], a[1], a[2])
		if (key == storage.ModelKey(b[0], b[1], b[2])) != (a == b) {
			t.Errorf("%q and %q have the same key %q", a, b, key)
		}
		if strings.Trim(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-~|") != "" ||
			strings.Count(key, "|") != 2 || !strings.HasPrefix(key, storage.KinPrefix(a[0], a[1])) {
			t.Errorf("key %q", key)
		}
	})
}

func TestTACOf(t *testing.T) {
	for devID, want := range map[string]string{
		"IMEI:490154203237518": "49015420", "imei:49015420323751": "49015420", "IMEI:4901542032375181": "49015420",
		"IMEI:49015420": "", "IMEI:49015420323751x": "", "IMEI:49015420323751812": "", "MEID:490154203237518": "",
		"490154203237518": "", "": "", "IMEI:": "",
	} {
		if got := storage.TACOf(devID); got != want {
			t.Errorf("%q: %q, want %q", devID, got, want)
		}
	}
}
