package modelfile_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"dmgate/gateway/modelfile"
	"dmgate/storage"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// models are records with every field set that a file has.
func models() []*storage.Model {
	return []*storage.Model{
		{
			Man: "Nokia", Mod: "E71 \u00e9\"", FwV: "100", Created: epoch, Changed: epoch.Add(time.Nanosecond),
			Reference: storage.ModelReference{
				Time: epoch, Rules: "abc", Facts: map[string]string{"Man": "Nokia"}, TNDS: "no",
				Nodes: []storage.ModelNode{
					{URI: ".", Code: 200, Format: "node", Children: []string{"SCM"}, Cut: true},
					{URI: "./DevDetail/FwV", Code: 200, Format: "chr", Type: "text/plain", Value: "100"},
				},
			},
			Learnt: []storage.Learnt{{
				Origin: "abc", Changed: epoch, Seen: 3,
				Outcomes: []storage.RecipeOutcome{{
					Recipe: "scm-install", Rules: "v", Worked: 1, Failed: 2, Refused: 3, Ours: 4, Last: epoch, Bad: epoch,
					Reasons: []storage.ReasonCount{{Text: "no memory", Count: 2, Last: epoch}},
				}},
				Variants: []storage.VariantOutcome{{
					Sec: "userpin", Form: "apn", Accepted: 1, Unanswered: 2, Unreachable: 3, Last: epoch,
				}},
			}},
		},
		{TAC: "35824201", Models: []storage.ModelMet{{Key: "Nokia|E71~20|100", Last: epoch}}},
		{Man: "X", Mod: "Y"},
	}
}

func file(t *testing.T, models []*storage.Model) []byte {
	t.Helper()
	b := modelfile.AppendHeader(nil, epoch)
	for i, m := range models {
		var err error
		if b, err = modelfile.AppendModel(b, m, i == 0); err != nil {
			t.Fatal(err)
		}
	}
	return append(b, modelfile.Footer...)
}

// read tells what a file holds: an entry or an error a line.
func read(r io.Reader) (list []*storage.Model, said string) {
	var b strings.Builder
	for e, err := range modelfile.Read(r) {
		switch {
		case err != nil:
			fmt.Fprintf(&b, "%v\n", err)
		case e.Err != nil:
			fmt.Fprintf(&b, "%d %v\n", e.Number, e.Err)
		default:
			list = append(list, e.Model)
			fmt.Fprintf(&b, "%d %s\n", e.Number, e.Model.Key())
		}
	}
	return list, b.String()
}

func TestFileComesBack(t *testing.T) {
	text := file(t, models())
	got, said := read(iotest.OneByteReader(bytes.NewReader(text)))
	if want := "1 Nokia|E71~20~C3~A9~22|100\n2 tac:35824201\n3 X|Y|\n"; said != want {
		t.Errorf("%s, want %s", said, want)
	}
	if again := file(t, got); !bytes.Equal(again, text) {
		t.Errorf("read and written again:\n%s\nwant\n%s", again, text)
	}
	if _, said := read(bytes.NewReader(file(t, nil))); said != "" {
		t.Errorf("a file of none: %s", said)
	}
}

