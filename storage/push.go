package storage

import (
	"fmt"
	"strings"
)

// Tail is the part of a number that is the same however it is written: national, international, with or without "+".
func Tail(number string) string {
	n := strings.TrimLeft(number, "+0")
	return n[max(0, len(n)-tailDigits):]
}

const tailDigits = 7

// SameNumber says whether two numbers are the same as far as their shorter form tells.
func SameNumber(a, b string) bool {
	a, b = strings.TrimLeft(a, "+0"), strings.TrimLeft(b, "+0")
	if len(a) < len(b) {
		a, b = b, a
	}
	return a == b || len(b) >= tailDigits && strings.HasSuffix(a, b)
}

// UnderWay says whether p has left the queue and has not come to its end: a modem has it, or something is waited for.
func (p *PushJob) UnderWay() bool {
	return p.State == PushSending || p.Awaits()
}

// Awaits says whether delivery reports of p are waited for.
func (p *PushJob) Awaits() bool {
	return (p.State == PushSent || p.State == PushDoubtful) && !p.Until.IsZero()
}

// AwaitsUnknown says whether a delivery report may be that of segment s though its reference is not known: the modem
// did not tell what became of it.
func (p *PushJob) AwaitsUnknown(s *Segment) bool {
	return p.State == PushDoubtful && !s.Sent && !s.Reported
}

// KindCertificate is the Kind of a push that brings a root certificate, or a link to it. It often belongs to the order of
// a bootstrap, which waits for it, so the feed tells of it under a kind of its own.
const KindCertificate = "certificate"

// PushNews is the feed entry that a push makes by going from one state to another. A new push that is queued makes
// none, and neither does a mere attempt.
func PushNews(was, is *PushJob) (FeedEntry, bool) {
	text := ""
	switch {
	case was.State == is.State:
		return FeedEntry{}, false
	case is.State == PushSent:
		text = fmt.Sprintf("%d segments sent through %s", len(is.Segments), is.Modem)
	case is.State == PushDelivered:
		text = "delivered"
	case is.State == PushDoubtful:
		text = "perhaps sent: " + is.Error
	case is.State == PushFailed:
		text = "given up: " + is.Error
	case is.State == PushQueued && was.State != "":
		text = "to be tried again: " + is.Error
	default:
		return FeedEntry{}, false
	}
	kind := "push"
	if is.Kind == KindCertificate {
		kind = is.Kind
	}
	return FeedEntry{Kind: kind, Order: is.Order, Status: string(is.State), Count: len(is.Segments), Text: text}, true
}
