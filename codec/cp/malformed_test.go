package cp

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"dmgate/codec"
	"dmgate/codec/internal/vector"
)

// Bad documents, and the error to the letter.
func TestMalformedWBXML(t *testing.T) {
	for _, v := range []struct{ name, doc, want string }{
		{"nothing", "", "wbxml: offset 0: empty document"},
		{"header alone", "03 0B 6A 00", "wbxml: offset 4: document ends inside an element (depth 0)"},
		{"body of the MAC vectors (section 6.1), which is never closed", "03 0B 6A 00 C5 46 01",
			"wbxml: offset 7: document ends inside an element (depth 1)"},
		{"another public identifier", "03 05 6A 00 05", "cp: offset 1: public identifier 0x5 (want 0x0B)"},
		{"another in text", "03 00 00 6A 03 'SI'00 05",
			`cp: offset 1: public identifier "SI" (want "-//WAPFORUM//DTD PROV 1.0//EN")`},
		{"unknown charset", "03 0B 11 00 05",
			"wbxml: offset 2: charset 17 (want 106 for UTF-8, 3 for US-ASCII or 4 for ISO-8859-1)"},
		{"string table too long", "03 0B 6A 05 'ab'", "wbxml: offset 3: string table of 5 bytes, only 2 left"},
		{"string table index", "03 0B 6A 01 00 45 C6 55 01 87 11 06 83 01 01 01 01",
			"wbxml: offset 13: string table index 1 past its end (1)"},
		{"entity that is no character", "03 0B 6A 00 45 C6 55 01 87 11 06 02 00 01 01 01",
			"wbxml: offset 12: entity 0 is no character"},
		{"another root", "03 0B 6A 00 46 01", "cp: offset 4: root element is not wap-provisioningdoc"},
		{"root on page 2", "03 0B 6A 00 00 02 45 01", "cp: offset 6: root element is not wap-provisioningdoc"},
		{"root with a name", "03 0B 6A 00 C5 07 01 01",
			"cp: offset 4: attribute of another element in wap-provisioningdoc"},
		{"bytes behind", "03 0B 6A 00 45 01 00", "wbxml: offset 6: 1 bytes after the root element"},
		{"parm at the top", "03 0B 6A 00 45 87 11 01 01", "cp: offset 4: parm outside a characteristic"},
		{"group without a type", "03 0B 6A 00 45 06 01", "cp: offset 5: characteristic needs a type, and only that"},
		{"group with a name", "03 0B 6A 00 45 86 55 11 01 01",
			"cp: offset 5: characteristic needs a type, and only that"},
		{"parm without a name", "03 0B 6A 00 45 C6 55 01 87 06 AB 01 01 01",
			"cp: offset 8: parm needs a name, and may have a value"},
		{"parm with a type", "03 0B 6A 00 45 C6 55 01 87 11 55 01 01 01",
			"cp: offset 8: parm needs a name, and may have a value"},
		{"name twice", "03 0B 6A 00 45 C6 55 01 87 11 07 01 01 01", "cp: offset 10: the same attribute twice"},
		{"unknown name", "03 0B 6A 00 45 C6 55 01 87 4D 01 01 01",
			"cp: offset 9: unknown attribute token 0x4D on page 0"},
		{"page 2", "03 0B 6A 00 45 C6 55 01 87 00 02 07 01 01 01", "cp: offset 11: attribute page 2 (want 0 or 1)"},
		{"unknown value", "03 0B 6A 00 45 C6 55 01 87 10 06 FF 01 01 01",
			"cp: offset 11: unknown value token 0xFF on page 0"},
		{"libwbxml's BASIC (trap 8)", "03 0B 6A 00 45 C6 00 01 57 01 87 33 06 82 01 01 01",
			"wbxml: offset 13: extension token 0x82 has no meaning in this document type " +
				`(libwbxml writes 0x82 for "BASIC"; it should be 0x92)`},
		{"libwbxml's DIGEST (trap 8)", "03 0B 6A 00 45 C6 00 01 57 01 87 33 06 83 01 01 01",
			`wbxml: offset 14: string table index 1 past its end (0) (libwbxml writes 0x83 for "DIGEST"; it should be 0x93)`},
		{"the same behind a switch", "03 0B 6A 00 45 C6 00 01 57 01 87 33 00 00 06 00 01 80 01 01 01",
			"wbxml: offset 17: extension token 0x80 has no meaning in this document type " +
				`(libwbxml writes 0x80 for ","; it should be 0x90)`},
		{"the same on page 0", "03 0B 6A 00 45 C6 5A 01 87 0C 06 82 01 01 01",
			"wbxml: offset 11: extension token 0x82 has no meaning in this document type"},
		{"on page 1, of another kind", "03 0B 6A 00 45 C6 00 01 57 01 87 33 06 C0 01 01 01",
			"wbxml: offset 13: extension token 0xC0 has no meaning in this document type"},
		{"value without an attribute", "03 0B 6A 00 45 C6 55 01 87 AB 01 01 01",
			"cp: offset 9: value without an attribute"},
		{"literal of another name", "03 0B 6A 02 'x'00 45 C6 04 00 01 01 01", `cp: offset 8: unknown attribute "x"`},
		{"another element", "03 0B 6A 00 45 C6 55 01 48 01 01 01",
			"cp: offset 8: element is neither characteristic nor parm"},
		{"text between elements", "03 0B 6A 00 45 C6 55 01 03'x'00 01 01", "cp: offset 8: text outside an attribute"},
		{"character in a parm", "03 0B 6A 00 45 C6 55 01 C7 11 01 02 41 01 01 01", "cp: offset 11: content in a parm"},
		{"ends in a parm's content", "03 0B 6A 00 45 C6 55 01 C7 11 01 03 20 00",
			"wbxml: offset 14: document ends inside an element (depth 3)"},
		{"root cut off", "03 0B 6A 00 C5 46", "wbxml: offset 6: document ends inside an attribute list"},
		{"line break in a value", "03 0B 6A 00 45 C6 55 01 87 11 06 03 0A 00 01 01 01",
			`cp: offset 8: control character or broken UTF-8 in "\n"`},
		{"text in a parm", "03 0B 6A 00 45 C6 55 01 C7 11 01 03'x'00 01 01 01", "cp: offset 11: content in a parm"},
		{"NUL in a value", "03 0B 6A 00 45 C6 55 01 87 11 06 C3 01 00 01 01 01",
			`cp: offset 8: control character or broken UTF-8 in "\x00"`},
		{"half a character", "03 0B 6A 00 45 C6 55 01 87 11 06 03 C3 00 01 01 01",
			`cp: offset 8: control character or broken UTF-8 in "\xc3"`},
		{"too deep", "03 0B 6A 00 45 " + strings.Repeat("C6 55 01", 8) + strings.Repeat("01", 9),
			"cp: offset 26: elements nested deeper than 8"},
		{"ends in a parm", "03 0B 6A 00 45 C6 55 01 87 11", "wbxml: offset 10: document ends inside an attribute list"},
	} {
		t.Run(v.name, func(t *testing.T) {
			d, err := Read(vector.Bytes(t, v.doc))
			expect(t, d, err, v.want)
		})
	}
}