// A model that is not sound does not sink the others, and says what is wrong with it.
func TestBadModels(t *testing.T) {
	for _, c := range []struct{ model, want string }{
		{`{}`, "man: neither man and mod nor tac"},
		{`[]`, ": array in place of modelfile.Model"},
		{`{"man":"X","mod":"Y","learnt":[{"seen":"3"}]}`, "learnt.seen: string in place of int"},
		{`{"man":"X","mod":"Y","colour":1}`, "colour: unknown field"},
		{`{"man":"X","mod":"Y","created":"yesterday"}`, `: parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006"`},
		{`{"man":"X","mod":"Y","created":"9999-12-31T23:59:59-14:00"}`, "created: year 10000 is not 1970 to 2200"},
		{`{"man":"X\u0000","mod":"Y"}`, `man: "X\x00" has control characters`},
		{`{"man":"X","mod":"` + strings.Repeat("y", 513) + `"}`, "mod: 513 bytes, want at most 512"},
		{`{"tac":"1234567"}`, `tac: "1234567" is not of the form ^[0-9]{8}$`},
		{`{"tac":"12345678","man":"X"}`, "tac: stands beside man, mod or fw_v"},
		{`{"tac":"12345678","reference":{"time":"2026-01-01T00:00:00Z"}}`, "reference: a TAC has none"},
		{`{"tac":"12345678","models":[{"key":"a/b"}]}`, `models[0].key: "a/b" is not of the form ^[A-Za-z0-9._|~-]{1,600}$`},
		{`{"man":"X","mod":"Y","models":[{"key":"a"}]}`, "models: only a TAC has them"},
		{`{"man":"X","mod":"Y","reference":{}}`, "reference.time: none"},
		{`{"man":"X","mod":"Y","reference":{"time":"2026-01-01T00:00:00Z","tnds":"maybe"}}`, `reference.tnds: "maybe" is not yes or no`},
		{
			`{"man":"X","mod":"Y","reference":{"time":"2026-01-01T00:00:00Z","nodes":[{"uri":"./B"},{"uri":"./A"}]}}`,
			`reference.nodes[1].uri: "./A" is not behind the one before, in order`,
		},
		{
			`{"man":"X","mod":"Y","reference":{"time":"2026-01-01T00:00:00Z","nodes":[{"uri":"./B","code":1000}]}}`,
			"reference.nodes[0].code: 1000 is not 0 to 999",
		},
		{`{"man":"X","mod":"Y","learnt":[{"origin":"A"}]}`, `learnt[0].origin: "A" is not of the form ^[a-z0-9]{1,32}$`},
		{`{"man":"X","mod":"Y","learnt":[{"origin":"a"},{"origin":"a"}]}`, `learnt[1].origin: "a" is there twice`},
		{
			`{"man":"X","mod":"Y","learnt":[{"origin":"a","outcomes":[{"recipe":"r","worked":-1}]}]}`,
			"learnt[0].outcomes[0].worked: -1 is not 0 to 1099511627776",
		},
		{
			`{"man":"X","mod":"Y","learnt":[{"origin":"a","outcomes":[{"recipe":"r"},{"recipe":"r"}]}]}`,
			`learnt[0].outcomes[1].recipe: "r" is there twice`,
		},
		{
			`{"man":"X","mod":"Y","learnt":[{"origin":"a","variants":[{"sec":"none"}]}]}`,
			`learnt[0].variants[0].sec: "none" is not one of userpin, netwpin, usernetwpin, userpinmac`,
		},
	} {
		_, said := read(strings.NewReader(`{"schema":1,"models":[` + c.model + `,{"man":"X","mod":"Y"}]}`))
		if want := "1 " + c.want + "\n2 X|Y|\n"; said != want {
			t.Errorf("%s: %s, want %s", c.model, said, want)
		}
	}
}

// A file that is none says where.
func TestBadFiles(t *testing.T) {
	one := `{"man":"X","mod":"Y"}`
	for _, c := range []struct{ file, want string }{
		{``, "byte 0, behind 0 models: the file ends too early\n"},
		{`[]`, "byte 1, behind 0 models: \"[\" in place of a JSON object\n"},
		{`{"models":[]}`, "byte 9, behind 0 models: no \"schema\" in front of \"models\"\n"},
		{`{"schema":2,"models":[]}`, "byte 11, behind 0 models: schema 2, this program reads 1\n"},
		{`{"schema":1}`, "byte 11, behind 0 models: no list \"models\"\n"},
		{`{"schema":1,"models":{}}`, "byte 22, behind 0 models: \"{\" in place of a list of models\n"},
		{`{"schema":1,"models":[` + one + ",", "1 X|Y|\nbyte 44, behind 1 models: the file ends too early\n"},
		{`{"schema":1,"models":[` + one + `,{"man":}]}`, "1 X|Y|\nbyte 44, behind 1 models: invalid character '}' looking for beginning of value\n"},
		{`{"schema":1,"models":[` + one + `]`, "1 X|Y|\nbyte 44, behind 1 models: the file ends too early\n"},
		{`{"schema":1,"models":[` + one + `]}{}`, "1 X|Y|\nbyte 46, behind 1 models: something stands behind the end\n"},
		{
			`{"schema":1,"models":[` + one + `,{"man":"` + strings.Repeat("x", modelfile.MaxModel+4096) + `"}]}`,
			"1 X|Y|\nbyte 44, behind 1 models: a model has more than 4194304 bytes\n",
		},
	} {
		if _, said := read(strings.NewReader(c.file)); said != c.want {
			t.Errorf("%.60s: %s, want %s", c.file, said, c.want)
		}
	}
	broken := errors.New("the line was cut")
	for _, err := range modelfile.Read(iotest.ErrReader(broken)) {
		if !errors.Is(err, broken) || !errors.As(err, new(*modelfile.FileError)) {
			t.Errorf("%v, want a FileError of what the reader said", err)
		}
	}
}

// Who has had enough gets no more.
func TestReadStops(t *testing.T) {
	n := 0
	for range modelfile.Read(bytes.NewReader(file(t, models()))) {
		if n++; n == 2 {
			break
		}
	}
	if n != 2 {
		t.Errorf("%d models", n)
	}
}
