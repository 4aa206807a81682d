// Package markup reads and writes the elements of a document without caring which of the two encodings it has. It
// serves the small languages of one code page that come along with DM, TNDS and DevInf. The DM message itself, which
// must cost nothing, has a reader of its own in package syncml.
package markup

import (
	"bytes"
	"encoding/base64"
	"unicode/utf8"

	"dmgate/codec"
	"dmgate/codec/wbxml"
)

// Language is a document type of one code page without attributes.
type Language struct {
	Format    string   // how errors call it: "tnds"
	Root      string   // the root element
	Namespace string   // of XML
	Page      uint8    // of WBXML
	Names     []string // elements by their tag code
	Header    wbxml.Header
	Public    []uint32 // numeric public identifiers; "unknown" besides
	FPI       string   // what textual ones have in common

	codes map[string]uint8
}

// New makes l ready to write.
func New(l Language) *Language {
	l.codes = make(map[string]uint8)
	for code, name := range l.Names {
		if name != "" {
			l.codes[name] = uint8(code)
		}
	}
	return &l
}

// Kind says what an Event is.
type Kind uint8

// Kinds of event.
const (
	EOF   Kind = iota // the root element is closed, and nothing of note follows
	Start             // of the element Name
	Text              // Bytes in UTF-8, a part of the content of the innermost element
	Raw               // Bytes as they are: OPAQUE, which XML does not have
	End               // of the innermost element
)

// Event is one step of a Reader.
type Event struct {
	Kind   Kind
	Name   string
	Bytes  []byte
	Offset int
}

// Blank says whether e is white space between elements.
func (e *Event) Blank() bool { return e.Kind == Text && len(bytes.TrimSpace(e.Bytes)) == 0 }

// maxName bounds the name of an element in characters. None of the languages' own has more than 23.
const maxName = 64

func (l *Language) longName(at int) error {
	return codec.Errorf(l.Format, at, "name of an element longer than %d characters", maxName)
}

// Reader walks over the elements of one document.
type Reader interface {
	// Next reads one event. Its Bytes may be a view into the document.
	Next() (Event, error)
	// Skip passes over the element that just started, and over extension tokens of WBXML in it.
	Skip() error
}

func skip(r Reader) error {
	for open := 1; open > 0; {
		switch e, err := r.Next(); {
		case err != nil:
			return err
		case e.Kind == Start:
			open++
		case e.Kind == End:
			open--
		}
	}
	return nil
}

// Open makes a reader of doc in whichever encoding it has. No element may be nested deeper than depth.
func (l *Language) Open(doc []byte, depth int) (Reader, error) {
	if IsXML(doc) {
		return l.openXML(doc, depth), nil
	}
	return l.openWBXML(doc, depth)
}

// Decode is the bytes that text stands for: base64, in lines or not. What is no base64 stands for itself; libwbxml
// makes such XML of bytes.
func Decode(text []byte) []byte {
	b := bytes.Join(bytes.Fields(text), nil)
	out := make([]byte, base64.StdEncoding.DecodedLen(len(b)))
	n, err := base64.StdEncoding.Decode(out, b)
	if err != nil {
		return text
	}
	return out[:n]
}

// isText says whether XML can hold b as character data.
func isText(b []byte) bool {
	for _, r := range string(b) {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return false
		}
	}
	return utf8.Valid(b)
}

// IsXML says whether doc is meant to be XML: it begins with a tag, after white space or a byte order mark.
func IsXML(doc []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(doc, "\xEF\xBB\xBF \t\r\n"), []byte("<"))
}
