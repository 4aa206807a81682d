package fleet

import (
	"fmt"
	"testing"
	"time"

	"dmgate/gateway/recipe"
	"dmgate/storage"
)

// What a job tells those who learn: the user's no and our own faults are not the recipe's.
func TestJobsTellTheOutcome(t *testing.T) {
	failed := func(v recipe.Verdict) func(*jobSituation) decision {
		v.State = recipe.Failed
		return func(s *jobSituation) decision { return s.heard(&v) }
	}
	for _, c := range []struct {
		name   string
		state  storage.JobState
		tried  []string
		decide func(*jobSituation) decision
		want   string
	}{
		{"the device says no", storage.JobInstalling, nil, failed(recipe.Verdict{Reason: "404"}), "scomo failed 404"},
		{"the user says no", storage.JobInstalling, nil, failed(recipe.Verdict{Reason: "401", User: true}),
			"scomo refused the user has refused it: 401"},
		{"it is tried once more", storage.JobInstalling, nil, failed(recipe.Verdict{Reason: "500", Again: true}), ""},
		{"it was tried once more", storage.JobInstalling, []string{"scomo"}, failed(recipe.Verdict{Reason: "500", Again: true}),
			"scomo failed 500"},
		{"time is up", storage.JobInstalling, nil, func(s *jobSituation) decision {
			s.Now = s.Now.Add(time.Hour)
			return s.decide()
		}, "scomo ours its deadline has passed while it waited for "},
		{"no modem sends the link", storage.JobAwaitsDownload, nil, func(s *jobSituation) decision {
			s.Push, s.Fault = storage.PushFailed, "no modem"
			return s.awaitDownload()
		}, "si ours it could not be sent: no modem"},
		{"nobody opens the link", storage.JobAwaitsDownload, nil, func(s *jobSituation) decision {
			s.Push = storage.PushDelivered
			return s.awaitDownload()
		}, "si refused the link was not opened"},
	} {
		j := &storage.Job{ID: "j", State: c.state, Way: storage.JobWay{Recipe: "scomo"}}
		j.What.Deadline = epoch.Add(time.Minute)
		if c.state == storage.JobAwaitsDownload {
			j.Way, j.What.Fallback, j.Fallback = storage.JobWay{}, []string{"si"}, 1
		}
		for _, way := range c.tried {
			j.Tried = append(j.Tried, storage.JobTry{Recipe: way})
		}
		s := &jobSituation{Job: j, Now: epoch}
		d := c.decide(s)
		turn := &jobTurn{now: epoch, commit: &storage.Commit{}}
		if d.Move == next || d.Move == retry {
			turn.wayFailed(s, &d)
		} else {
			turn.leave(j, &d)
		}
		got := ""
		for _, e := range turn.commit.Feed {
			got += fmt.Sprintf("%s %s %s", e.Recipe, e.Status, e.Text)
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
