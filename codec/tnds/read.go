package tnds

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"dmgate/codec"
	"dmgate/codec/internal/markup"
)

// around is what nesting the elements of a tree takes besides its nodes: MgmtTree, and inside the innermost node
// RTProperties with a property and its value.
const around = 4

// Read reads a tree in either encoding. Elements that a description has and a tree has not are passed over. The tree
// keeps nothing of doc. Errors are *codec.SyntaxError with the offset in doc.
func Read(doc []byte, lim *Limits) (*Tree, error) {
	r := reader{lim: lim.withDefaults()}
	r.left = r.lim.Data
	in, err := language.Open(doc, r.lim.Depth+around)
	if err != nil {
		return nil, err
	}
	r.in = in
	if _, err := r.next(); err != nil { // the root element
		return nil, err
	}
	tree := &Tree{}
	if err := r.tree(tree); err != nil {
		return nil, err
	}
	if _, err := r.next(); err != nil { // refuses what follows the root
		return nil, err
	}
	return tree, nil
}

type reader struct {
	in    markup.Reader
	e     markup.Event
	lim   Limits
	nodes int
	left  int // bytes of text that may still come
}

// next reads the next event into r.e.
func (r *reader) next() (markup.Kind, error) {
	var err error
	if r.e, err = r.in.Next(); err != nil {
		return 0, err
	}
	if r.left -= len(r.e.Bytes); r.left < 0 {
		return 0, r.errorf("more than %d bytes of text (limit Data)", r.lim.Data)
	}
	return r.e.Kind, nil
}

func (r *reader) errorf(msg string, args ...any) error {
	return codec.Errorf("tnds", r.e.Offset, msg, args...)
}

// child goes to the next element inside the open one; false at the end of that.
func (r *reader) child() (bool, error) {
	for {
		switch kind, err := r.next(); {
		case err != nil:
			return false, err
		case kind == markup.Start:
			return true, nil
		case kind == markup.End:
			return false, nil
		case !r.e.Blank():
			return false, r.errorf("text %.40q where an element was expected", r.e.Bytes)
		}
	}
}

// content takes the content of the element that just started, which is text or bytes. raw says that it came as bytes.
func (r *reader) content() (b []byte, raw bool, err error) {
	name := r.e.Name
	b = []byte{}
	for {
		switch kind, err := r.next(); {
		case err != nil:
			return nil, false, err
		case kind == markup.Start:
			return nil, false, r.errorf("element %.40q in %s, which holds text", r.e.Name, name)
		case kind == markup.End:
			return b, raw, nil
		case kind == markup.Raw:
			raw = true
		}
		b = append(b, r.e.Bytes...)
	}
}

func (r *reader) text(s *string) error {
	b, _, err := r.content()
	*s = string(bytes.TrimSpace(b))
	return err
}

func (r *reader) tree(t *Tree) error {
	for {
		ok, err := r.child()
		if err != nil || !ok {
			return err
		}
		switch r.e.Name {
		case "VerDTD":
			err = r.text(&t.VerDTD)
		case "Man":
			err = r.text(&t.Man)
		case "Mod":
			err = r.text(&t.Mod)
		case "Node":
			err = r.node(&t.Nodes, 1)
		default:
			err = r.in.Skip()
		}
		if err != nil {
			return err
		}
	}
}

// node reads the node that just started into nodes.
func (r *reader) node(nodes *[]Node, depth int) error {
	if depth > r.lim.Depth {
		return r.errorf("nodes nested deeper than %d (limit Depth)", r.lim.Depth)
	}
	if r.nodes++; r.nodes > r.lim.Nodes {
		return r.errorf("more than %d nodes (limit Nodes)", r.lim.Nodes)
	}
	var (
		n             Node
		at            = r.e.Offset
		named, raw    bool
		value, atName int
	)
	for {
		ok, err := r.child()
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		switch r.e.Name {
		case "NodeName":
			if named {
				return r.errorf("second NodeName")
			}
			named, atName = true, r.e.Offset
			err = r.text(&n.Name)
		case "Path":
			err = r.text(&n.Path)
		case "RTProperties":
			err = r.properties(&n.Props)
		case "Value":
			if n.Value != nil {
				return r.errorf("second Value")
			}
			value = r.e.Offset
			n.Value, raw, err = r.content()
		case "Node":
			err = r.node(&n.Children, depth+1)
		default:
			err = r.in.Skip()
		}
		if err != nil {
			return err
		}
	}
	switch {
	case !named:
		return codec.Errorf("tnds", at, "Node without NodeName")
	case strings.Contains(n.Name, "/"):
		return codec.Errorf("tnds", atName, "NodeName %.40q is more than one segment", n.Name)
	case n.Value != nil && n.Children != nil:
		return codec.Errorf("tnds", value, "Value in a node that has children")
	}
	if n.Props.Format == "bin" && n.Value != nil && !raw {
		n.Value = markup.Decode(n.Value)
	}
	*nodes = append(*nodes, n)
	return nil
}

func (r *reader) properties(p *Properties) error {
	for {
		ok, err := r.child()
		if err != nil || !ok {
			return err
		}
		switch r.e.Name {
		case "ACL":
			err = r.text(&p.ACL)
		case "Format":
			err = r.format(&p.Format)
		case "Type":
			err = r.kind(p)
		case "Name":
			err = r.text(&p.Name)
		case "Size":
			err = r.text(&p.Size)
		case "Title":
			err = r.text(&p.Title)
		case "TStamp":
			err = r.text(&p.TStamp)
		case "VerNo":
			err = r.text(&p.VerNo)
		default:
			err = r.in.Skip()
		}
		if err != nil {
			return err
		}
	}
}

// maxFormat bounds a Format in characters: what is not UTF-8 has as many when XML has replaced it.
const maxFormat = 64

// format takes a Format, which holds an empty element called as the format is; a few devices write its name as text.
func (r *reader) format(s *string) error {
	format := []byte(*s)
	for {
		switch kind, err := r.next(); {
		case err != nil:
			return err
		case kind == markup.End:
			*s = string(format)
			return nil
		case kind != markup.Start:
			format = append(format, bytes.TrimSpace(r.e.Bytes)...)
		case len(format) > 0:
			return r.errorf("second format %.40q behind %.40q", r.e.Name, format)
		default:
			format = append(format, r.e.Name...)
			if err := r.in.Skip(); err != nil {
				return err
			}
		}
		if utf8.RuneCount(format) > maxFormat {
			return r.errorf("format longer than %d characters", maxFormat)
		}
	}
}

// kind takes a Type, which holds a MIME type or the id of a management object.
func (r *reader) kind(p *Properties) error {
	for {
		ok, err := r.child()
		if err != nil || !ok {
			return err
		}
		switch r.e.Name {
		case "MIME":
			err = r.text(&p.Type)
		case "DDFName":
			err = r.text(&p.DDFName)
		default:
			err = r.in.Skip()
		}
		if err != nil {
			return err
		}
	}
}
