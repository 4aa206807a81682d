package modemsim

import "time"

// Character is a modem's habits and faults. The zero value is a modem without any.
type Character struct {
	// How it talks.
	Silent       bool                               // starts with echo off
	Terse        bool                               // starts with ATV0: results are digits
	StubbornEcho bool                               // echoes whatever ATE0 says
	Prompt       string                             // "\r\n> "; also seen: ">", "\r\n>\r\n"
	OKFirst      bool                               // says OK before it prompts
	Reference    string                             // format of the answer to a send: "+CMGS: %d"; also "+CMGS:%d"
	LineEnd      string                             // "\r\n"; also seen: "\r"
	NoLead       bool                               // no line end before an answer
	Chunk        int                                // bytes of one write; 0: all
	Gap          time.Duration                      // between writes
	Sip          int                                // bytes of one read; 0: all
	Delay        time.Duration                      // before each answer
	DelayOf      func(command string) time.Duration // beside Delay; command is in upper case, with its AT
	Greeting     string                             // put out as it is at each start: "\r\n^BOOT:20952548,0,0,0,75\r\n"

	// What it says unasked.
	Noise   float64                         // chance of an unsolicited line, at each Point
	Lines   []string                        // of which one is taken; a mixture of RING, +CREG, ^RSSI
	Garbage float64                         // chance of line noise there
	Says    func(at Point, send int) string // put out as it is at a Point; send is -1 for other commands

	// What it is.
	Maker, Model string // "modemsim", "1"; "huawei" knows AT^CURC
	IMEIFormat   string // of the answer to AT+CGSN: "%s"; also `+CGSN: "%s"`
	ICCIDQuery   string // that it knows: "+CCID", "^ICCID?" or "+ICCID"
	Ports        []Role // of its ttys; one that Answers
	RebootTime   time.Duration
	RebootDrops  bool     // AT+CFUN=1,1 takes its ports away; they come back under new ptys after RebootTime
	Refuses      []string // commands that are answered by ERROR, by prefix: "AT+CNMI=1"

	// SIM and network.
	PIN           string // of the SIM; empty: not asked for
	PINTries      int    // left; 3
	NoSIM         bool
	RegisterAfter int  // questions for registration until there is a network
	Roaming       bool // registered with 5 in place of 1
	Denied        bool // registration is 3 for ever
	LTEOnly       bool // AT+CREG and AT+CGREG say 0; AT+CEREG tells
	NoSMSC        bool
	Slots         int      // of each memory for SMS; 50, or as many as Inbox has
	FirstSlot     int      // number of the first: 0 or 1
	Inbox         [][]byte // TPDUs that lie on the first SIM, unread

	// Sends and reports. Everything here is decided by the seed of the bank.
	Air           Span    // for one SMS to be taken by the network, in place of Options.AirTime
	ErrorRate     float64 // of SMS that end with one of Errors
	Errors        []int   // +CMS ERROR codes; 38
	DayLimit      int     // SMS a day that the SIM is good for; 0: any number
	DayCMS        int     // what the others are refused with; 50, not subscribed
	ReportDelay   Span    // beside what the network says
	ReportMissing float64 // rate
	ReportTwice   float64 // rate

	Fault  func(send int) Fault   // what befalls send n, from 0 on, counted over replugs
	Report func(n int) ReportWays // how report n is sent
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
		c.ICCIDQuery = "+ICCID"
	case 3:
		c.Silent = true
		c.Reference = "+CMGS:%d"
		c.NoLead = true
		c.Maker, c.Model, c.ICCIDQuery = "huawei", "E3531", "^ICCID?"
	}
	return c
}

// defaults fills c in.
func (c *Character) defaults() {
	text := func(field *string, value string) {
		if *field == "" {
			*field = value
		}
	}
	text(&c.Prompt, "\r\n> ")
	text(&c.Reference, "+CMGS: %d")
	text(&c.LineEnd, "\r\n")
	text(&c.Maker, "modemsim")
	text(&c.Model, "1")
	text(&c.IMEIFormat, "%s")
	text(&c.ICCIDQuery, "+CCID")
	number := func(field *int, value int) {
		if *field == 0 {
			*field = value
		}
	}
	number(&c.PINTries, 3)
	number(&c.Slots, 50)
	number(&c.DayCMS, 50)
	if len(c.Errors) == 0 {
		c.Errors = []int{38}
	}
	if len(c.Lines) == 0 {
		c.Lines = []string{"RING", "+CREG: 1", `+CREG: 5,"00C3","A1B2"`, "^RSSI: 17", "^MODE: 5,4", "+CSQ: 21,99"}
	}
}