func TestMalformedXML(t *testing.T) {
	for _, v := range []struct{ name, doc, want string }{
		{"nothing", "", "xml: offset 0: no element"},
		{"another root", "<a/>", "xml: offset 0: root element is not wap-provisioningdoc"},
		{"two roots", "<wap-provisioningdoc/><b/>", "xml: offset 22: element after the root element"},
		{"entities of its own", `<!DOCTYPE a [<!ENTITY a "aaaa">]><wap-provisioningdoc version="&a;"/>`,
			"xml: offset 66: invalid character entity &a;"},
		{"a second DOCTYPE", `<!DOCTYPE a><!DOCTYPE a><wap-provisioningdoc/>`,
			"xml: offset 12: declaration behind the first tag or DOCTYPE"},
		{"DOCTYPE cut off", `<!DOCTYPE a [<!ENTITY a "aaaa>]><wap-provisioningdoc/>`, "xml: offset 54: unexpected EOF"},
		{"unknown entity", `<wap-provisioningdoc><characteristic type="&a;"/></wap-provisioningdoc>`,
			"xml: offset 46: invalid character entity &a;"},
		{"another charset", `<?xml version="1.0" encoding="UTF-16"?><wap-provisioningdoc/>`,
			`xml: offset 20: encoding "UTF-16" (want UTF-8, US-ASCII or ISO-8859-1)`},
		{"UTF-16", "\xFF\xFE<\x00", "xml: offset 0: UTF-16 (want UTF-8)"},
		{"behind a character of two bytes", `<?xml encoding='ISO-8859-1'?><wap-provisioningdoc version="` + "\xE9" + `"><b/>`,
			`xml: offset 62: element "b" is neither characteristic nor parm`},
		{"half a character", `<wap-provisioningdoc version="` + "\xE9" + `"/>`, "xml: offset 32: invalid UTF-8"},
		{"line break in a value", "<wap-provisioningdoc version=\"1\n0\"/>",
			`xml: offset 0: control character in version="1\n0"`},
		{"type twice", `<wap-provisioningdoc><characteristic type="a" type="b"/>`, "xml: offset 21: attribute type twice"},
		{"value twice", `<wap-provisioningdoc><parm name="A" value="a" value="b"/>`,
			"xml: offset 21: attribute value twice"},
		{"cut off in a parm", `<wap-provisioningdoc><parm name="A">`, "xml: offset 36: unexpected EOF"},
		{"text behind", `<wap-provisioningdoc/>x`, "xml: offset 22: text outside an attribute"},
		{"unknown attribute", `<wap-provisioningdoc lang="en"/>`,
			`xml: offset 0: unknown attribute "lang" in wap-provisioningdoc`},
		{"attribute twice", `<wap-provisioningdoc version="1" version="2"/>`, "xml: offset 0: attribute version twice"},
		{"group without a type", "<wap-provisioningdoc><characteristic/></wap-provisioningdoc>",
			"xml: offset 21: characteristic without a type"},
		{"parm without a name",
			`<wap-provisioningdoc><characteristic type="A"><parm/></characteristic></wap-provisioningdoc>`,
			"xml: offset 46: parm without a name"},
		{"parm at the top", `<wap-provisioningdoc><parm name="A"/></wap-provisioningdoc>`,
			"xml: offset 0: parm outside a characteristic"},
		{"content in a parm", `<wap-provisioningdoc><parm name="A"><b/></parm></wap-provisioningdoc>`,
			"xml: offset 36: content in a parm"},
		{"another element", "<wap-provisioningdoc><b/></wap-provisioningdoc>",
			`xml: offset 21: element "b" is neither characteristic nor parm`},
		{"text", "<wap-provisioningdoc>x</wap-provisioningdoc>", "xml: offset 21: text outside an attribute"},
		{"too deep", "<wap-provisioningdoc>" + strings.Repeat(`<characteristic type="A">`, 8),
			"xml: offset 196: elements nested deeper than 8"},
		{"cut off", "<wap-provisioningdoc>", "xml: offset 21: unexpected EOF"},
		{"too long", strings.Repeat(" ", maxText+1), "xml: offset 262144: document of 262145 bytes (at most 262144)"},
	} {
		t.Run(v.name, func(t *testing.T) {
			d, err := ReadXML([]byte(v.doc))
			expect(t, d, err, v.want)
		})
	}
}

// A small document must not become a large one: a string of the table, or a value with a token, told over and over.
func TestAmplification(t *testing.T) {
	for value, want := range map[string]string{
		strings.Repeat("\x83\x00", 1000): "wbxml: offset 681: text comes to more than 16 times the document",
		strings.Repeat("\x95", 20_000):   "cp: offset 8715: more than 262144 bytes of text", // DIRECT-ASYNCHRONOUS-DATA-SERVICE
	} {
		doc := "\x03\x0B\x6A\x84\x00" + strings.Repeat("x", 512) + "\x45\xC6\x55\x01\x87\x11\x06" +
			value + "\x01\x01\x01"
		d, err := Read([]byte(doc))
		expect(t, d, err, want)
	}
}

// expect checks that reading ended in an error that reads want, and in nothing else.
func expect(t *testing.T, d *Document, err error, want string) {
	t.Helper()
	var syntax *codec.SyntaxError
	if !errors.As(err, &syntax) {
		t.Fatalf("got %v, %T; want a *codec.SyntaxError", err, err)
	}
	if fmt.Sprint(err) != want {
		t.Errorf("got  %v\nwant %v", err, want)
	}
	if d != nil {
		t.Errorf("half a document: %+v", d)
	}
}
