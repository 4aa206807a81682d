package fleet

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"dmgate/storage"
)

// What can not be carried out is refused before anything is kept, with the field and the reason.
func TestCampaignRefused(t *testing.T) {
	good := storage.Action{Kind: kindNotify}
	task := func(c ...storage.Command) storage.Action { return storage.Action{Kind: kindTask, Commands: c} }
	get := storage.Command{Kind: "Get", URI: "./X"}
	for _, c := range []struct {
		name string
		in   NewCampaign
		want string
	}{
		{"name", NewCampaign{Name: strings.Repeat("x", 201), What: good}, "name: 201 bytes, at most 200 are taken"},
		{"kind", NewCampaign{What: storage.Action{Kind: "wipe"}}, `kind: "wipe", want bootstrap, notify, task or install`},
		{"install of nothing", NewCampaign{What: storage.Action{Kind: "install"}}, "package: install needs the name of a package"},
		{"install that asks again", NewCampaign{What: storage.Action{
			Kind: "install", Again: true, Install: storage.JobSpec{Package: "client"},
		}}, "kind: install takes no commands or again"},
		{"install by pigeon", NewCampaign{What: storage.Action{
			Kind: "install", Install: storage.JobSpec{Package: "client", Fallback: []string{"pigeon"}},
		}}, `fallback: "pigeon", want si, sms, link, push or mark`},
		{"sec", NewCampaign{What: storage.Action{Kind: kindBootstrap, Sec: "none"}}, "sec: "},
		{"pin", NewCampaign{What: storage.Action{Kind: kindBootstrap, PIN: "12ab"}}, "pin: not 4 to 10 digits"},
		{"no commands", NewCampaign{What: task()}, "commands: 0 commands, want 1 to 1000"},
		{"commands of a notify", NewCampaign{What: storage.Action{Kind: kindNotify, Commands: []storage.Command{get}}},
			"commands: a notification takes none: want kind task"},
		{"kind of a command", NewCampaign{What: task(get, storage.Command{Kind: "Wipe", URI: "."})},
			`commands: command 1: "Wipe" is no kind of command`},
		{"URI", NewCampaign{What: task(storage.Command{Kind: "Exec"})}, "commands: command 0: it has no URI"},
		{"first depth", NewCampaign{What: task(storage.Command{Kind: "Get", URI: "./X", Depth: 1})},
			"commands: command 0: it is a member of no group"},
		{"depth", NewCampaign{What: task(get, storage.Command{Kind: "Get", URI: "./X", Depth: 1})},
			"commands: command 1: it is a member of no group"},
		{"data", NewCampaign{What: task(storage.Command{Kind: "Add", URI: "./X", Data: make([]byte, 64<<10)})},
			"commands: command 0: more than 65536 bytes up to here"},
		{"rate", NewCampaign{What: good, How: storage.Pacing{Rate: -1}}, "rate: -1 targets an hour, want 0 for no limit or more"},
		{"rate of infinity", NewCampaign{What: good, How: storage.Pacing{Rate: math.Inf(1)}}, "rate: +Inf targets an hour, want"},
		{"growth", NewCampaign{What: good, How: storage.Pacing{Growth: math.NaN()}}, "growth: NaN, want a factor an hour of 0 to 100"},
		{"attempts", NewCampaign{What: good, How: storage.Pacing{Attempts: 21}}, "attempts: 21, want 1 to 20"},
		{"retry", NewCampaign{What: good, How: storage.Pacing{RetryAfter: -time.Second}}, "retry_after: -1s, want 0 to 720h0m0s"},
		{"success", NewCampaign{What: good, How: storage.Pacing{Success: "queued"}}, `success: "queued", want sent, delivered, done or installed`},
		{"canary", NewCampaign{What: good, How: storage.Pacing{CanaryGood: 1.5}}, "canary_good: 1.5, want a share of 0 to 1"},
		{"hold", NewCampaign{What: good, How: storage.Pacing{HoldAbove: 50}}, "hold_above: 50, want a share of 0 (never) to 1"},
		{"window", NewCampaign{What: good, How: storage.Pacing{Windows: []storage.Window{{From: "08:00", To: "20:00"}, {From: "8"}}}},
			`windows: window 1: from "8" is no time of the day: want 00:00 to 23:59`},
		{"TAC", NewCampaign{What: good, Filter: &storage.Filter{TAC: "3500"}}, `tac: "3500", want the eight digits that an IMEI begins with`},
		{"state", NewCampaign{What: good, Filter: &storage.Filter{States: []storage.State{"lost"}}}, `states: "lost" is no state of a device`},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			_, err := w.CreateCampaign(c.in)
			if field := new(*FieldError); !errors.As(err, field) || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("error %v, want %s", err, c.want)
			}
			if list, _ := w.store.Campaigns("", 1); len(list) > 0 {
				t.Error("it is kept")
			}
		})
	}
	w := newWorld(t)
	group := task(storage.Command{Kind: "Atomic"}, storage.Command{Kind: "Get", URI: "./X", Depth: 1}, get)
	c, err := w.CreateCampaign(NewCampaign{What: group})
	if err != nil {
		t.Fatalf("a group: %v", err)
	}
	want := storage.Pacing{Attempts: 1, RetryAfter: time.Hour, Success: "done", CanaryGood: 0.9, HoldOver: 100}
	if c.How.Attempts != want.Attempts || c.How.RetryAfter != want.RetryAfter || c.How.Success != want.Success ||
		c.How.CanaryGood != want.CanaryGood || c.How.HoldOver != want.HoldOver {
		t.Errorf("what was left to us is %+v, want %+v", c.How, want)
	}
}

// What may be edited, and what stays whatever the edit says.
func TestCampaignEdit(t *testing.T) {
	w := newWorld(t)
	c, err := w.CreateCampaign(NewCampaign{What: storage.Action{Kind: kindBootstrap, PIN: "1234"}})
	w.must(err)
	w.fillUp(c.ID, 10, 9991000000)
	all := func(c *storage.Campaign) error {
		c.Name, c.What.APN, c.How.Rate = "new", "internet", 10
		c.State, c.Counts, c.Offset, c.Last = storage.CampaignDone, nil, 1<<40, 0
		return nil
	}
	got, err := w.EditCampaign(c.ID, all)
	if err != nil || got.Name != "new" || got.What.APN != "internet" || got.How.Rate != 10 {
		t.Errorf("a draft: %+v, %v", got, err)
	}
	if got.State != storage.CampaignDraft || got.Counts["pending"] != 10 || got.Last != 10 {
		t.Errorf("what is ours was changed: %+v", got)
	}
	w.must(w.StartCampaign(c.ID))
	got, err = w.EditCampaign(c.ID, func(c *storage.Campaign) error { c.What.APN, c.How.Rate = "other", 20; return nil })
	if err != nil || got.What.APN != "internet" || got.How.Rate != 20 {
		t.Errorf("running: %+v, %v", got, err)
	}
	_, err = w.EditCampaign(c.ID, func(c *storage.Campaign) error { c.How.Rate = -1; return nil })
	if err == nil || w.campaign(c.ID).How.Rate != 20 {
		t.Errorf("a bad edit: %v", err)
	}
	if _, err := w.EditCampaign("nobody", all); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("no such campaign: %v", err)
	}
}
