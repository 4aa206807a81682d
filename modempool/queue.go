package modempool

import (
	"errors"
	"time"

	"dmgate/storage"
)

// Queue is where pushes come from and where their fate is written. The gateway's fleet implements it. It is called from
// several goroutines, never for one push at the same time by those that send it, and keeps no job it was given.
//
// A push that a modem is to send is queued in the store until its claim, the Save in state sending: a crash before that
// gives it back by itself. What is waited for after it was sent is in the store as well, so that the pool keeps nothing
// of it.
type Queue interface {
	// Flows lists the flows with a push that is due, by priority, then by name, beginning with the one given.
	Flows(now time.Time, from storage.Flow, limit int) ([]storage.Flow, error)
	// Due lists queued pushes of a flow whose NotBefore has come, by age.
	Due(flow storage.Flow, now time.Time, limit int) ([]storage.PushJob, error)
	// Overdue lists pushes in state sending, then those whose Until has come.
	Overdue(now time.Time, limit int) ([]storage.PushJob, error)
	// Awaiting lists the pushes that a delivery report may be for: those with a segment of this reference, the newest
	// first, then those with a segment whose reference is not known.
	Awaiting(modem, number string, reference uint8) ([]storage.PushJob, error)

	// PDU renders the WSP push to be sent, for port 2948. Its error fails the push.
	PDU(job *storage.PushJob) ([]byte, error)

	// Save writes a push that a modem has, durable when it returns. In state sending it is the claim: its error keeps the
	// push from being sent, and is ErrWithdrawn where it is not wanted any more, and not due again. Other errors are tried
	// again, as the SMS are out.
	Save(job *storage.PushJob) error
	// Edit changes a push that no modem has, as it stands, together with what follows from that. An error of change
	// abandons it.
	Edit(device storage.DeviceID, push uint64, change func(*storage.PushJob) error) error

	// Received takes an SMS that came in. It is forgotten by the modem when this returns without an error.
	Received(sms Received) error
	// Noticed tells what happened to a modem as a whole, in words.
	Noticed(modem, text string) error

	// Setting and PutSetting keep what has to outlive the process; storage.ErrNotFound where nothing was set.
	Setting(name string) ([]byte, error)
	PutSetting(name string, value []byte) error
}

// ErrWithdrawn is the error of claiming a push that was withdrawn after it was found due.
var ErrWithdrawn = errors.New("modempool: the push was withdrawn")
