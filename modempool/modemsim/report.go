package modemsim

import (
	"time"

	"dmgate/codec/push"
)

// makeReport has the status report of an SMS sent in its time. early says that this is before the SMS is answered.
func (m *modem) makeReport(s *push.Submit, fate Fate) (early bool) {
	n := m.reported
	m.reported++
	var ways ReportWays
	if m.c.Report != nil {
		ways = m.c.Report(n)
	}
	if m.c.ReportMissing > 0 || m.c.ReportTwice > 0 {
		r := m.draw(reportsByRate, n)
		ways.Lost = r.Float64() < m.c.ReportMissing || ways.Lost
		ways.Twice = r.Float64() < m.c.ReportTwice || ways.Twice
	}
	if ways.Lost {
		return false
	}
	now := time.Now().Truncate(time.Second)
	r := push.StatusReport{Reference: m.mr, Recipient: s.Destination, SCTS: now, Discharge: now, Status: fate.Status}
	if ways.WrongReference {
		r.Reference += 100
	}
	a := arrival{report: true, tpdu: r.Append(nil)}
	times := 1
	if ways.Twice {
		times = 2
	}
	switch after := fate.After + ways.Late + m.c.ReportDelay.draw(m.draw(reportDelays, n)); {
	case ways.Early:
		m.arrive(a, times)
		return true
	case ways.At != BeforeAnswer:
		m.mu.Lock()
		for range times {
			m.held[ways.At] = append(m.held[ways.At], a)
		}
		m.mu.Unlock()
	default:
		time.AfterFunc(after, func() { m.arrive(a, times) })
	}
	return false
}
