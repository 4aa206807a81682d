package wbxml

// Cursor is where a Reader stands. Next moves it. Who is in a hurry, as the reader of DM messages is, may move it over
// what nearly all of a document is made of: page switches, tags without attributes, strings, and ends, those of the root
// aside. It has to leave the Cursor as Next would.
type Cursor struct {
	Doc      []byte
	Pos      int   // where the next token begins
	TagAt    int   // where the tag read last begins
	Depth    int   // elements whose content is open
	MaxDepth int   // and how many may be
	Page     uint8 // code page of tags
}
