package modemsim

import (
	"math/rand/v2"
	"time"
)

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
	RebootBefore             // has restarted before AT+CMGS came: echo is on, text mode, nothing is routed
	ErrorForPrompt           // an error in place of the prompt
	NoPrompt                 // takes the PDU without asking for it; ESC cancels
	HangBefore               // deaf and dumb from AT+CMGS on
	HangAtPrompt             // prompts, then is deaf and dumb: nothing is sent
	UnplugBefore             // gone when the PDU comes
	LoseCtrlZ                // goes on waiting for the end of the PDU until ESC cancels it
	RefusePDU                // an error after the PDU, without asking the network
	LosePDU                  // neither sent nor answered, goes on with the next command
	NoAnswer                 // sent, not answered, goes on with the next command
	LateAnswer               // sent, answered For after the PDU; meanwhile commands wait
	LateRefusal              // the same with an error; not sent
	EagerLate                // as LateAnswer, but commands are answered meanwhile
	HangAfter                // sent, then deaf and dumb
	RebootAfter              // sent, then restarted without an answer
	UnplugAfter              // sent, then gone
)

// Point is a place in a conversation where a modem may say what nobody asked for.
type Point uint8

// Points of a conversation.
const (
	BeforeAnswer    Point = iota // of any command, AT+CMGS among them
	InAnswer                     // after each of its lines
	AfterAnswer                  // after its OK or error
	BeforePrompt                 // between AT+CMGS and its prompt
	AfterPrompt                  // between the prompt and the PDU
	AfterPDU                     // before the SMS goes on the air
	BeforeReference              // when the network has it, before +CMGS
	BeforeOK                     // between +CMGS and its OK
	AfterOK
)

// ReportWays is how a status report goes wrong.
type ReportWays struct {
	Early          bool  // before the answer to its SMS
	At             Point // where not 0: not before that point of a later command or send
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

// SaysAt makes a Says function of text that comes at one point of every command and send.
func SaysAt(point Point, text string) func(Point, int) string {
	return func(at Point, _ int) string {
		if at == point {
			return text
		}
		return ""
	}
}
