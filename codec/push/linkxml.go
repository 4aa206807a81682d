package push

// XML of service indication and loading.

import (
	"bytes"
	"encoding/xml"
	"time"

	"dmgate/codec"
)

// The XML forms, in terms of encoding/xml.
type (
	xmlSI struct {
		XMLName    xml.Name      `xml:"si"`
		Indication xmlIndication `xml:"indication"`
	}
	xmlIndication struct {
		Href    string `xml:"href,attr,omitempty"`
		ID      string `xml:"si-id,attr,omitempty"`
		Created string `xml:"created,attr,omitempty"`
		Expires string `xml:"si-expires,attr,omitempty"`
		Class   string `xml:"class,attr,omitempty"`
		Action  string `xml:"action,attr,omitempty"`
		Text    string `xml:",chardata"`
	}
	xmlSL struct {
		XMLName xml.Name `xml:"sl"`
		Href    string   `xml:"href,attr"`
		Action  string   `xml:"action,attr,omitempty"`
	}
)

const xmlDate = "2006-01-02T15:04:05Z"

// AppendXML appends s as XML.
func (s *Indication) AppendXML(dst []byte) []byte {
	x := xmlSI{Indication: xmlIndication{Href: s.Href, ID: s.ID, Class: s.Class, Action: s.Action, Text: s.Text}}
	if !s.Created.IsZero() {
		x.Indication.Created = s.Created.UTC().Format(xmlDate)
	}
	if !s.Expires.IsZero() {
		x.Indication.Expires = s.Expires.UTC().Format(xmlDate)
	}
	return appendXML(dst, &x)
}

// AppendXML appends l as XML.
func (l *Loading) AppendXML(dst []byte) []byte {
	return appendXML(dst, &xmlSL{Href: l.Href, Action: l.Action})
}

func appendXML(dst []byte, v any) []byte {
	b, _ := xml.Marshal(v) // structs of strings: it has no way to fail
	dst = append(append(dst, xml.Header...), b...)
	return append(dst, '\n')
}

// ReadIndicationXML reads an SI in XML.
func ReadIndicationXML(doc []byte) (Indication, error) {
	var x xmlSI
	if err := unmarshal(doc, &x); err != nil {
		return Indication{}, err
	}
	in := &x.Indication
	s := Indication{Href: in.Href, ID: in.ID, Class: in.Class, Action: in.Action, Text: in.Text}
	for _, d := range []struct {
		text string
		into *time.Time
	}{{in.Created, &s.Created}, {in.Expires, &s.Expires}} {
		if d.text == "" {
			continue
		}
		var err error
		if *d.into, err = time.Parse(xmlDate, d.text); err != nil {
			return s, codec.Errorf("xml", 0, "date %.40q (want 2006-01-02T15:04:05Z)", d.text)
		}
	}
	return s, tableSI.checkAction(s.Action)
}

// ReadLoadingXML reads an SL in XML.
func ReadLoadingXML(doc []byte) (Loading, error) {
	var x xmlSL
	if err := unmarshal(doc, &x); err != nil {
		return Loading{}, err
	}
	return Loading{x.Href, x.Action}, tableSL.checkAction(x.Action)
}

func (l *linkTable) checkAction(action string) error {
	if action == "" {
		return nil
	}
	for _, name := range l.actions {
		if name == action {
			return nil
		}
	}
	return codec.Errorf("xml", 0, "unknown action %.40q", action)
}

// unmarshal reads one XML document. encoding/xml expands no entities but those of XML itself.
func unmarshal(doc []byte, v any) error {
	d := xml.NewDecoder(bytes.NewReader(doc))
	if err := d.Decode(v); err != nil {
		return codec.Errorf("xml", int(d.InputOffset()), "%v", err)
	}
	return nil
}
