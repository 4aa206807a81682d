package modempool

import (
	"testing"

	"dmgate/codec/push"
	"dmgate/modempool/modemsim"
	"dmgate/storage"
)

// A SIM full of SMS, binary ones and broken ones among them, and more that come in meanwhile: the pushes go out, each SMS
// reaches the queue once, and the SIM is empty in the end (D9, D11).
func TestFullSIM(t *testing.T) {
	t.Parallel()
	var inbox [][]byte
	for i := range 120 {
		tpdu := unhex(wapPDU)[1:]
		switch i % 3 {
		case 1:
			tpdu = unhex("04099194710100F100006211526000000005C8329BFD06")
		case 2:
			tpdu = unhex("44099194710100F100046211526000000000") // a header that is not there
		}
		inbox = append(inbox, tpdu)
	}
	const later = 10
	q, n := newQueue(pushes(5)...), newNetwork()
	r := start(t, quick(), q, n, modemsim.Character{Inbox: inbox})
	q.awaitState(t, storage.PushDelivered)
	for range later {
		if err := r.bank.Receive(0, push.Deliver{Originator: "+491710009", DCS: push.DCS8Bit, UD: []byte{1}}); err != nil {
			t.Fatal(err)
		}
	}
	r.awaitModem(0, "all SMS", func(s Status) bool { return int(s.Inbound) == len(inbox)+later })
	r.stop()
	if left := len(r.bank.Inbox(0)); left != 0 {
		t.Errorf("%d SMS left on the SIM", left)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	texts, binary, broken := 0, 0, 0
	for _, in := range q.received {
		switch {
		case in.Modem != r.pool.Modems()[0].ID:
			t.Errorf("%+v", in)
		case in.Problem != "":
			broken++
		case in.Text == "Hello":
			texts++
		case in.Data != "":
			binary++
		}
	}
	if texts != 40 || broken != 40 || binary != 40+later {
		t.Errorf("%d texts, %d broken, %d binary", texts, broken, binary)
	}
}
