package push

// XML of service indication and loading.

import (
	"bytes"
	"encoding/xml"
	"io"
	"time"

	"dmgate/codec"
	"dmgate/codec/internal/xmldoc"
)

const xmlDate = "2006-01-02T15:04:05Z"

// AppendXML appends s as XML.
func (s *Indication) AppendXML(dst []byte) []byte {
	dst = append(append(dst, xmldoc.Declaration...), "\n<si><indication"...)
	dst = appendAttrs(dst, []attr{{"href", s.Href}, {"si-id", s.ID}, {"created", formatDate(s.Created)},
		{"si-expires", formatDate(s.Expires)}, {"class", s.Class}, {"action", s.Action}})
	dst = xmldoc.AppendText(append(dst, '>'), s.Text)
	return append(dst, "</indication></si>\n"...)
}

// AppendXML appends l as XML.
func (l *Loading) AppendXML(dst []byte) []byte {
	dst = append(append(dst, xmldoc.Declaration...), "\n<sl"...)
	dst = appendAttrs(dst, []attr{{"href", l.Href}, {"action", l.Action}})
	return append(dst, "/>\n"...)
}

type attr struct{ name, value string }

// appendAttrs appends those attributes that have a value.
func appendAttrs(dst []byte, as []attr) []byte {
	for _, a := range as {
		if a.value != "" {
			dst = xmldoc.AppendAttr(dst, a.name, a.value)
		}
	}
	return dst
}

// formatDate is t in UTC; empty for the zero time.
func formatDate(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(xmlDate)
}

// ReadIndicationXML reads an SI in XML, in UTF-8, US-ASCII or ISO-8859-1. Values have the limits of ReadIndication, and
// the info element is an error here as well. The error is a *codec.SyntaxError.
func ReadIndicationXML(doc []byte) (Indication, error) {
	r := linkXML{d: xmldoc.New(doc), table: &tableSI}
	s, err := r.indication()
	if err != nil {
		return Indication{}, err
	}
	return s, nil
}

// ReadLoadingXML reads an SL in XML, as ReadIndicationXML reads an SI.
func ReadLoadingXML(doc []byte) (Loading, error) {
	r := linkXML{d: xmldoc.New(doc), table: &tableSL}
	s, err := r.loading()
	if err != nil {
		return Loading{}, err
	}
	return s, nil
}

type linkXML struct {
	d     *xmldoc.Decoder
	table *linkTable
}

func (r *linkXML) indication() (s Indication, err error) {
	if _, _, err := r.start("si"); err != nil {
		return s, err
	}
	values, at, err := r.start("indication", r.table.names...)
	if err != nil {
		return s, err
	}
	s = Indication{Href: values["href"], ID: values["si-id"], Class: values["class"], Action: values["action"]}
	if s.Created, err = parseXMLDate(values["created"], at); err != nil {
		return s, err
	}
	if s.Expires, err = parseXMLDate(values["si-expires"], at); err != nil {
		return s, err
	}
	if s.Text, err = r.text(); err != nil {
		return s, err
	}
	return s, r.end()
}

func (r *linkXML) loading() (s Loading, err error) {
	values, _, err := r.start("sl", r.table.names...)
	if err != nil {
		return s, err
	}
	s = Loading{Href: values["href"], Action: values["action"]}
	return s, r.end()
}

// next is the next tag, or the end of the document, and where it begins.
func (r *linkXML) next() (xml.Token, int, error) {
	for {
		tok, at, err := r.d.Token()
		text, ok := tok.(xml.CharData)
		if !ok {
			return tok, at, err
		}
		if len(bytes.TrimSpace(text)) > 0 {
			return nil, at, codec.Errorf("xml", at, "text outside an indication")
		}
	}
}

// start reads the start tag of element name with its attributes, and returns where it begins.
func (r *linkXML) start(name string, allowed ...string) (map[string]string, int, error) {
	tok, at, err := r.next()
	if err != nil && err != io.EOF {
		return nil, at, err
	}
	e, ok := tok.(xml.StartElement)
	if !ok || e.Name.Local != name {
		return nil, at, codec.Errorf("xml", at, "no element %s where it should be", name)
	}
	attrs, err := xmldoc.Attributes(&e, at, allowed...)
	if err != nil {
		return nil, at, err
	}
	values := make(map[string]string, len(attrs))
	for name, v := range attrs {
		if len(*v) > maxLinkText {
			return nil, at, codec.Errorf("xml", at, "%s of more than %d bytes", name, maxLinkText)
		}
		values[name] = *v
	}
	if action := values["action"]; !r.table.hasAction(action) {
		return nil, at, codec.Errorf("xml", at, "unknown action %.40q", action)
	}
	return values, at, nil
}

// text reads the content of an element that holds nothing else, and its end tag.
func (r *linkXML) text() (string, error) {
	var s []byte
	for {
		tok, at, err := r.d.Token()
		if err != nil {
			return "", err
		}
		switch tok := tok.(type) {
		case xml.CharData:
			s = append(s, tok...)
		case xml.StartElement:
			return "", codec.Errorf("xml", at, "element %.40q in an indication", tok.Name.Local)
		default:
			return string(s), nil
		}
		if len(s) > maxLinkText {
			return "", codec.Errorf("xml", at, "more than %d bytes of text", maxLinkText)
		}
	}
}

// end reads the root element's end tag, and makes sure that nothing follows.
func (r *linkXML) end() error {
	for {
		tok, at, err := r.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if e, ok := tok.(xml.StartElement); ok {
			return codec.Errorf("xml", at, "element %.40q where none should be", e.Name.Local)
		}
	}
}

// parseXMLDate is the date that s gives; the zero time where it is empty.
func parseXMLDate(s string, at int) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(xmlDate, s)
	if err != nil {
		return t, codec.Errorf("xml", at, "date %.40q (want 2006-01-02T15:04:05Z)", s)
	}
	return t, nil
}
