package sessions

import (
	"time"

	"dmgate/storage"
)

// Slot is the place of one device's session. Between Enter and Leave it belongs to one caller alone.
type Slot struct {
	Device  storage.DeviceID
	Session *Session // nil where none is in memory: its checkpoint has it, or there is none
	// Guest is a session that somebody has begun in the device's name while the device has Session open and proved. It
	// takes Session's place once it is proved as well: whoever only knows the name can not end a device's session.
	Guest *Session

	from     Source
	used     int64 // when the last message came, in nanoseconds, as are all times here: a third of a time.Time
	started  int64
	occupied bool // between Enter and Leave
	open     bool // holds a session, in memory or not
	patient  bool // its device has proved itself, and is not merely to answer our goodbye
	named    bool // the last message named the device in its address
	active   bool // counts in shard.active

	// Where the wheel has it.
	tick       int64 // 0 for nowhere
	next, prev *Slot
}

// live is the session in s that takes messages; nil where there is none.
func (s *Slot) live() *Session {
	for _, v := range [...]*Session{s.Session, s.Guest} {
		if v != nil && v.isOpen() {
			return v
		}
	}
	return nil
}

// Takes is the session in s that a message belongs to; nil where it begins another.
//
// Phones that name all their sessions alike, and begin again while we hold the last one open, mean the guest with what
// comes next: where it is not Session's turn, or where the message proves itself over the nonce that the guest was
// challenged with.
func (s *Slot) Takes(now time.Time, req *Request) *Session {
	own, guest := s.Session, s.Guest
	switch {
	case guest == nil || !guest.Takes(now, req):
		if own == nil || !own.Takes(now, req) {
			return nil
		}
		return own
	case own == nil || !own.Takes(now, req):
		return guest
	case own.repeats(req) || own.isStale(now, req):
		return own
	case guest.isNext(req) && (!own.isNext(req) || guest.isProvedBy(now, req)):
		return guest
	}
	return own
}

// isNext says whether it is this message's turn in s.
func (s *Session) isNext(req *Request) bool { return s.inTurn(number(req.Message.Header.MsgID)) }

// isProvedBy says whether a message answers the challenge of s.
func (s *Session) isProvedBy(now time.Time, req *Request) bool {
	if len(s.nonce) == 0 {
		return false
	}
	proof, _ := s.check(now, req)
	return proof == ByMD5 || proof == ByHMAC
}
