package fleet

import (
	"strings"
	"testing"

	"dmgate/storage"
)

// What is judged are the last outcomes, at least half of HoldOver.
func TestHold(t *testing.T) {
	for _, c := range []struct {
		name     string
		how      storage.Pacing
		outcomes string // g: good, b: bad
		want     string // at the last outcome; before it nothing is held
	}{
		{"never", storage.Pacing{HoldOver: 4}, "bbbbbbbb", ""},
		{"too few", storage.Pacing{HoldAbove: 0.5, HoldOver: 8}, "bbb", ""},
		{"enough", storage.Pacing{HoldAbove: 0.5, HoldOver: 8}, "bbbb", "4 of the last 4 outcomes were failures, more than 50 %"},
		{"at the share", storage.Pacing{HoldAbove: 0.5, HoldOver: 8}, "gbgbgbgb", ""},
		{"above it", storage.Pacing{HoldAbove: 0.5, HoldOver: 8}, "ggbbgbb", "4 of the last 7 outcomes were failures, more than 50 %"},
		{"a good one holds nothing", storage.Pacing{HoldAbove: 0.1, HoldOver: 8}, "gggg", ""},
		{"what is long past", storage.Pacing{HoldAbove: 0.5, HoldOver: 4}, "ggggggggggggggbbb", "3 of the last 3 outcomes were failures, more than 50 %"},
		{"one alone", storage.Pacing{HoldAbove: 0.9, HoldOver: 1}, "b", "1 of the last 1 outcomes were failures, more than 90 %"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var g storage.Group
			got := ""
			for i, o := range c.outcomes {
				if got != "" {
					t.Fatalf("held at outcome %d already: %s", i, got)
				}
				got = judge(&g, &c.how, o == 'g')
			}
			if got != c.want {
				t.Errorf("held: %q, want %q", got, c.want)
			}
			if good := strings.Count(c.outcomes, "g"); g.Good != good || g.Bad != len(c.outcomes)-good {
				t.Errorf("%d good and %d bad counted of %s", g.Good, g.Bad, c.outcomes)
			}
		})
	}
}

// A campaign is held for what is wrong everywhere, not for a TAC or operator that is held for itself.
func TestHoldOfTheSmallest(t *testing.T) {
	how := storage.Pacing{HoldAbove: 0.5, HoldOver: 8}
	for _, c := range []struct {
		name     string
		outcomes string // one operator each: upper case good, lower case bad
		held     string // operators
		all      bool
	}{
		{"one of two", "AbAbAbAbAb", "b", false},
		{"what was under way of it", "AbAbAbAbbbbbbbb", "b", false},
		{"two of them", "AbAbAbAbCdCdCdCdCd", "bd", false},
		{"here and there", "abcd", "", true},
		{"most of them", "AbcdAefg", "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			campaign := &storage.Campaign{State: storage.CampaignRunning, How: how}
			for _, letter := range c.outcomes {
				good := letter < 'a'
				name := "operator:" + strings.ToLower(string(letter))
				(&outcome{groups: []string{name}, good: good}).apply(campaign, epoch)
			}
			held := ""
			for _, letter := range "abcdefg" {
				if campaign.Groups["operator:"+string(letter)].Held != "" {
					held += string(letter)
				}
			}
			if all := campaign.State == storage.CampaignHeld; held != c.held || all != c.all {
				t.Errorf("held are operators %q, the campaign: %v (%s), want %q and %v", held, all, campaign.Reason, c.held, c.all)
			}
			g := campaign.Groups[groupAll]
			if g.Good+g.Bad != len(c.outcomes) {
				t.Errorf("%d good and %d bad outcomes, there were %d", g.Good, g.Bad, len(c.outcomes))
			}
		})
	}
}

func TestCanary(t *testing.T) {
	for _, c := range []struct {
		name           string
		pending, begun int
		how            storage.Pacing
		canary         storage.Canary
		passed, failed bool
	}{
		{"none", 100, 0, storage.Pacing{}, storage.Canary{}, true, false},
		{"to be begun", 100, 0, storage.Pacing{Canary: 10, CanaryGood: 0.8}, storage.Canary{}, false, false},
		{"not enough", 90, 10, storage.Pacing{Canary: 10, CanaryGood: 0.8}, storage.Canary{Begun: 10, Good: 7, Bad: 2}, false, false},
		{"enough", 90, 10, storage.Pacing{Canary: 10, CanaryGood: 0.8}, storage.Canary{Begun: 10, Good: 8, Bad: 2}, true, false},
		{"too many failed", 90, 10, storage.Pacing{Canary: 10, CanaryGood: 0.8}, storage.Canary{Begun: 10, Good: 0, Bad: 3}, false, true},
		{"passed before it was made larger", 90, 10, storage.Pacing{Canary: 50, CanaryGood: 0.8}, storage.Canary{Begun: 10, Good: 9, Passed: true}, true, false},
		{"more than there are", 0, 5, storage.Pacing{Canary: 10, CanaryGood: 0.8}, storage.Canary{Begun: 5, Good: 3, Bad: 1}, false, false},
		{"all of them", 0, 5, storage.Pacing{Canary: 10, CanaryGood: 0.8}, storage.Canary{Begun: 5, Good: 4, Bad: 1}, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &storage.Campaign{How: c.how, Canary: c.canary, Counts: map[string]int{"pending": c.pending, "begun": c.begun}}
			if canaryPassed(s) != c.passed || canaryFailed(s) != c.failed {
				t.Errorf("passed %v, failed %v, want %v and %v", canaryPassed(s), canaryFailed(s), c.passed, c.failed)
			}
		})
	}
}
