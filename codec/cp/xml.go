package cp

// Trees to XML and back.

import (
	"bytes"
	"encoding/xml"
	"io"

	"dmgate/codec"
	"dmgate/codec/internal/xmldoc"
)

// AppendXML appends t as indented XML. What Validate refuses of characters is not kept.
func (t *Tree) AppendXML(dst []byte) []byte {
	version := t.Version
	if version == "" {
		version = defaultVersion
	}
	dst = append(append(dst, xmldoc.Declaration...), "\n<wap-provisioningdoc"...)
	dst = append(xmldoc.AppendAttr(dst, "version", version), ">\n"...)
	dst = appendCharacteristics(dst, t.Roots, "  ")
	return append(dst, "</wap-provisioningdoc>\n"...)
}

func appendCharacteristics(dst []byte, cs []Characteristic, indent string) []byte {
	for i := range cs {
		c := &cs[i]
		dst = append(append(dst, indent...), "<characteristic"...)
		dst = append(xmldoc.AppendAttr(dst, "type", c.Type), ">\n"...)
		dst = appendParms(dst, c.Parms, indent+"  ")
		dst = appendCharacteristics(dst, c.Children, indent+"  ")
		dst = appendParms(dst, c.Tail, indent+"  ")
		dst = append(append(dst, indent...), "</characteristic>\n"...)
	}
	return dst
}

func appendParms(dst []byte, ps []Parm, indent string) []byte {
	for _, p := range ps {
		dst = append(append(dst, indent...), "<parm"...)
		dst = xmldoc.AppendAttr(dst, "name", p.Name)
		if p.HasValue {
			dst = xmldoc.AppendAttr(dst, "value", p.Value)
		}
		dst = append(dst, "/>\n"...)
	}
	return dst
}

// ReadTreeXML reads an XML document in UTF-8, US-ASCII or ISO-8859-1, of at most 256 KiB and with elements nested at
// most 8 deep. What a DOCTYPE declares is passed over. The error is a *codec.SyntaxError; so is that of an unknown
// element or attribute, which would be lost, and of a tab or line break in a value, which readers turn into a space.
func ReadTreeXML(doc []byte) (*Tree, error) {
	if len(doc) > maxText {
		return nil, codec.Errorf("xml", maxText, "document of %d bytes (at most %d)", len(doc), maxText)
	}
	r := xmlReader{d: xmldoc.New(doc)}
	return r.document()
}

type xmlReader struct{ d *xmldoc.Decoder }

// next is the next tag, or the end of the document, and where it begins.
func (r *xmlReader) next() (xml.Token, int, error) {
	for {
		tok, at, err := r.d.Token()
		text, ok := tok.(xml.CharData)
		if !ok {
			return tok, at, err
		}
		if len(bytes.TrimSpace(text)) > 0 {
			return nil, at, codec.Errorf("xml", at, "text outside an attribute")
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
	attrs, err := xmldoc.Attributes(&root, at, "version")
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
			attrs, err := xmldoc.Attributes(&start, at, "type")
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
			attrs, err := xmldoc.Attributes(&start, at, "name", "value")
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
