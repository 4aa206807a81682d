package fleet

import (
	"cmp"
	"fmt"
	"time"

	"dmgate/storage"
)

// Kinds of an order.
const (
	kindBootstrap = "bootstrap"
	kindNotify    = "notify"
	kindTask      = "task"
)

// NewCampaign is what upstream asks for: one thing to be done to many devices.
type NewCampaign struct {
	ID   string // empty for a new one; see KeyedName
	Name string
	What storage.Action
	How  storage.Pacing
	// Filter selects devices that are known, in the background; nil where targets are only added by AddTargets.
	Filter *storage.Filter
}

// CreateCampaign makes a draft: it takes targets and begins nothing. The error is a *FieldError, or storage.ErrExists.
func (f *Fleet) CreateCampaign(n NewCampaign) (*storage.Campaign, error) {
	if len(n.Name) > maxCampaignName {
		return nil, &FieldError{"name", fmt.Sprintf("%d bytes, at most %d are taken", len(n.Name), maxCampaignName)}
	}
	if err := f.checkAction(&n.What); err != nil {
		return nil, err
	}
	if err := checkPacing(&n.How); err != nil {
		return nil, err
	}
	now := f.opt.Clock()
	c := &storage.Campaign{
		ID: cmp.Or(n.ID, NewName()), Name: n.Name, State: storage.CampaignDraft, Since: now, Created: now,
		What: n.What, How: n.How,
		Offset: f.store.Head(), Counts: make(map[string]int), Groups: make(map[string]storage.Group),
	}
	if n.Filter != nil {
		if err := checkFilter(n.Filter); err != nil {
			return nil, err
		}
		c.Filter, c.Selecting = *n.Filter, true
	}
	if err := f.store.CommitCampaign(&storage.CampaignCommit{Campaign: c.ID, Time: now, New: c}); err != nil {
		return nil, err
	}
	f.campaigns.touch(c.ID)
	return c, nil
}

// EditCampaign changes a campaign's Name and How, at any time before its end, and What as long as it is a draft. Other
// changes that change makes are dropped; it may run more than once. What is not fit to be carried out is refused with
// a *FieldError and changes nothing.
func (f *Fleet) EditCampaign(id string, change func(*storage.Campaign) error) (*storage.Campaign, error) {
	return f.editCampaign(id, func(c *storage.Campaign, now time.Time) error {
		if ended(c) {
			return stateError(c, "it is over")
		}
		edited := *c
		edited.How.Windows = append([]storage.Window(nil), c.How.Windows...)
		if err := change(&edited); err != nil {
			return err
		}
		if len(edited.Name) > maxCampaignName {
			return &FieldError{"name", fmt.Sprintf("%d bytes, at most %d are taken", len(edited.Name), maxCampaignName)}
		}
		if err := checkPacing(&edited.How); err != nil {
			return err
		}
		if c.State == storage.CampaignDraft {
			if edited.What.Kind != c.What.Kind {
				return &FieldError{"kind", "the kind of a campaign can not be changed"}
			}
			if err := f.checkAction(&edited.What); err != nil {
				return err
			}
			c.What = edited.What
		}
		c.Name, c.How = edited.Name, edited.How
		return nil
	})
}

// StartCampaign begins a draft. The error is a *StateError where it is none, as it is for the other steps of its life.
func (f *Fleet) StartCampaign(id string) error {
	head := f.store.Head() // read before the commit: none of its orders can stand before it
	_, err := f.editCampaign(id, func(c *storage.Campaign, now time.Time) error {
		if c.State != storage.CampaignDraft {
			return stateError(c, "only a draft can be started")
		}
		if c.Last == 0 && !c.Selecting {
			return stateError(c, "it has no targets")
		}
		c.Started, c.Clocked, c.Offset = now, now, head
		enter(c, storage.CampaignRunning, now, "")
		return nil
	})
	return err
}

