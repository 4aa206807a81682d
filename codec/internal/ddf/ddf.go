// Package ddf has the code page of the DM description framework: page 2 of a SyncML document, and the page of a
// MgmtTree that is a document of its own. Source: section 1.3 of the fact sheet.
package ddf

// What a MgmtTree is called in the two encodings.
const (
	Page      = 2
	Namespace = "syncml:dmddf1.2"
	Public    = "-//OMA//DTD-DM-DDF 1.2//EN" // no number was assigned
)

// Names are the elements by their tag code. Node and node are two: one describes a node, the other is a format.
var Names = []string{
	0x05: "AccessType", "ACL", "Add", "b64", "bin", "bool", "chr", "CaseSense", "CIS", "Copy", "CS",
	0x10: "date", "DDFName", "DefaultValue", "Delete", "Description", "DFFormat", "DFProperties", "DFTitle",
	0x18: "DFType", "Dynamic", "Exec", "float", "Format", "Get", "int", "Man",
	0x20: "MgmtTree", "MIME", "Mod", "Name", "Node", "node", "NodeName", "null",
	0x28: "Occurrence", "One", "OneOrMore", "OneOrN", "Path", "Permanent", "Replace", "RTProperties",
	0x30: "Scope", "Size", "time", "Title", "TStamp", "Type", "Value", "VerDTD",
	0x38: "VerNo", "xml", "ZeroOrMore", "ZeroOrN", "ZeroOrOne",
}
