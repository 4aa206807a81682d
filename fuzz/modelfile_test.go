package fuzz

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"dmgate/gateway/modelfile"
	"dmgate/storage"
)

// FuzzModelFile: whatever the file, models come in their order, and what was read comes back when it is written and
// read again, and goes through the store.
func FuzzModelFile(f *testing.F) {
	for _, seed := range []string{
		`{"schema":1,"exported":"2026-01-01T00:00:00Z","models":[` + "\n" +
			`{"man":"Nokia","mod":"E71","fw_v":"100","created":"2026-01-01T00:00:00Z","reference":{"time":"2026-01-01T00:00:00Z",` +
			`"rules":"a","facts":{"Man":"Nokia"},"tnds":"no","nodes":[{"uri":".","code":200,"children":["SCM"],"cut":true}]},` +
			`"learnt":[{"origin":"a","changed":"2026-01-01T00:00:00.000000001Z","seen":1,"outcomes":[{"recipe":"scm-install",` +
			`"rules":"b","worked":1,"failed":2,"reasons":[{"text":"no","count":2}]}],"variants":[{"sec":"userpin","form":"apn"}]}]}` +
			",\n" + `{"tac":"35824201","models":[{"key":"Nokia|E71|100","last":"2026-01-01T00:00:00+14:00"}]}` + "\n]}\n",
		`{"schema":1,"models":[]}`, `{"schema":2,"models":[]}`, `{"models":[{}]}`, `{"schema":1,"models":[[],1,null,"a",{"man":1}]}x`,
		`{"schema":1,"a":{"b":[1]},"models":[{"man":"X","mod":"\u0000"},{"man":"X","mod":"` + "\xFF" + `","created":"9999-12-31T23:59:59Z"}],"c":1}`,
		"", "{", "null", `{"schema":1,"models":{}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		models := modelsIn(t, file)
		text := modelfile.AppendHeader(nil, time.Unix(0, 0))
		for i, m := range models {
			record, err := storage.AppendRecord(nil, m)
			if err != nil {
				t.Fatal(err)
			}
			kept := &storage.Model{}
			if err := storage.ReadRecord(record, kept); err != nil {
				t.Fatal(err)
			}
			if text, err = modelfile.AppendModel(text, kept, i == 0); err != nil {
				t.Fatal(err)
			}
		}
		again := modelsIn(t, append(text, modelfile.Footer...))
		if len(again) != len(models) {
			t.Fatalf("%d models, and %d when they are read again", len(models), len(again))
		}
		for i := range models {
			if got, want := shown(t, again[i]), shown(t, models[i]); !bytes.Equal(got, want) {
				t.Fatalf("got  %s\nwant %s", got, want)
			}
		}
	})
}

func modelsIn(t *testing.T, file []byte) (models []*storage.Model) {
	last, broken := 0, false
	for e, err := range modelfile.Read(bytes.NewReader(file)) {
		switch {
		case broken:
			t.Fatal("something follows an error")
		case err != nil:
			broken = true
			continue
		case e.Number != last+1:
			t.Fatalf("model %d follows model %d", e.Number, last)
		case (e.Err == nil) != (e.Model != nil):
			t.Fatalf("model %+v with error %v", e.Model, e.Err)
		case e.Model != nil && e.Model.Key() == "":
			t.Fatalf("model %d has no name", e.Number)
		}
		if last = e.Number; e.Model != nil {
			models = append(models, e.Model)
		}
	}
	return models
}

// shown is a model as bytes, in one time zone.
func shown(t *testing.T, m *storage.Model) []byte {
	record, err := storage.AppendRecord(nil, m)
	if err != nil {
		t.Fatal(err)
	}
	kept := &storage.Model{}
	if err := storage.ReadRecord(record, kept); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(modelfile.Show(kept))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