// PauseCampaign stops a campaign that runs: at once nothing more is begun, and none of its pushes goes to a modem.
func (f *Fleet) PauseCampaign(id string) error {
	_, err := f.editCampaign(id, func(c *storage.Campaign, now time.Time) error {
		if c.State != storage.CampaignRunning && c.State != storage.CampaignHeld {
			return stateError(c, "only one that runs or is held can be paused")
		}
		enter(c, storage.CampaignPaused, now, "")
		return nil
	})
	return err
}

// ResumeCampaign lets a campaign that is paused or held go on. Outcomes before count no more towards a hold of the
// whole campaign, and a canary group that has failed begins anew. Groups that are held stay so.
func (f *Fleet) ResumeCampaign(id string) error {
	_, err := f.editCampaign(id, func(c *storage.Campaign, now time.Time) error {
		if c.State != storage.CampaignPaused && c.State != storage.CampaignHeld {
			return stateError(c, "only one that is paused or held can be resumed")
		}
		delete(c.Groups, groupAll)
		if canaryFailed(c) {
			c.Canary = storage.Canary{Begun: c.Canary.Begun, From: c.Canary.Begun}
		}
		c.Clocked = now
		enter(c, storage.CampaignRunning, now, "")
		return nil
	})
	return err
}

// CancelCampaign ends a campaign: at once nothing more is begun, and none of its pushes goes to a modem. What waits is
// cancelled soon after, in the background: targets not begun, and the orders of those whose push no modem has. What a
// modem has is not called back; it is accounted for until its end.
func (f *Fleet) CancelCampaign(id string) error {
	_, err := f.editCampaign(id, func(c *storage.Campaign, now time.Time) error {
		if ended(c) {
			return stateError(c, "it is over")
		}
		c.Selecting = false
		enter(c, storage.CampaignCancelled, now, "by upstream")
		return nil
	})
	return err
}

// ReleaseGroup lets a TAC or operator that is held go on, named as in Campaign.Groups. Its outcomes so far count no
// more. Its targets that were held become pending again in the background.
func (f *Fleet) ReleaseGroup(id, group string) error {
	_, err := f.editCampaign(id, func(c *storage.Campaign, now time.Time) error {
		if c.Groups[group].Held == "" || group == groupAll {
			return &FieldError{"group", fmt.Sprintf("%.80q is not held", group)}
		}
		delete(c.Groups, group)
		return nil
	})
	if err == nil {
		f.campaigns.release(id)
	}
	return err
}

// editCampaign changes a campaign's record, and tells the engine.
func (f *Fleet) editCampaign(id string, edit func(*storage.Campaign, time.Time) error) (*storage.Campaign, error) {
	now := f.opt.Clock()
	var after storage.Campaign
	err := f.store.CommitCampaign(&storage.CampaignCommit{Campaign: id, Time: now, Edit: func(c *storage.Campaign) error {
		clock(c, now)
		if err := edit(c, now); err != nil {
			return err
		}
		after = *c
		return nil
	}})
	if err != nil {
		return nil, err
	}
	f.campaigns.touch(id)
	return &after, nil
}

// StateError is a step that a campaign can not take as it stands.
type StateError struct {
	State  storage.CampaignState
	Reason string
}

func (e *StateError) Error() string { return "the campaign is " + string(e.State) + ": " + e.Reason }

func stateError(c *storage.Campaign, reason string) error { return &StateError{c.State, reason} }

// ended says whether a campaign takes no more steps.
func ended(c *storage.Campaign) bool {
	return c.State == storage.CampaignDone || c.State == storage.CampaignCancelled
}

// enter puts a campaign into a state. One that is over forgets its PIN.
func enter(c *storage.Campaign, s storage.CampaignState, now time.Time, reason string) {
	c.State, c.Since, c.Reason = s, now, reason
	if ended(c) {
		c.What.PIN = ""
	}
}

// clock counts the time that a campaign has been running.
func clock(c *storage.Campaign, now time.Time) {
	if c.State != storage.CampaignRunning || !now.After(c.Clocked) {
		return
	}
	if _, closed := closedUntil(c.How.Windows, "", c.Clocked); !closed {
		c.Ran += now.Sub(c.Clocked)
	}
	c.Clocked = now
}
