package modempool

import (
	"slices"
	"strings"
	"testing"
	"time"

	"dmgate/modempool/modemsim"
	"dmgate/storage"
)

// What a modem may do without anything being lost, sent twice or written where nothing must be: a number of segments
// beyond nine is those of pushes that were broken off.
func TestHabitsAndFaults(t *testing.T) {
	t.Parallel()
	once := func(send int, f modemsim.Fault) func(int) modemsim.Fault {
		return modemsim.At(map[int]modemsim.Fault{send: f})
	}
	at := func(p modemsim.Point) func(int) modemsim.ReportWays {
		return func(n int) modemsim.ReportWays {
			if n%2 == 0 && n < 8 {
				return modemsim.ReportWays{At: p}
			}
			return modemsim.ReportWays{}
		}
	}
	text := modemsim.Text("+49171", "Hello")
	bin := modemsim.Binary("+49171", []byte{1, 2, 3})
	urc := "\r\n^BOOT:20952548,0,0,0,75\r\n"
	junk := strings.Repeat("junk", 17500)
	for _, test := range []struct {
		does     string
		c        modemsim.Character
		accepted int
	}{
		{"boot noise", modemsim.Character{Noise: 0.3, Lines: []string{"^BOOT:20952548,0,0,0,75"}}, 9},
		{"boot at prompt", modemsim.Character{Says: modemsim.SaysAt(modemsim.BeforePrompt, urc)}, 9},
		{"70k junk before answer", modemsim.Character{Says: modemsim.SaysAt(modemsim.BeforeReference, junk)}, 9},
		{"70k junk before prompt", modemsim.Character{Says: modemsim.SaysAt(modemsim.BeforePrompt, junk)}, 9},
		{"70k junk after ok", modemsim.Character{Says: modemsim.SaysAt(modemsim.AfterOK, junk+"\r\n")}, 9},
		{"losectrlz", modemsim.Character{Fault: once(2, modemsim.Fault{Kind: modemsim.LoseCtrlZ})}, 11},
		{"hang at prompt", modemsim.Character{Fault: once(2, modemsim.Fault{Kind: modemsim.HangAtPrompt, For: 700 * time.Millisecond})}, 11},
		{"reboot after", modemsim.Character{Fault: once(1, modemsim.Fault{Kind: modemsim.RebootAfter}), Greeting: "\r\nRDY\r\n"}, 11},
		{"reboot after last", modemsim.Character{Fault: once(2, modemsim.Fault{Kind: modemsim.RebootAfter})}, 9},
		{"sip", modemsim.Character{Sip: 1, Chunk: 1}, 9},
		{"cds before prompt", modemsim.Character{Report: at(modemsim.BeforePrompt)}, 9},
		{"cds after prompt", modemsim.Character{Report: at(modemsim.AfterPrompt)}, 9},
		{"cds after pdu", modemsim.Character{Report: at(modemsim.AfterPDU)}, 9},
		{"cds before ok", modemsim.Character{Report: at(modemsim.BeforeOK)}, 9},
		{"cds after ok", modemsim.Character{Report: at(modemsim.AfterOK)}, 9},
		{"full", modemsim.Character{Inbox: slices.Repeat([][]byte{bin.Append(nil)}, 101)}, 9},
		{"mixed inbox", modemsim.Character{Inbox: [][]byte{text.Append(nil), {4, 0xff}, {1}, bin.Append(nil)}}, 9},
		{"huawei", modemsim.Character{Maker: "huawei", ICCIDQuery: "^ICCID?", LTEOnly: true, IMEIFormat: `+CGSN: "%s"`}, 9},
		{"stored reports only", modemsim.Character{Refuses: []string{"AT+CNMI=1,2,0,1", "AT+CNMI=2,2,0,1", "AT+CNMI=1,1,0,1", "AT+CNMI=2,1,0,1"}}, 9},
		{"stored reports, full inbox", modemsim.Character{Inbox: slices.Repeat([][]byte{bin.Append(nil)}, 101), Refuses: []string{"AT+CNMI=1,2,0,1", "AT+CNMI=2,2,0,1", "AT+CNMI=1,1,0,1", "AT+CNMI=2,1,0,1"}}, 9},
		{"first slot 1", modemsim.Character{FirstSlot: 1, Inbox: [][]byte{text.Append(nil)}}, 9},
		{"errors by rate", modemsim.Character{ErrorRate: 0.3, Errors: []int{38, 42, 500}}, -1},
		{"no identity", modemsim.Character{Refuses: []string{"AT+CGSN", "AT+CIMI", "AT+CCID", "AT+ICCID"}}, 9},
		{"roaming", modemsim.Character{Roaming: true, RegisterAfter: 3}, 9},
		{"twice", modemsim.Character{ReportTwice: 0.5, ReportDelay: modemsim.Span{Mean: 20 * time.Millisecond, Spread: 1}}, 9},
	} {
		t.Run(test.does, func(t *testing.T) {
			t.Parallel()
			o := quick()
			impatient(&o)
			o.Attempts = 30
			q, n := newQueue(pushes(3)...), newNetwork()
			r := start(t, o, q, n, test.c)
			defer func() {
				if t.Failed() {
					t.Logf("%+v", r.bank.Counts()[0])
					for _, e := range r.pool.Modems()[0].Ring {
						t.Logf("%.80s %.200q", e.Sent, e.Lines)
					}
				}
			}()
			q.awaitState(t, storage.PushDelivered)
			r.stop()
			c := r.bank.Counts()[0]
			if c.Accepted != test.accepted && test.accepted > 0 {
				t.Errorf("%d segments accepted, want %d", c.Accepted, test.accepted)
			}
			if c.Violations > 0 || c.Misdialled > 0 {
				t.Errorf("written where nothing must be: %+v", c)
			}
			n.arrived(t, q)
		})
	}
}
