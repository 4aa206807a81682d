// Package modelfile reads and writes what is learnt of models as one file, to be carried from one gateway to another: a
// JSON object with the number of its schema and the list of models.
//
//	{"schema":1,"exported":"2026-01-02T03:04:05Z","models":[
//	{"man":"Nokia","mod":"E71","fw_v":"100.07.76","reference":{...},"learnt":[...]},
//	{"tac":"35824201","models":[...],"learnt":[...]}
//	]}
//
// Nothing in it tells of a device, an account or a user.
package modelfile

import (
	"encoding/json"
	"time"

	"dmgate/storage"
)

// Schema is the number of the schema that is read and written. A field more does not change it.
const Schema = 1

// Model is what is known of the devices of one maker, model and firmware, or of one TAC, as the file and the API show
// it.
type Model struct {
	Man       string     `json:"man,omitempty"`
	Mod       string     `json:"mod,omitempty"`
	FwV       string     `json:"fw_v,omitempty"`
	TAC       string     `json:"tac,omitempty"` // 8 digits; then there is no man, mod and fw_v
	Created   time.Time  `json:"created,omitzero"`
	Changed   time.Time  `json:"changed,omitzero"`
	Models    []Met      `json:"models,omitempty"` // of a TAC
	Reference *Reference `json:"reference,omitempty"`
	Learnt    []Learnt   `json:"learnt,omitempty"`
}

// Met is a model that devices of a TAC were found to be of.
type Met struct {
	Key  string    `json:"key"`
	Last time.Time `json:"last"`
}

// Reference is the tree that the next device of the model begins with.
type Reference struct {
	Time  time.Time         `json:"time"`
	Rules string            `json:"rules,omitempty"`
	Facts map[string]string `json:"facts,omitempty"`
	TNDS  string            `json:"tnds,omitempty"`
	Nodes []Node            `json:"nodes,omitempty"`
}

// Node is a node of that tree.
type Node struct {
	URI      string   `json:"uri"`
	Code     int      `json:"code"`
	Format   string   `json:"format,omitempty"`
	Type     string   `json:"type,omitempty"`
	Children []string `json:"children,omitempty"`
	Value    string   `json:"value,omitempty"`
	Cut      bool     `json:"cut,omitempty"`
}

// Learnt is what one gateway has counted.
type Learnt struct {
	Origin   string    `json:"origin"`
	Changed  time.Time `json:"changed"`
	Seen     int       `json:"seen"`
	Outcomes []Outcome `json:"outcomes,omitempty"`
	Variants []Variant `json:"variants,omitempty"`
}

// Outcome is what came of a recipe.
type Outcome struct {
	Recipe  string    `json:"recipe"`
	Rules   string    `json:"rules,omitempty"`
	Worked  int       `json:"worked"`
	Failed  int       `json:"failed"`
	Refused int       `json:"refused,omitempty"`
	Ours    int       `json:"ours,omitempty"`
	Last    time.Time `json:"last_worked,omitzero"`
	Bad     time.Time `json:"last_failed,omitzero"`
	Reasons []Reason  `json:"reasons,omitempty"`
}

// Reason is why a recipe has failed.
type Reason struct {
	Text  string    `json:"text"`
	Count int       `json:"count"`
	Last  time.Time `json:"last,omitzero"`
}

// Variant is what came of bootstraps of one kind.
type Variant struct {
	Sec         string    `json:"sec"`
	Form        string    `json:"form,omitempty"`
	Accepted    int       `json:"accepted"`
	Unanswered  int       `json:"unanswered"`
	Unreachable int       `json:"unreachable"`
	Last        time.Time `json:"last,omitzero"`
}

// Show is a record as the file has it.
func Show(m *storage.Model) Model {
	out := Model{Man: m.Man, Mod: m.Mod, FwV: m.FwV, TAC: m.TAC, Created: m.Created, Changed: m.Changed}
	for _, met := range m.Models {
		out.Models = append(out.Models, Met(met))
	}
	if r := &m.Reference; !r.Time.IsZero() {
		out.Reference = &Reference{Time: r.Time, Rules: r.Rules, Facts: r.Facts, TNDS: r.TNDS}
		for _, n := range r.Nodes {
			out.Reference.Nodes = append(out.Reference.Nodes, Node(n))
		}
	}
	for i := range m.Learnt {
		out.Learnt = append(out.Learnt, showLearnt(&m.Learnt[i]))
	}
	return out
}

func showLearnt(l *storage.Learnt) Learnt {
	out := Learnt{Origin: l.Origin, Changed: l.Changed, Seen: l.Seen}
	for _, o := range l.Outcomes {
		shown := Outcome{
			Recipe: o.Recipe, Rules: o.Rules, Worked: o.Worked, Failed: o.Failed, Refused: o.Refused, Ours: o.Ours,
			Last: o.Last, Bad: o.Bad,
		}
		for _, r := range o.Reasons {
			shown.Reasons = append(shown.Reasons, Reason(r))
		}
		out.Outcomes = append(out.Outcomes, shown)
	}
	for _, v := range l.Variants {
		out.Variants = append(out.Variants, Variant(v))
	}
	return out
}

// AppendHeader appends the beginning of a file. Models follow, each by AppendModel, then the Footer.
func AppendHeader(dst []byte, exported time.Time) []byte {
	head, _ := json.Marshal(struct { // numbers and a time of this age only
		Schema   int       `json:"schema"`
		Exported time.Time `json:"exported"`
	}{Schema, exported.UTC()})
	dst = append(dst, head[:len(head)-1]...)
	return append(dst, `,"models":[`...)
}

// AppendModel appends a model, on a line of its own. first says that none is in front of it.
func AppendModel(dst []byte, m *storage.Model, first bool) ([]byte, error) {
	text, err := json.Marshal(Show(m))
	if err != nil {
		return dst, err
	}
	if !first {
		dst = append(dst, ',')
	}
	dst = append(dst, '\n')
	return append(dst, text...), nil
}

// Footer is the end of a file.
const Footer = "\n]}\n"
