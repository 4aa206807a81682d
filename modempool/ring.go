package modempool

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// Exchange is one thing said and what came back, or an unsolicited line with nothing said before it. PINs and PDUs
// are masked: PDUs hold passwords and numbers.
type Exchange struct {
	Time  time.Time
	Sent  string   // empty where the modem spoke first
	Lines []string // at most maxLines
}

const (
	ringSize = 64 // exchanges kept of each modem
	maxLines = 8  // lines kept of each exchange
)

// ring keeps the last exchanges with a modem. The worker writes, the API reads.
type ring struct {
	mu   sync.Mutex
	now  func() time.Time
	last [ringSize]Exchange
	n    uint64 // exchanges ever
	open bool   // lines belong to the last one
}

// sent starts an exchange.
func (r *ring) sent(text string) { r.add(Exchange{Time: r.now(), Sent: text}, true) }

// done ends an exchange: what comes now comes unasked.
func (r *ring) done() {
	r.mu.Lock()
	r.open = false
	r.mu.Unlock()
}

// line notes a line from the modem.
func (r *ring) line(text string) {
	r.mu.Lock()
	if r.open {
		e := &r.last[(r.n-1)%ringSize]
		if len(e.Lines) < maxLines {
			e.Lines = append(e.Lines, text)
		}
		r.mu.Unlock()
		return
	}
	r.mu.Unlock()
	r.add(Exchange{Time: r.now(), Lines: []string{text}}, false)
}

func (r *ring) add(e Exchange, open bool) {
	r.mu.Lock()
	r.last[r.n%ringSize] = e
	r.n++
	r.open = open
	r.mu.Unlock()
}

// exchanges returns what the ring holds, oldest first.
func (r *ring) exchanges() []Exchange {
	r.mu.Lock()
	defer r.mu.Unlock()
	k := min(r.n, ringSize)
	out := make([]Exchange, 0, k)
	for i := r.n - k; i < r.n; i++ {
		e := r.last[i%ringSize]
		e.Lines = append([]string(nil), e.Lines...)
		out = append(out, e)
	}
	return out
}

// masked is text without its secret: a command with a PIN in it is shown without the PIN.
func masked(text string) string {
	if strings.HasPrefix(text, "AT+CPIN=") {
		return `AT+CPIN="****"`
	}
	return text
}

// shown is what the ring keeps of a line from a modem. Only lines of a known build are kept as they are; of others,
// which may be a broken echo of a PIN or a PDU, their length. So it is with lines that hold somebody's number.
func shown(line string) string {
	if _, ok := final(line); ok {
		return line
	}
	if !wellFormed(line) {
		return fmt.Sprintf("(%d characters)", len(line))
	}
	name, value, _ := strings.Cut(line, ":")
	switch name {
	case "+CMT", "+CMGL", "+CMGR", "+CLIP", "+CNUM", "+CUSD", "+CIMI":
		if strings.ContainsRune(value, '"') || name == "+CIMI" {
			return fmt.Sprintf("%s: (%d characters)", name, len(value))
		}
	}
	return line
}

// wellFormed says whether line reads "+NAME: ...", as information and unsolicited lines do, or is one of the words
// that come unasked.
func wellFormed(line string) bool {
	switch line {
	case "RING", "RDY", "NO CARRIER", "BUSY", "NO ANSWER", "NO DIALTONE":
		return true
	}
	if line == "" || !strings.ContainsRune("+^%*$#", rune(line[0])) {
		return false
	}
	for i, c := range line[1:] {
		if c == ':' {
			return i > 0
		}
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return len(line) > 1
}
