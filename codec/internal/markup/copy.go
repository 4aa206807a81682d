package markup

import (
	"bytes"

	"dmgate/codec"
)

// Copy writes the document that in reads to w and returns it. White space between elements, which is a
// printer's, is left out. With values, which may be nil, Copy shows each element as it starts, and has it say whether
// the content is bytes: OPAQUE in WBXML and base64 in XML.
func (l *Language) Copy(in Reader, w *Writer, values func(name string) (binary bool)) ([]byte, error) {
	c := copier{l: l, w: w}
	for {
		e, err := in.Next()
		if err != nil {
			return nil, err
		}
		at := c.at // a tag is written when the next event shows whether it has content
		switch e.Kind {
		case EOF:
			return w.Bytes()
		case Start:
			err = c.start(&e, values != nil && values(e.Name))
		case End:
			err = c.end(&e)
		default:
			c.content(&e)
		}
		if err == nil && w.err != nil {
			err = codec.Errorf(l.Format, at, "%v", w.err)
		}
		if err != nil {
			return nil, err
		}
	}
}

type copier struct {
	l      *Language
	w      *Writer
	leaf   bool   // the innermost element has no elements in it yet
	text   []byte // its content up to here, if it has none
	raw    bool   // some of that came as bytes
	binary bool   // it is bytes
	name   string // of the element that started last
	at     int    // and where
}

func (c *copier) start(e *Event, binary bool) error {
	switch {
	case c.leaf && (c.binary || len(bytes.TrimSpace(c.text)) > 0):
		return codec.Errorf(c.l.Format, e.Offset, "element %.40q in %s, which holds text", e.Name, c.name)
	case !c.leaf && len(c.text) > 0:
		return c.behind(e)
	}
	c.leaf, c.text, c.raw, c.binary, c.name, c.at = true, c.text[:0], false, binary, e.Name, e.Offset
	c.w.Start(e.Name)
	return nil
}

func (c *copier) content(e *Event) {
	if c.leaf || !e.Blank() {
		c.text, c.raw = append(c.text, e.Bytes...), c.raw || e.Kind == Raw
	}
}

// behind is the error for text among elements, which ends with e.
func (c *copier) behind(e *Event) error {
	return codec.Errorf(c.l.Format, e.Offset, "text %.40q among elements", c.text)
}

func (c *copier) end(e *Event) error {
	switch {
	case !c.leaf && len(c.text) > 0:
		return c.behind(e)
	case !c.leaf:
	case c.binary && !c.raw:
		c.w.Raw(Decode(c.text))
	case c.raw && (c.binary || !isText(c.text)):
		c.w.Raw(c.text)
	default:
		c.w.Text(c.text)
	}
	c.leaf, c.text = false, c.text[:0]
	c.w.End()
	return nil
}
