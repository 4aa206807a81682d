package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"

	"dmgate/gateway/fleet"
	"dmgate/storage"
)

// maxKey is how many bytes a key of upstream's may have.
const maxKey = 200

// createCampaign makes a campaign, gives it the devices that the request lists, and starts it where that is wanted. With
// a key that was used before it goes on where that request has broken off: it makes no second campaign.
func (a *API) createCampaign(r *request) (any, error) {
	var in NewCampaign
	if err := r.read(&in); err != nil {
		return nil, err
	}
	if len(in.Devices) > maxBatch {
		return nil, &fleet.FieldError{
			Field:  "devices",
			Reason: fmt.Sprintf("%d devices, want at most %d: send more as a file", len(in.Devices), maxBatch),
		}
	}
	if len(in.Devices) > 0 && in.Filter != nil {
		return nil, &fleet.FieldError{Field: "filter", Reason: "there is a list of devices as well, want one of both"}
	}
	c, err := a.campaign(&in, r)
	if err != nil {
		return nil, err
	}
	out := CreatedCampaign{}
	if len(in.Devices) > 0 && !over(c) {
		added, err := a.fleet.AddTargets(c.ID, listed(in.Devices))
		if err != nil {
			return nil, err
		}
		out.Added = showAdded(&added)
	}
	if in.Start && c.State == storage.CampaignDraft {
		var state *fleet.StateError
		err := a.fleet.StartCampaign(c.ID)
		if errors.As(err, &state) && state.State != storage.CampaignDraft {
			err = nil // by the same request, at the same time
		}
		if err != nil {
			return nil, err
		}
	}
	if c, err = a.store.Campaign(c.ID); err != nil {
		return nil, err
	}
	out.Campaign = showCampaign(c)
	r.Response.Header.Set("Location", Prefix+"campaigns/"+c.ID)
	return out, nil
}

// campaign makes the campaign that a request wants, or finds the one that was made with its key.
func (a *API) campaign(in *NewCampaign, r *request) (*storage.Campaign, error) {
	if err := checkKey(in.Key); err != nil {
		return nil, err
	}
	n := fleet.NewCampaign{
		Name: in.Name, How: in.Pacing.record(),
		What: storage.Action{
			Kind: in.Kind, Sec: in.Sec, PIN: in.PIN, APN: in.APN, Operator: in.Operator, Again: in.Again,
			Commands: recordCommands(in.Commands),
		},
	}
	if in.Install != nil {
		n.What.Install = in.Install.record()
	}
	if in.Key != "" {
		n.ID = fleet.KeyedName("campaign", in.Key)
	}
	if in.Filter != nil {
		n.Filter = (*storage.Filter)(in.Filter)
	}
	c, err := a.fleet.CreateCampaign(n)
	if errors.Is(err, storage.ErrExists) {
		if c, err = a.store.Campaign(n.ID); err != nil {
			return nil, err
		}
		if c.What.Kind != in.Kind {
			return nil, &problem{
				Title: "key is taken", Status: 409, Field: "key", Detail: "it stands for a campaign of kind " + c.What.Kind,
			}
		}
		r.status = 200
		return c, nil
	}
	return c, within(err)
}

func checkKey(key string) error {
	if len(key) > maxKey {
		return &fleet.FieldError{Field: "key", Reason: fmt.Sprintf("%d bytes, want at most %d", len(key), maxKey)}
	}
	return nil
}

// over says whether a campaign takes no targets any more.
func over(c *storage.Campaign) bool {
	return c.State == storage.CampaignDone || c.State == storage.CampaignCancelled
}

// listed are the targets that a request lists, with their place in the list for a line.
func listed(devices []storage.DeviceID) iter.Seq2[fleet.Line, error] {
	return func(yield func(fleet.Line, error) bool) {
		for i, id := range devices {
			if !yield(fleet.Line{Number: uint64(i + 1), Device: id}, nil) {
				return
			}
		}
	}
}

func (a *API) listCampaigns(r *request) (any, error) {
	limit, err := r.limit()
	if err != nil {
		return nil, err
	}
	found, err := a.store.Campaigns(string(r.QueryArgs().Peek("after")), limit)
	if err != nil {
		return nil, err
	}
	page := CampaignPage{Campaigns: make([]*Campaign, len(found))}
	for i := range found {
		page.Campaigns[i] = showCampaign(&found[i])
	}
	if len(found) == limit {
		page.Next = found[len(found)-1].ID
	}
	return page, nil
}

