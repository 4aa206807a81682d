package api_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"dmgate/gateway/api"
	"dmgate/storage"
)

// learnt puts what is learnt of some models into the store.
func (r *rig) learnt() {
	r.t.Helper()
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i, m := range []storage.Model{
		{Man: "Nokia", Mod: "E71", FwV: "100", Changed: at, Learnt: []storage.Learnt{{
			Origin: "a", Changed: at, Seen: 4, Outcomes: []storage.RecipeOutcome{
				{Recipe: "si", Worked: 3}, {Recipe: "sms", Failed: 4, Reasons: []storage.ReasonCount{{Text: "no", Count: 4}}},
			},
		}}, Reference: storage.ModelReference{Device: "a-secret-device", Time: at, Facts: map[string]string{"DevTyp": "smartphone"}}},
		{Man: "Nokia", Mod: "E71", FwV: "200", Changed: at},
		{Man: "Nokia 2", Mod: "a/b", Changed: at},
		{TAC: "35824201", Changed: at, Learnt: []storage.Learnt{{Origin: "a", Changed: at, Seen: 1}}},
	} {
		value, err := storage.AppendRecord(nil, &m)
		if err == nil {
			err = r.store.PutDocument(storage.ModelPrefix+m.Key(), value)
		}
		if err != nil {
			r.t.Fatal(i, err)
		}
	}
}

func (r *rig) keys(query string) (keys []string, next string) {
	r.t.Helper()
	var page api.ModelPage
	r.want(r.call("GET", "/v1/models"+query, ""), 200, &page)
	for _, m := range page.Models {
		keys = append(keys, m.Key)
	}
	return keys, page.Next
}

func TestModels(t *testing.T) {
	r := newRig(t)
	r.learnt()
	for query, want := range map[string]string{
		"":                             "[Nokia|E71|100 Nokia|E71|200 Nokia~202|a~2Fb| tac:35824201] ",
		"?limit=2":                     "[Nokia|E71|100 Nokia|E71|200] Nokia|E71|200",
		"?limit=2&after=Nokia|E71|200": "[Nokia~202|a~2Fb| tac:35824201] tac:35824201",
		"?man=Nokia":                   "[Nokia|E71|100 Nokia|E71|200] ",
		"?man=Nokia+2":                 "[Nokia~202|a~2Fb|] ",
		"?man=Noki":                    "[] ",
	} {
		if keys, next := r.keys(query); fmt.Sprint(keys, " ", next) != want {
			t.Errorf("%q: %v %s, want %s", query, keys, next, want)
		}
	}

	var m api.ModelDetail
	r.want(r.call("GET", "/v1/models/Nokia%7CE71%7C100", ""), 200, &m)
	recipes := make(map[string]api.Recipe)
	for _, s := range m.Recipes {
		recipes[s.Recipe] = s
	}
	if m.Seen != 4 || recipes["si"].Worked != 3 || recipes["si"].Rank >= 0 || recipes["scm-install"].Hint != "preferred" ||
		recipes["sms"].Barred != "failed on 4 of 4 devices of model Nokia|E71|100, mostly: no" {
		t.Errorf("%+v", m)
	}
	if len(m.Families) != 1 || m.Families[0].Name != "s60" || len(m.Record.Learnt) != 1 {
		t.Errorf("%+v", m)
	}
	r.want(r.call("GET", "/v1/models/tac:35824201", ""), 200, &m)
	if m.TAC != "35824201" || m.Sec != "userpin" {
		t.Errorf("%+v", m.Model)
	}

	r.want(r.call("POST", "/v1/models/Nokia|E71|100/reset", `{"recipe":"sms"}`), 200, &m)
	if len(m.Record.Learnt[0].Outcomes) != 1 {
		t.Errorf("reset: %+v", m.Record)
	}
	r.want(r.call("POST", "/v1/models/Nokia|E71|100/reset", ""), 200, &m)
	if m.Seen != 0 || m.Record.Learnt[0].Origin == "a" {
		t.Errorf("reset whole: %+v", m.Record)
	}
	r.want(r.call("DELETE", "/v1/models/Nokia|E71|100", ""), 200, &struct{}{})
	for _, call := range [][2]string{
		{"GET", "/v1/models/Nokia|E71|100"}, {"DELETE", "/v1/models/Nokia|E71|100"}, {"POST", "/v1/models/x/reset"},
	} {
		r.refused(r.call(call[0], call[1], ""), 404)
	}
	if p := r.refused(r.call("POST", "/v1/models/x/reset", `{"recipes":1}`), 400); p.Field != "recipes" {
		t.Errorf("%+v", p)
	}
}

