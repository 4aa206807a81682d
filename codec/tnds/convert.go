package tnds

import "dmgate/codec/internal/markup"

// ToXML is doc, a tree or a device description in either encoding, as XML. Unlike a Tree it keeps what only a
// description has.
func ToXML(doc []byte) ([]byte, error) { return convert(doc, language.WriteXML(nil, false)) }

// ToInline is ToXML for a document that is to stand inside another.
func ToInline(doc []byte) ([]byte, error) { return convert(doc, language.WriteXML(nil, true)) }

// ToWBXML is doc, a tree or a device description in either encoding, as WBXML.
func ToWBXML(doc []byte) ([]byte, error) { return convert(doc, language.WriteWBXML(nil)) }

// convert copies elements as they come. Only the Value of a node with Format bin changes its form.
func convert(doc []byte, w *markup.Writer) ([]byte, error) {
	in, err := language.Open(doc, (*Limits)(nil).withDefaults().Depth+around)
	if err != nil {
		return nil, err
	}
	binary := false // the Format of the node is bin
	return language.Copy(in, w, func(name string) bool {
		switch name {
		case "Node", "RTProperties":
			binary = false
		case "bin":
			binary = true
		}
		return binary && name == "Value"
	})
}
