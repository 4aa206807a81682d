package syncml

import (
	"dmgate/codec/internal/ddf"
	"dmgate/codec/wbxml"
)

// tag names an element in both encodings: its WBXML code page in the high byte, its code in the low one. An element
// without a code of its own (unknown XML, a WBXML literal) has tag 0.
type tag uint16

// noTag is no element: where child has come to the end of the one that is open.
const noTag tag = wbxml.TokEnd

func (t tag) page() uint8 { return uint8(t >> 8) }
func (t tag) code() uint8 { return uint8(t) }

// name is the element's local name; "" where the tables hold none.
func (t tag) name() string {
	if int(t.page()) >= len(tagNames) || int(t.code()) >= len(tagNames[t.page()]) {
		return ""
	}
	return tagNames[t.page()][t.code()]
}

// Code pages.
const (
	pageSyncML = 0
	pageMetInf = 1
	pageDDF    = ddf.Page // DM device description: MgmtTree and what is in it

	endTags = (pageDDF + 1) << 8 // behind those of our pages
)

// Tags that DM uses, and the commands it does not.
const (
	tagAdd        tag = 0x05
	tagAlert      tag = 0x06
	tagAtomic     tag = 0x08
	tagChal       tag = 0x09
	tagCmd        tag = 0x0A
	tagCmdID      tag = 0x0B
	tagCmdRef     tag = 0x0C
	tagCopy       tag = 0x0D
	tagCred       tag = 0x0E
	tagData       tag = 0x0F
	tagDelete     tag = 0x10
	tagExec       tag = 0x11
	tagFinal      tag = 0x12
	tagGet        tag = 0x13
	tagItem       tag = 0x14
	tagLocName    tag = 0x16
	tagLocURI     tag = 0x17
	tagMap        tag = 0x18
	tagMeta       tag = 0x1A
	tagMsgID      tag = 0x1B
	tagMsgRef     tag = 0x1C
	tagNoResp     tag = 0x1D
	tagPut        tag = 0x1F
	tagReplace    tag = 0x20
	tagRespURI    tag = 0x21
	tagResults    tag = 0x22
	tagSearch     tag = 0x23
	tagSequence   tag = 0x24
	tagSessionID  tag = 0x25
	tagSource     tag = 0x27
	tagSourceRef  tag = 0x28
	tagStatus     tag = 0x29
	tagSync       tag = 0x2A
	tagSyncBody   tag = 0x2B
	tagSyncHdr    tag = 0x2C
	tagSyncML     tag = 0x2D
	tagTarget     tag = 0x2E
	tagTargetRef  tag = 0x2F
	tagVerDTD     tag = 0x31
	tagVerProto   tag = 0x32
	tagMoreData   tag = 0x34
	tagMove       tag = 0x3B
	tagCorrelator tag = 0x3C

	tagFormat     tag = pageMetInf<<8 | 0x07
	tagMark       tag = pageMetInf<<8 | 0x0B
	tagMaxMsgSize tag = pageMetInf<<8 | 0x0C
	tagMetInf     tag = pageMetInf<<8 | 0x0E
	tagNextNonce  tag = pageMetInf<<8 | 0x10
	tagSize       tag = pageMetInf<<8 | 0x12
	tagType       tag = pageMetInf<<8 | 0x13
	tagVersion    tag = pageMetInf<<8 | 0x14
	tagMaxObjSize tag = pageMetInf<<8 | 0x15

	tagBin          tag = pageDDF<<8 | 0x09
	tagNode         tag = pageDDF<<8 | 0x24
	tagRTProperties tag = pageDDF<<8 | 0x2F
	tagValue        tag = pageDDF<<8 | 0x36
)

// kind is the command that t starts; None where t is no command of DM.
func (t tag) kind() Kind {
	if int(t) < len(tagKinds) {
		return tagKinds[t]
	}
	return None
}

var tagKinds = [...]Kind{
	tagAdd: Add, tagAlert: Alert, tagAtomic: Atomic, tagCopy: Copy, tagDelete: Delete, tagExec: Exec, tagGet: Get,
	tagReplace: Replace, tagResults: Results, tagSequence: Sequence, tagStatus: Status,
}

var kindTags = [...]tag{
	Add: tagAdd, Alert: tagAlert, Atomic: tagAtomic, Copy: tagCopy, Delete: tagDelete, Exec: tagExec, Get: tagGet,
	Replace: tagReplace, Results: tagResults, Sequence: tagSequence, Status: tagStatus,
}

