package syncml

// GuessEncoding tells the encoding of doc by its first byte: a WBXML document begins with its version, which no XML
// document does. ok is false where doc is neither.
func GuessEncoding(doc []byte) (enc Encoding, ok bool) {
	for i, c := range doc {
		switch {
		case i == 0 && c >= 0x01 && c <= 0x03:
			return WBXML, true
		case c == '<', i == 0 && (c == 0xEF || c == 0xFE || c == 0xFF): // or a byte order mark
			return XML, true
		case !isSpace(c):
			return WBXML, false
		}
	}
	return WBXML, false
}