// importing sends a file of models.
func (r *rig) importing(query, contentType, encoding, file string) reply {
	r.t.Helper()
	req, err := http.NewRequest("POST", r.base+"/v1/models/import"+query, strings.NewReader(file))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Content-Encoding", encoding)
	req.Header.Set("Authorization", "Bearer "+adminKey)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, string(text)}
}

func TestModelsGoFromOneGatewayToAnother(t *testing.T) {
	from, to := newRig(t), newRig(t)
	from.learnt()
	got := from.call("GET", "/v1/models/export", "")
	if got.status != 200 || !strings.Contains(got.header.Get("Content-Disposition"), "models.json") {
		t.Fatal(got)
	}
	if strings.Contains(got.body, "a-secret-device") {
		t.Errorf("a device is named: %s", got.body)
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write([]byte(got.body))
	z.Close()
	const json = "application/json"
	for _, c := range []struct{ query, encoding, file, want string }{
		{"", "gzip", packed.String(), "{4 0 0 0 [] []}"},
		{"?mode=merge", "", got.body, "{0 0 4 0 [] []}"},
		{"?mode=replace", "", got.body, "{0 0 4 0 [] []}"},
		{"", "", `{"schema":1,"models":[{"man":"X"},{"man":"X","mod":"Y"}]}`, "{1 0 0 1 [{1  man neither man and mod nor tac}] []}"},
	} {
		var done api.ImportedModels
		to.want(to.importing(c.query, json, c.encoding, c.file), 200, &done)
		if got := fmt.Sprint(done); got != c.want {
			t.Errorf("%s: %s, want %s", c.query, got, c.want)
		}
	}
	back := to.call("GET", "/v1/models/export", "")
	was, is := strings.Split(got.body, "\n"), strings.Split(back.body, "\n")
	for _, line := range was[1 : len(was)-2] {
		if !strings.Contains(back.body, strings.TrimSuffix(line, ",")) {
			t.Errorf("%s is not in %s", line, back.body)
		}
	}
	if len(is) != len(was)+1 {
		t.Errorf("%d lines, then %d", len(was), len(is))
	}

	for _, c := range []struct {
		query, kind, file string
		status            int
		want              string
	}{
		{"", "text/csv", "", 415, `"text/csv", want application/json`},
		{"?mode=mix", json, "", 422, `"mix" is not merge or replace`},
		{"", json, "", 400, "byte 0, behind 0 models: the file ends too early"},
		{"", json, "[]", 422, `byte 1, behind 0 models: "[" in place of a JSON object`},
		{
			"", json, `{"schema":1,"models":[{"man":"X","mod":"Z"},`, 400,
			"byte 44, behind 1 models: the file ends too early; what came before is kept: send the file again",
		},
	} {
		if p := to.refused(to.importing(c.query, c.kind, "", c.file), c.status); p.Detail != c.want {
			t.Errorf("%s %s: %+v, want %s", c.kind, c.file, p, c.want)
		}
	}
	if got := to.call("GET", "/v1/models/X|Z|", ""); got.status != 200 {
		t.Errorf("what came before a file broke off is not kept: %s", got.body)
	}
}

// Half a file of models does not look like a whole one.
func TestModelExportBreaksOff(t *testing.T) {
	r := newRig(t)
	r.learnt()
	if err := r.store.PutDocument(storage.ModelPrefix+"damaged", []byte("x")); err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest("GET", r.base+"/v1/models/export", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+adminKey)
	resp, err := http.DefaultClient.Do(req)
	if err == nil {
		defer resp.Body.Close()
		_, err = io.ReadAll(resp.Body)
	}
	if err == nil {
		t.Error("the file ends as if it were whole")
	}
}