// foreign says whether t is a command of SyncML that DM does not use.
func (t tag) foreign() bool {
	switch t {
	case tagPut, tagSearch, tagSync, tagMap, tagMove:
		return true
	}
	return false
}

// tagOf is the tag called name among those that the grammar asks for; 0 for any other name. No name stands on two of
// the pages, so the namespace is not needed to tell them apart.
func tagOf(name []byte) tag {
	switch string(name) {
	case "Add":
		return tagAdd
	case "Alert":
		return tagAlert
	case "Atomic":
		return tagAtomic
	case "Chal":
		return tagChal
	case "Cmd":
		return tagCmd
	case "CmdID":
		return tagCmdID
	case "CmdRef":
		return tagCmdRef
	case "Copy":
		return tagCopy
	case "Cred":
		return tagCred
	case "Data":
		return tagData
	case "Delete":
		return tagDelete
	case "Exec":
		return tagExec
	case "Final":
		return tagFinal
	case "Get":
		return tagGet
	case "Item":
		return tagItem
	case "LocName":
		return tagLocName
	case "LocURI":
		return tagLocURI
	case "Map":
		return tagMap
	case "Meta":
		return tagMeta
	case "MsgID":
		return tagMsgID
	case "MsgRef":
		return tagMsgRef
	case "NoResp":
		return tagNoResp
	case "Put":
		return tagPut
	case "Replace":
		return tagReplace
	case "RespURI":
		return tagRespURI
	case "Results":
		return tagResults
	case "Search":
		return tagSearch
	case "Sequence":
		return tagSequence
	case "SessionID":
		return tagSessionID
	case "Source":
		return tagSource
	case "SourceRef":
		return tagSourceRef
	case "Status":
		return tagStatus
	case "Sync":
		return tagSync
	case "SyncBody":
		return tagSyncBody
	case "SyncHdr":
		return tagSyncHdr
	case "SyncML":
		return tagSyncML
	case "Target":
		return tagTarget
	case "TargetRef":
		return tagTargetRef
	case "VerDTD":
		return tagVerDTD
	case "VerProto":
		return tagVerProto
	case "MoreData":
		return tagMoreData
	case "Move":
		return tagMove
	case "Correlator":
		return tagCorrelator
	case "Format":
		return tagFormat
	case "Mark":
		return tagMark
	case "MaxMsgSize":
		return tagMaxMsgSize
	case "MetInf":
		return tagMetInf
	case "NextNonce":
		return tagNextNonce
	case "Size":
		return tagSize
	case "Type":
		return tagType
	case "Version":
		return tagVersion
	case "MaxObjSize":
		return tagMaxObjSize
	}
	return 0
}

// namespaces are the XML namespaces of the code pages. That of page 0 goes with the version.
var namespaces = [...]string{pageSyncML: "SYNCML:SYNCML1.2", pageMetInf: "syncml:metinf", pageDDF: ddf.Namespace}

// tagNames are the element names of the code pages: section 1.3 of the fact sheet.
var tagNames = [...][]string{
	pageSyncML: {
		0x05: "Add", "Alert", "Archive", "Atomic", "Chal", "Cmd", "CmdID", "CmdRef", "Copy", "Cred", "Data",
		0x10: "Delete", "Exec", "Final", "Get", "Item", "Lang", "LocName", "LocURI",
		0x18: "Map", "MapItem", "Meta", "MsgID", "MsgRef", "NoResp", "NoResults", "Put",
		0x20: "Replace", "RespURI", "Results", "Search", "Sequence", "SessionID", "SftDel", "Source",
		0x28: "SourceRef", "Status", "Sync", "SyncBody", "SyncHdr", "SyncML", "Target", "TargetRef",
		0x31: "VerDTD", "VerProto", "NumberOfChanges", "MoreData",
		0x35: "Field", "Filter", "Record", "FilterType", "SourceParent", "TargetParent", "Move", "Correlator",
	},
	pageMetInf: {
		0x05: "Anchor", "EMI", "Format", "FreeID", "FreeMem", "Last", "Mark", "MaxMsgSize", "Mem", "MetInf", "Next",
		0x10: "NextNonce", "SharedMem", "Size", "Type", "Version", "MaxObjSize", "FieldLevel",
	},
	pageDDF: ddf.Names,
}
