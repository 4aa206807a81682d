package syncml

import "dmgate/codec/wbxml"

var (
	publicText11 = []byte("-//SYNCML//DTD SyncML 1.1//EN")
	publicText12 = []byte("-//SYNCML//DTD SyncML 1.2//EN")
)

// version12 is WBXML 1.2, which phones take that refuse 1.3.
const version12 = 0x02

// beginWBXML writes the header in style st and opens the root element.
func (out *writer) beginWBXML(st *Style) {
	h := wbxml.Header{Version: st.WBXML, Charset: wbxml.CharsetUTF8}
	if h.Version == 0 {
		h.Version = version12
	}
	if st.Latin1 {
		h.Charset = wbxml.CharsetLatin1
	}
	switch v11 := st.Version == V11; {
	case st.TextPublic && v11:
		h.PublicText = publicText11
	case st.TextPublic:
		h.PublicText = publicText12
	case v11:
		h.PublicID = wbxml.PublicSyncML11
	default:
		h.PublicID = wbxml.PublicSyncML12
	}
	out.Init(out.Buf, &h)
	out.Start(tagSyncML.page(), tagSyncML.code())
}
