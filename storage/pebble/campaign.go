package pebble

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"maps"
	"time"

	"dmgate/storage"
)

// CommitCampaign makes c durable, in the same order of the log and the feed as the commits of devices.
func (s *Store) CommitCampaign(c *storage.CampaignCommit) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.gate.leave()
	if c.Campaign == "" || c.New != nil && c.New.ID != c.Campaign {
		return errors.New("storage: commit of a campaign without its ID")
	}
	var last uint64
	for i := range c.Targets {
		t := &c.Targets[i]
		if t.Campaign != c.Campaign {
			return fmt.Errorf("storage: commit for campaign %q with a target of campaign %q", c.Campaign, t.Campaign)
		}
		if t.Number <= last {
			return fmt.Errorf("storage: commit for campaign %q with target %d after %d", c.Campaign, t.Number, last)
		}
		last = t.Number
	}
	return s.write(func(w *writer) (uint64, error) { return s.applyCampaign(w, c) })
}

func (s *Store) applyCampaign(w *writer, c *storage.CampaignCommit) (uint64, error) {
	own := &s.devices[maphash.String(s.seed, c.Campaign)%uint64(len(s.devices))]
	own.Lock()
	defer own.Unlock()

	var was storage.Campaign
	w.key = appendText(append(w.key[:0], tableCampaign), c.Campaign)
	switch err := s.get(w.key, &was); {
	case err == nil && c.New != nil:
		return 0, storage.ErrExists
	case err != nil && (c.New == nil || !errors.Is(err, storage.ErrNotFound)):
		return 0, err
	}
	first := was.Last + 1 // of the targets that are new
	is, err := w.campaign(c, &was)
	if err != nil {
		return 0, err
	}
	for i := range c.Targets {
		t := &c.Targets[i]
		if t.Number > is.Last {
			return 0, fmt.Errorf("storage: commit for campaign %q with target %d, its last is %d", c.Campaign, t.Number, is.Last)
		}
		if err := w.target(t, t.Number >= first); err != nil {
			return 0, err
		}
	}
	for i := range c.Feed {
		w.entry = c.Feed[i]
		w.entry.Time, w.entry.Campaign, w.entry.Device = c.Time, c.Campaign, ""
		if err := w.append(); err != nil {
			return 0, err
		}
	}
	return s.publish(w, "")
}

// campaign writes the campaign's record, begins the feed with a change of its state, and returns the record. Edit may
// change maps of was in place.
func (w *writer) campaign(c *storage.CampaignCommit, was *storage.Campaign) (is *storage.Campaign, err error) {
	if c.New == nil && c.Edit == nil {
		return was, nil
	}
	is = was
	if c.New != nil {
		is = c.New
	}
	if c.Edit != nil {
		edited := *is
		if c.New != nil { // the caller's New stays as it is
			edited.Counts, edited.Groups = maps.Clone(is.Counts), maps.Clone(is.Groups)
		}
		if err := c.Edit(&edited); err != nil {
			return nil, err
		}
		if edited.ID != c.Campaign {
			return nil, fmt.Errorf("storage: campaign %q may not become %q", c.Campaign, edited.ID)
		}
		is = &edited
	}
	if err := w.put(w.key, is); err != nil {
		return nil, err
	}
	if is.State == was.State {
		return is, nil
	}
	w.entry = storage.FeedEntry{
		Time: c.Time, Kind: "campaign", Campaign: c.Campaign, Status: string(is.State), Text: is.Reason,
	}
	return is, w.append()
}

// target writes t and moves it in the indexes. Nothing is read for one that is new.
func (w *writer) target(t *storage.Target, isNew bool) error {
	w.key = appendTargetKey(w.key[:0], t.Campaign, t.Number)
	var was storage.Target
	if !isNew {
		if err := w.s.get(w.key, &was); err != nil && !errors.Is(err, storage.ErrNotFound) {
			return err
		}
	}
	if err := w.put(w.key, t); err != nil {
		return err
	}
	w.index(targetInKey(&was), targetInKey(t))
	old, now := targetNameKey(&was), targetNameKey(t)
	if old != nil && string(old) != string(now) {
		w.delete(old)
	}
	if now != nil && string(old) != string(now) {
		w.set(now, binary.BigEndian.AppendUint64(nil, t.Number))
	}
	return nil
}

// targetInKey is the entry of t among the targets of its state, nil where it has come to its end.
func targetInKey(t *storage.Target) []byte {
	switch t.State {
	case storage.TargetPending, storage.TargetHeld, storage.TargetBegun:
		return appendUint(appendTime(appendTargetsIn(nil, t.Campaign, t.State), t.NotBefore), t.Number)
	}
	return nil
}

// targetNameKey is the entry of t among the campaign's numbers, nil where it has none.
func targetNameKey(t *storage.Target) []byte {
	if t.MSISDN == "" || t.State == storage.TargetRefused {
		return nil
	}
	return appendTargetName(nil, t.Campaign, t.MSISDN)
}

// Campaign reads a campaign.
func (s *Store) Campaign(id string) (*storage.Campaign, error) {
	return one[storage.Campaign](s, appendText([]byte{tableCampaign}, id))
}

// Campaigns lists campaigns by ID.
func (s *Store) Campaigns(behind string, limit int) ([]storage.Campaign, error) {
	lower := []byte{tableCampaign}
	if behind != "" {
		lower = after(appendText(lower, behind))
	}
	return rows[storage.Campaign](s, lower, []byte{tableCampaign + 1}, limit)
}

// Target reads a target.
func (s *Store) Target(campaign string, number uint64) (*storage.Target, error) {
	return one[storage.Target](s, appendTargetKey(nil, campaign, number))
}

// FindTarget looks a target up by its number.
func (s *Store) FindTarget(campaign, msisdn string) (number uint64, err error) {
	if err := s.enter(); err != nil {
		return 0, err
	}
	defer s.gate.leave()
	key := appendTargetName(nil, campaign, msisdn)
	value, closer, err := s.db.Get(key)
	if err != nil {
		return 0, s.readError(key, err)
	}
	defer closeRead(closer, &err)
	if len(value) != lenUint {
		return 0, damagedKey(key)
	}
	return binary.BigEndian.Uint64(value), nil
}

// Targets lists the targets of a campaign by number.
func (s *Store) Targets(campaign string, behind uint64, limit int) ([]storage.Target, error) {
	prefix := appendText([]byte{tableTarget}, campaign)
	lower := after(appendTargetKey(nil, campaign, behind))
	if behind == 0 {
		lower = prefix
	}
	return rows[storage.Target](s, lower, after(prefix), limit)
}

// TargetsIn lists the targets of a campaign in one state whose NotBefore is not after now.
func (s *Store) TargetsIn(
	campaign string, state storage.TargetState, now time.Time, limit int,
) ([]storage.Target, error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	defer s.gate.leave()
	if limit < 1 {
		return nil, nil
	}
	var list []storage.Target
	lower := appendTargetsIn(nil, campaign, state)
	upper := after(appendTime(bytes.Clone(lower), now))
	err := s.scan(lower, upper, func(key, _ []byte) (bool, error) {
		if len(key) != len(lower)+lenTime+lenUint {
			return false, damagedKey(key)
		}
		var t storage.Target
		number := binary.BigEndian.Uint64(key[len(lower)+lenTime:])
		if err := s.get(appendTargetKey(nil, campaign, number), &t); err != nil {
			return false, dangling(key, err)
		}
		if t.State == state && !t.NotBefore.After(now) { // else it changed between the index and the record
			list = append(list, t)
		}
		return len(list) < limit, nil
	})
	return list, err
}
