package sessions

import (
	"fmt"
	"time"

	"dmgate/storage"
)

// Locks of an account. Options.Failures credentials refused one after the other, in one session or in several, lock it
// for the first of these; each further round doubles the time, up to the second.
const (
	firstLock = time.Minute
	maxLock   = time.Hour
)

// lockFor is how long round number n of refused credentials locks an account, from 1.
func lockFor(n int) time.Duration {
	d := firstLock
	for ; n > 1 && d < maxLock; n-- {
		d *= 2
	}
	return min(d, maxLock)
}

// refused counts a wrong credential, in the session and in the account. A missing one says nothing and is not counted
// there: many phones ask for their nonce in that way.
func (s *Session) refused(now time.Time, out *Outcome) {
	s.failures++
	a := s.account
	a.Failures++
	out.Commit.Account = a
	if a.Failures%s.opt.Failures > 0 {
		return
	}
	lock := lockFor(a.Failures / s.opt.Failures)
	a.LockedUntil = now.Add(lock)
	out.Commit.Feed = append(out.Commit.Feed, storage.FeedEntry{
		Kind: "session", Text: fmt.Sprintf("no new session for %v: %d credentials refused", lock, a.Failures),
	})
}

// locked says whether a message can not open a session now, whatever credential it has. It is answered as a device that
// is not known is, which costs no digest and no commit, and from which nobody learns that there is a lock.
//
// A session that is proved goes on. So the most that somebody can do who knows a device's name, and nothing else of it,
// is to delay its next session: by an hour at most, and by another each time that he gets a round of wrong credentials
// in before the device gets its right one. A device that a certificate proves is not held up: nobody fails in its name.
func (s *Session) locked(now time.Time, req *Request) bool {
	return s.proof == Unproved && now.Before(s.account.LockedUntil) && !s.transported(req)
}

// Stranger answers a message of a device that is not known: challenged like a known one with a wrong credential, so
// that nothing can be learned from the answer. Nothing is kept of it.
func Stranger(opt *Options, req *Request, out *Outcome) { turnAway(opt, "", req, out) }

// turnAway is the answer to a message that nobody looks into any further. scheme is what it is challenged for; empty
// where nothing says.
func turnAway(opt *Options, scheme string, req *Request, out *Outcome) {
	in := req.Message
	turn := number(in.Header.MsgID)
	s := Session{
		opt: opt, device: &storage.Device{}, account: &storage.Account{Scheme: scheme}, failures: int(turn), sent: turn,
	}
	out.reset("", time.Time{})
	if code := s.headerStatus(&in.Header); code != 0 {
		s.sent = 0
		s.reject(in, out, code)
		return
	}
	code := 401
	if !in.Header.Cred.Present() && !req.HMAC.Present() {
		code = 407
	}
	s.header(in, out, turn)
	s.challenge(req, out, code)
	out.Commit.Reset()
}
