package main

import (
	"testing"
	"time"

	"dmgate/bench/handset"
	"dmgate/gateway/api"
	"dmgate/storage"
)

// notify makes and starts a campaign that wants nothing but a session of each device.
func (s *site) notify(t *testing.T, devices []storage.DeviceID) (id string) {
	t.Helper()
	var made api.CreatedCampaign
	in := api.NewCampaign{Kind: "notify", Devices: devices, Start: true}
	if err := s.up.call(t.Context(), "POST", "campaigns", in, &made); err != nil {
		t.Fatal(err)
	}
	return made.ID
}

// settled says whether so many sessions have come to their end and none is wanted.
func (s *site) settled(sessions int) bool {
	c := s.phones.Counts()
	for _, h := range s.phones.Handsets() {
		if h.Ready() {
			return false
		}
	}
	return c.Closed == sessions && c.Sessions == sessions
}

// A notification brings handsets of every make: each checks it as it does, over the nonce that its own sessions have
// left, and comes by itself with Alert 1200. The second campaign finds that the nonces have moved on alike.
func TestCampaignOfNotifications(t *testing.T) {
	makes := handset.AllMakes()
	phones := 2 * len(makes)
	s := newSite(t, 4, time.Millisecond, handset.Options{Count: phones, Makes: makes})
	ids, err := s.up.register(t.Context(), s.phones.Handsets())
	if err != nil {
		t.Fatal(err)
	}
	s.bootstrap(t, ids, s.phones.Handsets())
	s.await(t, "the devices are discovered", func() bool {
		for _, id := range ids {
			if d, err := s.store.Device(id); err != nil || d.State != storage.Discovered {
				return false
			}
		}
		return s.settled(phones)
	})
	for round := 1; round <= 2; round++ {
		campaign := s.notify(t, ids)
		s.await(t, "all have come", func() bool {
			return s.campaign(t, campaign).State == storage.CampaignDone && s.settled(phones*(1+round))
		})
		if c := s.campaign(t, campaign); c.Counts["done"] != phones {
			t.Errorf("round %d: %+v", round, c.Counts)
		}
		for _, h := range s.phones.Handsets() {
			if r := h.Result(); r.Triggered != round || r.Notifications != round || r.Unheeded != 0 {
				t.Errorf("round %d: %s: %+v", round, h.Make.Name, r)
			}
		}
	}
	for _, v := range s.phones.Violations() {
		t.Errorf("violation: %v", v.String())
	}
}

// A user who hesitates keeps an order waiting; one who declines keeps it open until its deadline (trap 26).
func TestNotificationToUsers(t *testing.T) {
	agree := make(chan func(), 1)
	s := newSite(t, 1, time.Millisecond, handset.Options{
		Count: 2, Makes: []*handset.Make{handset.S60}, Hesitating: 0.5, Declining: 0.5,
		After: func(_ time.Duration, f func()) { agree <- f },
	})
	ids, err := s.up.register(t.Context(), s.phones.Handsets())
	if err != nil {
		t.Fatal(err)
	}
	s.bootstrap(t, ids, s.phones.Handsets())
	s.await(t, "the devices are discovered", func() bool { return s.settled(2) })
	campaign := s.notify(t, ids)
	s.await(t, "both are notified", func() bool { return s.phones.Counts().Notifications == 2 })
	if c := s.campaign(t, campaign); c.Counts["done"] != 0 || s.phones.Counts().Triggered != 0 {
		t.Errorf("before anybody has agreed: %+v", c.Counts)
	}
	(<-agree)()
	s.await(t, "the one who hesitates has come", func() bool {
		return s.campaign(t, campaign).Counts["done"] == 1 && s.settled(3)
	})
	if c := s.campaign(t, campaign); c.State != storage.CampaignRunning {
		t.Errorf("it is %s although one has declined: %+v", c.State, c.Counts)
	}
}

// The notification of a resynchronisation brings a handset that verifies digests: it takes the zero nonce.
func TestResyncOnHandset(t *testing.T) {
	s := newSite(t, 1, time.Millisecond, handset.Options{Count: 1, Makes: []*handset.Make{handset.RedBend}})
	ids, err := s.up.register(t.Context(), s.phones.Handsets())
	if err != nil {
		t.Fatal(err)
	}
	s.bootstrap(t, ids, s.phones.Handsets())
	s.await(t, "the device is discovered", func() bool { return s.settled(1) })
	if err := s.fleet.Resync(ids[0]); err != nil {
		t.Fatal(err)
	}
	s.await(t, "it has come", func() bool { return s.settled(2) })
	if c := s.phones.Counts(); c.Triggered != 1 || c.Violations != 0 {
		t.Errorf("%+v: %v", c, s.phones.Violations())
	}
}