// getCampaign shows a campaign with its progress.
func (a *API) getCampaign(r *request) (any, error) {
	p, err := a.fleet.Progress(r.id)
	if err != nil {
		return nil, err
	}
	out := showCampaign(&p.Campaign)
	out.Progress = &Progress{
		Targets: p.Targets, BegunPerMinute: p.BegunMinute, EndedPerMinute: p.EndedMinute, End: instant(p.End),
		Waits: p.Waits, Until: instant(p.Until),
	}
	return out, nil
}

// editCampaign changes the name and the pacing as a merge patch says (RFC 7396): what it does not name stays, null goes
// back to the default, and a list is replaced as a whole.
func (a *API) editCampaign(r *request) (any, error) {
	var in EditCampaign
	if err := r.read(&in); err != nil {
		return nil, err
	}
	var patch struct{ Name, Pacing json.RawMessage }
	if err := json.Unmarshal(r.PostBody(), &patch); err != nil {
		return nil, err
	}
	c, err := a.fleet.EditCampaign(r.id, func(c *storage.Campaign) error {
		if patch.Name != nil {
			c.Name = in.Name
		}
		if patch.Pacing == nil {
			return nil
		}
		pacing, err := merged(showPacing(&c.How), patch.Pacing)
		if err != nil {
			return err
		}
		c.How = pacing.record()
		return nil
	})
	if err != nil {
		return nil, within(err)
	}
	return showCampaign(c), nil
}

// merged is a campaign's pacing under a patch that has been read as Pacing before.
func merged(p Pacing, patch json.RawMessage) (out Pacing, err error) {
	now, err := json.Marshal(p)
	if err != nil {
		return out, err
	}
	var fields, changes map[string]json.RawMessage
	if err := errors.Join(json.Unmarshal(now, &fields), json.Unmarshal(patch, &changes)); err != nil {
		return out, err
	}
	if changes == nil { // null: all defaults
		clear(fields)
	}
	for name, value := range changes {
		name = strings.ToLower(name) // as encoding/json has taken it
		if string(value) == "null" {
			delete(fields, name)
		} else {
			fields[name] = value
		}
	}
	whole, err := json.Marshal(fields)
	if err != nil {
		return out, err
	}
	return out, json.Unmarshal(whole, &out)
}

// step is a call that takes a campaign a step on in its life.
func step(take func(*fleet.Fleet, string) error) func(*API, *request) (any, error) {
	return func(a *API, r *request) (any, error) {
		if err := take(a.fleet, r.id); err != nil {
			return nil, err
		}
		return a.showCampaign(r.id)
	}
}

func (a *API) releaseGroup(r *request) (any, error) {
	if err := a.fleet.ReleaseGroup(r.id, r.part); err != nil {
		return nil, err
	}
	return a.showCampaign(r.id)
}

func (a *API) showCampaign(id string) (any, error) {
	c, err := a.store.Campaign(id)
	if err != nil {
		return nil, err
	}
	return showCampaign(c), nil
}

// getPlan is the dry run of a campaign.
func (a *API) getPlan(r *request) (any, error) {
	p, err := a.fleet.PlanCampaign(r.id)
	if err != nil {
		return nil, err
	}
	return Plan{
		Targets: p.Targets, SegmentsPerPush: p.PushOf, Segments: p.Segments, Modems: p.Modems,
		SegmentsPerMinute: p.Throughput, ModemHours: p.ModemTime.Hours(), Begin: instant(p.Begin), End: instant(p.End),
		Late: p.Late, Assumptions: p.Assumptions,
	}, nil
}

// within names the whole path of a field that the fleet has refused.
func within(err error) error {
	var field *fleet.FieldError
	if errors.As(err, &field) && inside[field.Field] != "" {
		return &fleet.FieldError{Field: inside[field.Field] + "." + field.Field, Reason: field.Reason}
	}
	return err
}

// inside tells which fields of a campaign stand in an object of their own.
var inside = map[string]string{
	"rate": "pacing", "growth": "pacing", "rate_max": "pacing", "windows": "pacing", "deadline": "pacing",
	"attempts": "pacing", "retry_after": "pacing", "success": "pacing", "canary": "pacing", "canary_good": "pacing",
	"hold_above": "pacing", "hold_over": "pacing", "tac": "filter", "states": "filter",
}
