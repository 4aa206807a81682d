package push

// A text for people, cut into SMS.

import (
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// What one SMS holds of a text: characters of the default alphabet, of which those of its extension count twice, or
// units of UCS-2. Behind a header of six octets, which says which segment it is, there is less room.
const (
	maxSeptets        = MaxUD * 8 / 7                     // 160
	maxSegmentSeptets = (MaxUD - sizeUDHConcat) * 8 / 7   // 153
	maxUnits          = MaxUD / 2                         // 70
	maxSegmentUnits   = (MaxUD - sizeUDHConcat) / 2       // 67
	headerSeptets     = maxSeptets - maxSegmentSeptets    // the header, and what fills it up to a whole septet
	headerFill        = headerSeptets*7 - sizeUDHConcat*8 // 1 bit

	sizeUDHConcat = 6 // 05 00 03 ref total seq
)

// TextSegment is one SMS of a text: user data that goes with a data coding scheme and a length.
type TextSegment struct {
	UD      []byte
	Septets uint8 // length of UD in the default alphabet; 0 in UCS-2
	HasUDH  bool
}

// SplitText cuts a text into SMS: in GSM's default alphabet with its extension where that has all its characters, else
// in UCS-2. dcs is the data coding scheme of all of them. A text of one SMS has no header, and none has ports: it is
// for the user.
//
// A link is never cut where it fits into one SMS: some phones show each segment by itself, and make a link of what
// stands in it. What it consists of is what stands around "://", up to a space. ref must differ from that of any other
// message under way to the same phone.
func SplitText(text string, ref uint8) (segments []TextSegment, dcs uint8, err error) {
	if !utf8.ValidString(text) {
		return nil, 0, fmt.Errorf("push: the text is not UTF-8")
	}
	if text == "" {
		return nil, 0, fmt.Errorf("push: nothing to send")
	}
	size, single, room := septetsOf, maxSeptets, maxSegmentSeptets
	if !inGSM7Extended(text) {
		dcs, size, single, room = DCSUCS2, unitsOf, maxUnits, maxSegmentUnits
	}
	pieces := []string{text}
	if lengthOf(text, size) > single {
		pieces = cutText(text, size, room)
	}
	if len(pieces) > MaxSegments {
		return nil, 0, fmt.Errorf("push: the text takes %d SMS (at most %d)", len(pieces), MaxSegments)
	}
	for i, piece := range pieces {
		s := TextSegment{HasUDH: len(pieces) > 1}
		if s.HasUDH {
			h := UDH{Ref: uint16(ref), Total: uint8(len(pieces)), Seq: uint8(i + 1)}
			s.UD = h.Append(make([]byte, 0, MaxUD))
		}
		if dcs == DCSUCS2 {
			for _, unit := range utf16.Encode([]rune(piece)) {
				s.UD = append(s.UD, byte(unit>>8), byte(unit))
			}
		} else {
			s.UD, s.Septets = appendSeptets(s.UD, piece)
		}
		segments = append(segments, s)
	}
	return segments, dcs, nil
}

func lengthOf(text string, size func(rune) int) (n int) {
	for _, c := range text {
		n += size(c)
	}
	return n
}

func unitsOf(c rune) int { return utf16.RuneLen(c) }

// cutText cuts a text into pieces of at most room, each as long as can be: between characters, and before a link that
// would be cut and fits into the next.
func cutText(text string, size func(rune) int, room int) (pieces []string) {
	for text != "" {
		end, used := 0, 0
		for i, c := range text {
			if used += size(c); used > room {
				break
			}
			end = i + utf8.RuneLen(c)
		}
		if from, link := linkAcross(text, end); from > 0 && lengthOf(link, size) <= room {
			end = from
		}
		pieces = append(pieces, text[:end])
		text = text[end:]
	}
	return pieces
}

// linkAcross is the link in text that a cut at end would go through, and where it begins; empty where there is none.
func linkAcross(text string, end int) (from int, link string) {
	const spaces = " \n\r"
	from = strings.LastIndexAny(text[:end], spaces) + 1
	to := len(text)
	if n := strings.IndexAny(text[end:], spaces); n >= 0 {
		to = end + n
	}
	if link = text[from:to]; to == end || from == end || !strings.Contains(link, "://") {
		return 0, ""
	}
	return from, link
}

// appendSeptets packs a text of the default alphabet behind the header in ud, and returns the length of all of it in
// septets, as the network counts: the header is filled up to a whole one.
func appendSeptets(ud []byte, text string) ([]byte, uint8) {
	n, fill := 0, 0
	if len(ud) > 0 {
		n, fill = headerSeptets, headerFill
	}
	codes := make([]byte, 0, len(text))
	for _, c := range text {
		code, ok := gsm7Code(c)
		if !ok {
			codes = append(codes, gsm7Escape)
			code = gsm7Extension[c]
		}
		codes = append(codes, code)
	}
	return appendPacked(ud, codes, fill), uint8(n + len(codes))
}

// septetsOf is how many septets a character of the default alphabet takes.
func septetsOf(c rune) int {
	if _, ok := gsm7Code(c); ok {
		return 1
	}
	return 2 // behind an escape
}

// gsm7Extension is the extension of the default alphabet (3GPP TS 23.038, 6.2.1.1).
var gsm7Extension = map[rune]byte{
	'\f': 0x0A, '^': 0x14, '{': 0x28, '}': 0x29, '\\': 0x2F, '[': 0x3C, '~': 0x3D, ']': 0x3E, '|': 0x40, '€': 0x65,
}

func inGSM7Extended(s string) bool {
	for _, c := range s {
		if _, ok := gsm7Code(c); !ok && gsm7Extension[c] == 0 {
			return false
		}
	}
	return true
}

// ReadText reads the text of an SMS, or what a segment has of it, from its user data, its data coding scheme and its
// length in septets where that counts them. ok is false where it is no text. A pair of UTF-16 halves that two segments
// share is U+FFFD in both.
func ReadText(dcs uint8, ud []byte, septets uint8, hasUDH bool) (text string, ok bool) {
	header := 0
	if hasUDH {
		_, body, err := ReadUDH(ud)
		if err != nil {
			return "", false
		}
		header = len(ud) - len(body)
	}
	switch {
	case is7Bit(dcs):
		return readSeptets(ud, (header*8+6)/7, int(septets)), true
	case dcs&0xF0 == 0xE0, dcs < 0x80 && dcs&0x2C == DCSUCS2:
		units := make([]uint16, 0, maxUnits)
		for b := ud[header:]; len(b) > 1; b = b[2:] {
			units = append(units, uint16(b[0])<<8|uint16(b[1]))
		}
		return string(utf16.Decode(units)), true
	}
	return "", false
}

// readSeptets reads a text of the default alphabet from a septet on, up to as many as there are at most.
func readSeptets(ud []byte, from, to int) string {
	var out strings.Builder
	escaped := false
	for i := from; i < min(to, len(ud)*8/7); i++ {
		at := i * 7
		code := uint(ud[at/8]) >> (at % 8)
		if at%8 > 1 {
			code |= uint(ud[at/8+1]) << (8 - at%8)
		}
		c := gsm7[code&0x7F]
		if code &= 0x7F; code == gsm7Escape && !escaped {
			escaped = true
			continue
		}
		for extended, of := range gsm7Extension {
			if escaped && uint(of) == code {
				c = extended
			}
		}
		out.WriteRune(c)
		escaped = false
	}
	return out.String()
}
