package fleet

import (
	"errors"
	"fmt"
	"time"

	"dmgate/storage"
)

// What becomes of a ticket. Each event is one commit for the device: what its job is told, and a feed entry of kind
// "ticket". The ticket's own record follows. After a kill between the two the event may be told once more, and is never
// lost; its job hears of it once.

// Events of a ticket, as the feed has them in Status.
const (
	ticketOpened   = "opened"
	ticketFetched  = "fetched"
	ticketReported = "reported"
	ticketClosed   = "closed"
)

// maxReports bounds how often a device may say what has become of the installation.
const maxReports = 8

// TicketOpened records that a link was opened, the first time. It is called before the first byte of the file is sent.
func (f *Fleet) TicketOpened(t *storage.Ticket) error {
	now := f.opt.Clock()
	err := f.ticketEvent(t, now, ticketOpened, what(t)+" was opened", func(j *storage.Job) error {
		if t.Purpose != ticketDM && j.Opened.IsZero() {
			j.Opened = now
		}
		return nil
	})
	if err != nil {
		return err
	}
	return f.editTicket(t.ID, func(t *storage.Ticket) error {
		if t.Opened.IsZero() {
			t.Opened = now
		}
		return nil
	})
}

// TicketFetched records that all of a file was sent, and counts a use. It is called before the last byte leaves, so
// that no device has a file of which that is not known. asked and sent are the requests and bytes that were not counted
// yet.
func (f *Fleet) TicketFetched(t *storage.Ticket, asked int, sent int64) error {
	now := f.opt.Clock()
	text := fmt.Sprintf("%s was downloaded whole (%d of %d)", what(t), t.Used+1, t.Uses)
	err := f.ticketEvent(t, now, ticketFetched, text, func(j *storage.Job) error {
		if t.Purpose != ticketDM && j.Fetched.IsZero() {
			j.Fetched = now
		}
		return nil
	})
	if err != nil {
		return err
	}
	return f.editTicket(t.ID, func(t *storage.Ticket) error {
		if t.Fetched.IsZero() {
			t.Fetched = now
		}
		t.Used++
		t.Asked += asked
		t.Sent += sent
		return nil
	})
}

// TicketReported records what a device says of the installation, as in "900 Success": the status line of an OMA DL
// install notification. The same line again, and more lines than make sense, are let go.
func (f *Fleet) TicketReported(t *storage.Ticket, line string) error {
	if t.Status == line || t.Reports >= maxReports {
		return nil
	}
	err := f.ticketEvent(t, f.opt.Clock(), ticketReported, "the device says of "+what(t)+": "+line, nil)
	if err != nil {
		return err
	}
	return f.editTicket(t.ID, func(t *storage.Ticket) error {
		t.Status = line
		t.Reports++
		return nil
	})
}

// CloseTicket ends a ticket that was used as no device would use it. Its job is told.
func (f *Fleet) CloseTicket(t *storage.Ticket, why string) error {
	if t.Closed != "" {
		return nil
	}
	if err := f.ticketEvent(t, f.opt.Clock(), ticketClosed, what(t)+" was closed: "+why, nil); err != nil {
		return err
	}
	return f.endTicket(t.ID, why)
}

// ticketEvent tells the feed of an event and writes it into the timeline of the ticket's job, which change may change
// besides.
func (f *Fleet) ticketEvent(
	t *storage.Ticket, now time.Time, event, text string, change func(*storage.Job) error,
) error {
	c := storage.Commit{
		Device: t.Device, Time: now,
		Feed: []storage.FeedEntry{{Kind: "ticket", Order: t.Job, Status: event, Text: text}},
	}
	if t.Job != "" {
		c.JobEdits = []storage.JobEdit{{ID: t.Job, Edit: func(j *storage.Job) error {
			j.Note(now, text)
			if change == nil {
				return nil
			}
			return change(j)
		}}}
	}
	err := f.store.Commit(&c)
	if errors.Is(err, storage.ErrNotFound) { // an order that is no job
		c.JobEdits = nil
		err = f.store.Commit(&c)
	}
	return err
}

// what is how the feed calls what a ticket serves.
func what(t *storage.Ticket) string {
	name := t.File.Name
	if t.Title != "" {
		name = t.Title
	}
	if t.Version != "" {
		name += " " + t.Version
	}
	switch t.Purpose {
	case ticketLink:
		return "the link to " + name
	case ticketCertificate:
		return "the link to the certificate " + name
	}
	return "the package " + name
}
