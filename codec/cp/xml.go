package cp

// Trees to XML and back.

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"

	"dmgate/codec"
)

// AppendXML appends t as indented XML.
func (t *Tree) AppendXML(dst []byte) []byte {
	b := bytes.NewBuffer(dst)
	version := t.Version
	if version == "" {
		version = defaultVersion
	}
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n<wap-provisioningdoc")
	writeAttr(b, "version", version)
	b.WriteString(">\n")
	writeCharacteristics(b, t.Roots, "  ")
	b.WriteString("</wap-provisioningdoc>\n")
	return b.Bytes()
}

func writeCharacteristics(b *bytes.Buffer, cs []Characteristic, indent string) {
	for i := range cs {
		c := &cs[i]
		b.WriteString(indent + "<characteristic")
		writeAttr(b, "type", c.Type)
		b.WriteString(">\n")
		writeParms(b, c.Parms, indent+"  ")
		writeCharacteristics(b, c.Children, indent+"  ")
		writeParms(b, c.Tail, indent+"  ")
		b.WriteString(indent + "</characteristic>\n")
	}
}

func writeParms(b *bytes.Buffer, ps []Parm, indent string) {
	for _, p := range ps {
		b.WriteString(indent + "<parm")
		writeAttr(b, "name", p.Name)
		if p.HasValue {
			writeAttr(b, "value", p.Value)
		}
		b.WriteString("/>\n")
	}
}

func writeAttr(b *bytes.Buffer, name, value string) {
	b.WriteString(" " + name + `="`)
	_ = xml.EscapeText(b, []byte(value)) // fails only where the writer does; a Buffer never does
	b.WriteByte('"')
}

// ReadTreeXML reads an XML document in UTF-8. It takes a DOCTYPE that names the standard one and no declarations of
// entities, so text stays as long as it was sent.
func ReadTreeXML(doc []byte) (*Tree, error) {
	if len(doc) > maxText {
		return nil, codec.Errorf("xml", maxText, "document of %d bytes (at most %d)", len(doc), maxText)
	}
	d := xml.NewDecoder(bytes.NewReader(doc))
	d.CharsetReader = func(name string, in io.Reader) (io.Reader, error) {
		if !strings.EqualFold(name, "us-ascii") {
			return nil, errors.New("charset " + name + " (want UTF-8)")
		}
		return in, nil
	}
	r := xmlReader{d: d}
	return r.document()
}

type xmlReader struct{ d *xml.Decoder }

// next is the next token that matters, and where it begins.
func (r *xmlReader) next() (xml.Token, int, error) {
	for {
		at := int(r.d.InputOffset())
		tok, err := r.d.Token()
		var syntax *xml.SyntaxError
		switch {
		case err == io.EOF:
			return nil, at, err
		case errors.As(err, &syntax):
			return nil, at, codec.Errorf("xml", int(r.d.InputOffset()), "%s", syntax.Msg)
		case err != nil:
			return nil, at, codec.Errorf("xml", int(r.d.InputOffset()), "%v", err)
		}
		switch tok := tok.(type) {
		case xml.Comment, xml.ProcInst:
		case xml.Directive:
			if bytes.IndexByte(tok, '[') >= 0 {
				return nil, at, codec.Errorf("xml", at, "DOCTYPE with declarations of its own")
			}
		case xml.CharData:
			if len(bytes.TrimSpace(tok)) > 0 {
				return nil, at, codec.Errorf("xml", at, "text outside an attribute")
			}
		default:
			return tok, at, nil
		}
	}
}

func (r *xmlReader) document() (*Tree, error) {
	tok, at, err := r.next()
	if err == io.EOF {
		return nil, codec.Errorf("xml", at, "no element")
	}
	if err != nil {
		return nil, err
	}
	root, ok := tok.(xml.StartElement)
	if !ok || root.Name.Local != "wap-provisioningdoc" {
		return nil, codec.Errorf("xml", at, "root element is not wap-provisioningdoc")
	}
	attrs, err := attributes(root, at, "version")
	if err != nil {
		return nil, err
	}
	tree := &Tree{}
	if v := attrs["version"]; v != nil {
		tree.Version = *v
	}
	var body Characteristic
	if err := r.content(&body, 1); err != nil {
		return nil, err
	}
	if len(body.Parms)+len(body.Tail) > 0 {
		return nil, codec.Errorf("xml", at, "parm outside a characteristic")
	}
	tree.Roots = body.Children
	switch _, at, err := r.next(); {
	case err == nil:
		return nil, codec.Errorf("xml", at, "element after the root element")
	case err != io.EOF:
		return nil, err
	}
	return tree, nil
}

// content reads what stands in c, whose depth is given, up to its end tag.
func (r *xmlReader) content(c *Characteristic, depth int) error {
	for {
		tok, at, err := r.next()
		if err != nil {
			return err
		}
		start, ok := tok.(xml.StartElement)
		if !ok {
			return nil
		}
		switch start.Name.Local {
		case "characteristic":
			if depth == maxDepth {
				return codec.Errorf("xml", at, "elements nested deeper than %d", maxDepth)
			}
			attrs, err := attributes(start, at, "type")
			if err != nil {
				return err
			}
			if attrs["type"] == nil {
				return codec.Errorf("xml", at, "characteristic without a type")
			}
			child := Characteristic{Type: *attrs["type"]}
			if err := r.content(&child, depth+1); err != nil {
				return err
			}
			c.Children = append(c.Children, child)
		case "parm":
			attrs, err := attributes(start, at, "name", "value")
			if err != nil {
				return err
			}
			if attrs["name"] == nil {
				return codec.Errorf("xml", at, "parm without a name")
			}
			if tok, at, err := r.next(); err != nil {
				return err
			} else if _, ok := tok.(xml.EndElement); !ok {
				return codec.Errorf("xml", at, "content in a parm")
			}
			c.addParm(*attrs["name"], attrs["value"])
		default:
			return codec.Errorf("xml", at, "element %.40q is neither characteristic nor parm", start.Name.Local)
		}
	}
}

// attributes are those of an element by name. Declarations of name spaces are passed over; any other attribute than
// those allowed is an error, since it would be lost.
func attributes(e xml.StartElement, at int, allowed ...string) (map[string]*string, error) {
	m := make(map[string]*string, len(allowed))
next:
	for i := range e.Attr {
		a := &e.Attr[i]
		if a.Name.Space == "xmlns" || a.Name.Local == "xmlns" {
			continue
		}
		for _, name := range allowed {
			if a.Name.Local != name || a.Name.Space != "" {
				continue
			}
			if m[name] != nil {
				return nil, codec.Errorf("xml", at, "attribute %s twice", name)
			}
			m[name] = &a.Value
			continue next
		}
		return nil, codec.Errorf("xml", at, "unknown attribute %.40q in %s", a.Name.Local, e.Name.Local)
	}
	return m, nil
}
