package fleet

import (
	"cmp"
	"errors"
	"time"

	"dmgate/storage"
)

// wayPush is the fallback of a root certificate or of access points: a push of their own, which the device takes without
// an account.
const wayPush = "push"

// link takes the next fallback that is a push: a link for the user, or what the device takes by itself.
func (t *jobTurn) link(s *jobSituation, d *decision) error {
	j := s.Job
	t.leave(j, d)
	j.Fallback++
	j.Way, j.Opened, j.Fetched = storage.JobWay{}, time.Time{}, time.Time{}
	push, text, err := t.linkOf(j, d.Way)
	var refused *FieldError
	switch {
	case errors.As(err, &refused), errors.Is(err, errNoPackage):
		t.tried(j, d.Way, inWords(err))
		// The next one is decided upon as if this one had been sent in vain.
		j.Enter(storage.JobAwaitsDownload, t.now, d.Why+"; by "+d.Way+" it can not be done: "+inWords(err), d.Wait)
		s.Push, s.Fault, s.Moved = storage.PushFailed, inWords(err), t.now
		return nil
	case err != nil:
		return err
	}
	push.Priority, push.Flow = j.What.Priority, t.flow(campaignOf(j), t.dev.MSISDN)
	t.commit.Pushes = append(t.commit.Pushes, push)
	j.Enter(storage.JobAwaitsDownload, t.now, d.Why+": "+text, d.Wait)
	s.Push, s.Moved = storage.PushQueued, t.now
	return nil
}

// linkOf makes the push of a fallback, and says what it is.
func (t *jobTurn) linkOf(j *storage.Job, way string) (push storage.PushJob, text string, err error) {
	if way == wayPush {
		push, keep, text, err := t.settingsPush(t.dev, j.Kind, j.ID, j.What.Values, j.What.Sec, j.What.PIN)
		if err == nil && keep != nil {
			t.change(keep)
		}
		return push, text, err
	}
	pkg, why, err := t.choose(j, nil)
	if err != nil {
		return push, "", err
	}
	url, title := j.What.Values["package.url"], cmp.Or(j.What.Values["package.name"], j.What.Package)
	if pkg != nil {
		if url, j.Ticket, err = t.newTicket(j.ID, t.dev.ID, pkg, ticketLink); err != nil {
			return push, "", err
		}
		title = cmp.Or(pkg.Title, pkg.Name)
		if j.What.Chosen != pkg.ID {
			j.What.Chosen = pkg.ID
			for _, line := range why {
				j.Note(t.now, line)
			}
		}
	}
	if url == "" {
		return push, "", &FieldError{"package", "there is nothing to link to"}
	}
	if push, err = t.linkPush(t.dev, j.ID, way, url, linkText(t.opt.Tickets.Text, title, url)); err != nil {
		return push, "", err
	}
	return push, "the user is sent a link to " + title + " by " + way, nil
}
