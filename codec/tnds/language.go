package tnds

import (
	"dmgate/codec/internal/ddf"
	"dmgate/codec/internal/markup"
	"dmgate/codec/wbxml"
)

// language is that of descriptions (DDF), in which trees are written as well. The identifier in text has its NUL: other
// than the SyncML header around it, nobody is known to write it without.
var language = markup.New(markup.Language{
	Format: "tnds", Root: "MgmtTree", Namespace: ddf.Namespace, Page: ddf.Page, Names: ddf.Names,
	// As tokens of a DM message, whose code page it is, a tree may also have the identifier of that.
	Public: []uint32{wbxml.PublicSyncML11, wbxml.PublicSyncML12}, FPI: "DM-DDF",
	Header: wbxml.Header{Version: 0x02, PublicText: []byte(ddf.Public + "\x00"), Charset: wbxml.CharsetUTF8},
})
