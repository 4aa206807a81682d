package push

// Service indication and loading, and their WBXML.

import (
	"bytes"
	"strings"
	"time"

	"dmgate/codec/wbxml"
)

// Indication is a service indication (SI): a text and a link that the phone shows its user.
type Indication struct {
	Href    string
	ID      string // a later one with the same ID replaces it
	Action  string // signal-none, -low, -medium, -high or delete; empty for the default, signal-medium
	Created time.Time
	Expires time.Time
	Class   string
	Text    string
}

// Loading is a service loading (SL): a link that the phone opens by itself. Most refuse (section 6.5).
type Loading struct {
	Href   string
	Action string // execute-low, execute-high or cache; empty for the default, execute-low
}

// linkTable holds the tokens of SI or SL. Those of href carry how the address begins and are matched in the order
// given, the longest first.
type linkTable struct {
	publicID uint32
	public   string   // the identifier in text
	names    []string // of attributes
	hrefs    []prefix
	actions  map[uint8]string
	attrs    map[uint8]string // of the other attributes
}

type prefix struct {
	code uint8
	text string
}

const (
	tagRoot       = 0x05 // si or sl
	tagIndication = 0x06

	attrCreated = 0x0A
	attrExpires = 0x10
	attrID      = 0x11
	attrClass   = 0x12
)

var (
	tableSI = linkTable{
		publicID: wbxml.PublicSI,
		public:   "-//WAPFORUM//DTD SI 1.0//EN",
		names:    []string{"href", "si-id", "created", "si-expires", "class", "action"},
		hrefs: []prefix{{0x0F, "https://www."}, {0x0E, "https://"}, {0x0D, "http://www."}, {0x0C, "http://"},
			{0x0B, ""}},
		actions: map[uint8]string{0x05: "signal-none", 0x06: "signal-low", 0x07: "signal-medium", 0x08: "signal-high",
			0x09: "delete"},
		attrs: map[uint8]string{attrCreated: "created", attrExpires: "si-expires", attrID: "si-id", attrClass: "class"},
	}
	tableSL = linkTable{
		publicID: wbxml.PublicSL,
		public:   "-//WAPFORUM//DTD SL 1.0//EN",
		names:    []string{"href", "action"},
		hrefs: []prefix{{0x0C, "https://www."}, {0x0B, "https://"}, {0x0A, "http://www."}, {0x09, "http://"},
			{0x08, ""}},
		actions: map[uint8]string{0x05: "execute-low", 0x06: "execute-high", 0x07: "cache"},
	}
	domains = map[uint8]string{0x85: ".com/", 0x86: ".edu/", 0x87: ".net/", 0x88: ".org/"}
)

func (l *linkTable) header() *wbxml.Header {
	return &wbxml.Header{Version: 0x02, PublicID: l.publicID, Charset: wbxml.CharsetUTF8}
}

// appendHref writes an address, of which how it begins is a token.
func (l *linkTable) appendHref(w *wbxml.Writer, href string) {
	for _, p := range l.hrefs {
		if rest, ok := strings.CutPrefix(href, p.text); ok {
			w.Attr(0, p.code)
			w.Text([]byte(rest))
			return
		}
	}
}

// appendAction writes an action; one that the table does not have is left out, and the default holds.
func (l *linkTable) appendAction(w *wbxml.Writer, action string) {
	for code, name := range l.actions {
		if name == action {
			w.Attr(0, code)
		}
	}
}

// hasAction says whether the table has an action; the default, which is empty, it has.
func (l *linkTable) hasAction(action string) bool {
	for _, name := range l.actions {
		if name == action {
			return true
		}
	}
	return action == ""
}

// AppendWBXML appends s as WBXML, of type TypeSIC.
func (s *Indication) AppendWBXML(dst []byte) []byte {
	var w wbxml.Writer
	w.Init(dst, tableSI.header())
	w.Start(0, tagRoot)
	w.StartAttrs(0, tagIndication, s.Text != "")
	tableSI.appendHref(&w, s.Href)
	if s.ID != "" {
		w.Attr(0, attrID)
		w.Text([]byte(s.ID))
	}
	if !s.Created.IsZero() {
		w.Attr(0, attrCreated)
		w.Opaque(date(s.Created))
	}
	if !s.Expires.IsZero() {
		w.Attr(0, attrExpires)
		w.Opaque(date(s.Expires))
	}
	if s.Class != "" {
		w.Attr(0, attrClass)
		w.Text([]byte(s.Class))
	}
	tableSI.appendAction(&w, s.Action)
	w.EndAttrs()
	if s.Text != "" {
		w.Text([]byte(s.Text))
		w.End()
	}
	w.End()
	return w.Buf
}

// AppendWBXML appends l as WBXML, of type TypeSLC.
func (l *Loading) AppendWBXML(dst []byte) []byte {
	var w wbxml.Writer
	w.Init(dst, tableSL.header())
	w.StartAttrs(0, tagRoot, false)
	tableSL.appendHref(&w, l.Href)
	tableSL.appendAction(&w, l.Action)
	w.EndAttrs()
	return w.Buf
}

// date is t in UTC, two digits an octet from year to second, without the zeros at its end.
func date(t time.Time) []byte {
	digits := t.UTC().Format("20060102150405")
	b := make([]byte, 0, 7)
	for i := 0; i < len(digits); i += 2 {
		b = append(b, (digits[i]-'0')<<4|(digits[i+1]-'0'))
	}
	return bytes.TrimRight(b, "\x00")
}
