// Package devinf turns DevInf documents, in which a device tells what it can synchronise, from WBXML to XML and back.
// Device management tells such things by its tree, so nothing here asks what they mean; but DevInf is found in messages
// of devices that serve both, as a WBXML document of its own in the OPAQUE of a Data.
//
// Source: section 1.3 of the fact sheet.
package devinf

import (
	"bytes"
	"slices"

	"dmgate/codec/internal/markup"
	"dmgate/codec/wbxml"
)

// Types of an Item's Data that is a DevInf.
const (
	TypeXML   = "application/vnd.syncml-devinf+xml"
	TypeWBXML = "application/vnd.syncml-devinf+wbxml"
)

const depth = 16 // of elements; the deepest of the standard is 6

// names are the elements of DevInf 1.2 by their tag code. 0x2F is not used.
var names = []string{
	0x05: "CTCap", "CTType", "DataStore", "DataType", "DevID", "DevInf", "DevTyp", "DisplayName", "DSMem", "Ext", "FwV",
	0x10: "HwV", "Man", "MaxGUIDSize", "MaxID", "MaxMem", "Mod", "OEM", "ParamName",
	0x18: "PropName", "Rx", "Rx-Pref", "SharedMem", "MaxSize", "SourceRef", "SwV", "SyncCap",
	0x20: "SyncType", "Tx", "Tx-Pref", "ValEnum", "VerCT", "VerDTD", "XNam", "XVal",
	0x28: "UTC", "SupportNumberOfChanges", "SupportLargeObjs", "Property", "PropParam", "MaxOccur", "NoTruncate",
	0x30: "Filter-Rx", "FilterCap", "FilterKeyword", "FieldLevel", "SupportHierarchicalSync",
}

const (
	tagSize   = 0x1C // MaxSize in 1.2
	tagFirst2 = 0x2B // the first that came with 1.2
)

var (
	v12 = language(wbxml.PublicDevInf12, names)
	v11 = language(wbxml.PublicDevInf11, names11())
)

func names11() []string {
	n := slices.Clone(names[:tagFirst2])
	n[tagSize] = "Size"
	return n
}

func language(public uint32, names []string) *markup.Language {
	return markup.New(markup.Language{
		Format: "devinf", Root: "DevInf", Namespace: "syncml:devinf", Names: names,
		Public: []uint32{wbxml.PublicDevInf10, wbxml.PublicDevInf11, wbxml.PublicDevInf12}, FPI: "DTD DevInf",
		Header: wbxml.Header{Version: 0x02, PublicID: public, Charset: wbxml.CharsetUTF8},
	})
}

// ToXML is doc, in either encoding, as XML.
func ToXML(doc []byte) ([]byte, error) {
	l := languageOf(doc)
	return convert(doc, l, l.WriteXML(nil, false))
}

// ToInline is ToXML for a document that is to stand inside another.
func ToInline(doc []byte) ([]byte, error) {
	l := languageOf(doc)
	return convert(doc, l, l.WriteXML(nil, true))
}

// ToWBXML is doc, in either encoding, as WBXML of the version that it names.
func ToWBXML(doc []byte) ([]byte, error) {
	l := languageOf(doc)
	return convert(doc, l, l.WriteWBXML(nil))
}

func convert(doc []byte, l *markup.Language, w *markup.Writer) ([]byte, error) {
	in, err := l.Open(doc, depth)
	if err != nil {
		return nil, err
	}
	return l.Copy(in, w, nil)
}

// languageOf is the version of doc: what its header says of WBXML, what VerDTD says of XML.
func languageOf(doc []byte) *markup.Language {
	if !markup.IsXML(doc) {
		var r wbxml.Reader
		if r.Init(doc, 1) == nil && isOld(&r.Header) {
			return v11
		}
		return v12
	}
	in, err := v12.Open(doc, depth)
	for version := false; err == nil; {
		var e markup.Event
		switch e, err = in.Next(); {
		case e.Kind == markup.EOF:
			return v12
		case e.Kind == markup.Start:
			version = e.Name == "VerDTD"
		case version && e.Kind == markup.Text && !bytes.HasPrefix(bytes.TrimSpace(e.Bytes), []byte("1.2")):
			return v11
		case version:
			return v12
		}
	}
	return v12
}

// isOld says whether h is of version 1.0 or 1.1. Their tables are one.
func isOld(h *wbxml.Header) bool {
	return h.PublicID == wbxml.PublicDevInf10 || h.PublicID == wbxml.PublicDevInf11 ||
		bytes.Contains(h.PublicText, []byte("DevInf 1.0")) || bytes.Contains(h.PublicText, []byte("DevInf 1.1"))
}
