package handset

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"
)

// TestTaken: what a handset has answered counts as taken once, however often the message went out, and not at all where
// the answer was that the server has yet to prove itself. The same holds for what it has carried out.
func TestTaken(t *testing.T) {
	s := newTestServer(t, "Get ./DevInfo/Lang\nExec ./SCM/Inventory/Deployed/C0/Operations/Deactivate\nGet ./Nowhere")
	s.noCred = true
	var got []string
	w := NewWorld(Settings{
		Losing: 1,
		Wait:   func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
		Observe: func(e Event) {
			switch a := e.Taken; e.Kind {
			case Executed:
				got = append(got, "Exec "+e.Detail)
			case AnswerTaken:
				got = append(got, fmt.Sprintf("%d: %s.%s %s %s %d %s", a.MsgID, a.MsgRef, a.CmdRef, a.Cmd, a.URI, a.Code, a.Data))
			}
		},
	})
	t.Cleanup(w.Close)
	h := New(S60, NewIdentity(7, 1), Temper{}, w)
	s.bootstrap(h)
	if err := h.Session(t.Context()); err != nil {
		t.Fatal(err)
	}
	clean(t, h)
	const exec = "./SCM/Inventory/Deployed/C0/Operations/Deactivate"
	want := []string{
		"Exec " + exec,
		"3: 2.2 Get ./DevInfo/Lang 200 ", "3: 2.2 Get ./DevInfo/Lang 0 " + h.Make.models[h.model].lang,
		"3: 2.3 Exec " + exec + " 202 ", "3: 2.4 Get ./Nowhere 404 ",
	}
	if !slices.Equal(got, want) {
		t.Errorf("told %q\nwant %q", got, want)
	}
}
