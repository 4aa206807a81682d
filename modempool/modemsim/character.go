package modemsim

import (
	"math/rand/v2"
	"time"
)

// Character is a modem's habits and faults. The zero value is a modem without any.
type Character struct {
	Silent       bool          // starts with echo off
	Terse        bool          // starts with ATV0: results are digits
	StubbornEcho bool          // echoes whatever ATE0 says
	Prompt       string        // "\r\n> "; also seen: ">", "\r\n>\r\n"
	OKFirst      bool          // says OK before it prompts
	Reference    string        // format of the answer to a send: "+CMGS: %d"; also "+CMGS:%d", with a time stamp
	LineEnd      string        // "\r\n"; also seen: "\r"
	NoLead       bool          // no line end before an answer
	Chunk        int           // bytes of one write; 0: all
	Gap          time.Duration // between writes
	Delay        time.Duration // before each answer

	Noise   float64  // chance of an unsolicited line, at each point where one may come
	Lines   []string // of which one is taken; a mixture of RING, +CREG, ^RSSI
	Garbage float64  // chance of line noise there

	PIN           string // of the SIM; empty: not asked for
	PINTries      int    // left; 3
	RegisterAfter int    // questions for registration until there is a network
	NoSMSC        bool
	Refuses       []string // commands that are answered by ERROR, by prefix: "AT+CNMI=1"

	Fault  func(send int) Fault   // what befalls send n, from 0 on, counted over replugs
	Report func(n int) ReportWays // how report n is sent
}

// Fault is what befalls a send.
type Fault struct {
	Kind FaultKind
	CMS  int           // code of the error, where there is one; 0 is a bare ERROR
	For  time.Duration // how late, how long deaf; 0 is for ever, where that makes sense
}

// FaultKind names a fault.
type FaultKind uint8

// Faults, in the order of a send.
const (
	None           FaultKind = iota
	RebootBefore             // has restarted before AT+CMGS came: echo is on, text mode, no report routing
	ErrorForPrompt           // an error in place of the prompt
	NoPrompt                 // takes the PDU without asking for it; ESC cancels
	HangBefore               // deaf and dumb from AT+CMGS on
	UnplugBefore             // gone when the PDU comes
	RefusePDU                // an error after the PDU, without asking the network
	LosePDU                  // neither sent nor answered, goes on with the next command
	NoAnswer                 // sent, not answered, goes on with the next command
	LateAnswer               // sent, answered For after the PDU; meanwhile commands wait
	LateRefusal              // the same with an error; not sent
	EagerLate                // as LateAnswer, but commands are answered meanwhile
	HangAfter                // sent, then deaf and dumb
	UnplugAfter              // sent, then gone
)

// ReportWays is how a status report goes wrong.
type ReportWays struct {
	Early          bool // before the answer to its SMS
	Twice          bool
	WrongReference bool
	Late           time.Duration
	Lost           bool
}

// At makes a Fault function of a plan: fault f befalls send n.
func At(plan map[int]Fault) func(send int) Fault {
	return func(send int) Fault { return plan[send] }
}

// Rarely makes a Fault function that picks one of faults with the given chance, the same for the same seed.
func Rarely(seed uint64, chance float64, faults ...Fault) func(send int) Fault {
	return func(send int) Fault {
		r := rand.New(rand.NewPCG(seed, uint64(send)))
		if r.Float64() >= chance || len(faults) == 0 {
			return Fault{}
		}
		return faults[r.IntN(len(faults))]
	}
}

// variety is the character of modems nobody has given one: well-behaved, but not all alike.
func variety(i int) Character {
	c := Character{Noise: 0.02}
	switch i % 4 {
	case 1:
		c.Reference = `+CMGS: %d,"26/01/01,00:00:00+00"`
		c.Chunk = 16
	case 2:
		c.Prompt = "\r\n>"
		c.Refuses = []string{"AT+CNMI=1", "AT+CMMS"}
	case 3:
		c.Silent = true
		c.Reference = "+CMGS:%d"
		c.NoLead = true
	}
	return c
}

// defaults fills c in.
func (c *Character) defaults() {
	if c.Prompt == "" {
		c.Prompt = "\r\n> "
	}
	if c.Reference == "" {
		c.Reference = "+CMGS: %d"
	}
	if c.LineEnd == "" {
		c.LineEnd = "\r\n"
	}
	if c.PINTries == 0 {
		c.PINTries = 3
	}
	if len(c.Lines) == 0 {
		c.Lines = []string{"RING", "+CREG: 1", `+CREG: 5,"00C3","A1B2"`, "^RSSI: 17", "^MODE: 5,4", "+CSQ: 21,99"}
	}
}
