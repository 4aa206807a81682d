// Package syncml reads and writes OMA DM messages, as XML and as WBXML, over one message type.
//
// A Message is filled by Read and emptied by the next Read: its byte slices are views into the document that was read
// (or into a scratch buffer of the Message where the document's form is not the value's, as with character references
// and ISO-8859-1: text of a Message is UTF-8). Whoever keeps one past the request copies it. A reused Message and a
// reused output buffer allocate nothing.
//
// Source: OMA-TS-SyncML-RepPro and OMA-TS-DM-Protocol 1.1.2 to 1.3; sections 1 and 2 of the fact sheet.
package syncml

// Encoding is the form of a message on the wire.
type Encoding uint8

// Encodings.
const (
	WBXML Encoding = iota
	XML
)

func (e Encoding) String() string {
	if e == XML {
		return "xml"
	}
	return "wbxml"
}

// Version is a version of the protocol family, as the document type names it.
type Version uint8

// Versions. DM 1.1.2 travels as SyncML 1.1, DM 1.2 and 1.3 as SyncML 1.2. SyncML 1.0, which is older than DM, is taken
// for 1.1 and answered as that.
const (
	V12 Version = iota
	V11
)

// Style is how a peer writes: a reply goes out in the style of the request, so that old parsers find what they know. Of
// charsets it keeps ISO-8859-1; who names US-ASCII or none (3 and 0) is answered in UTF-8, which is the same as long as
// all of the reply is ASCII.
type Style struct {
	Version    Version // of the document type, which a few phones let differ from VerDTD
	TextPublic bool    // WBXML: public identifier as text in the string table, not as a number
	WBXML      uint8   // WBXML version byte; 0 stands for 0x02 (1.2)
	Latin1     bool    // WBXML: strings are ISO-8859-1. XML always goes out as UTF-8, which every parser reads
}

// Message is one SyncML message.
type Message struct {
	Style  Style
	Header Header

	// Commands stand in document order. Members of an Atomic or Sequence follow it with a Depth greater by one.
	Commands []Command
	Final    bool // this message is the last of its package

	items   []Item // what Command.Items are cut from
	refs    []Ref  // and Command.MoreRefs
	scratch []byte // text whose form on the wire is not its value
	open    []span // the XML reader's open elements; kept here so that reading allocates nothing
}

// Header is SyncHdr.
type Header struct {
	VerDTD    []byte // "1.2", "1.1"
	VerProto  []byte // "DM/1.2", "DM/1.1"
	SessionID []byte // opaque: clients write it decimal, hex or byte-swapped (trap 2)
	MsgID     []byte
	Target    Location
	Source    Location
	RespURI   []byte
	NoResp    bool
	Cred      Cred
	Meta      Meta // MaxMsgSize and MaxObjSize
}

// Location is a Target or Source.
type Location struct {
	URI  []byte // LocURI
	Name []byte // LocName
}

// Cred is a credential. It is absent where Data and Meta.Type are both empty.
type Cred struct {
	Meta Meta
	Data []byte
}

// Present says whether there is a credential at all.
func (c *Cred) Present() bool { return len(c.Data) > 0 || len(c.Meta.Type) > 0 }

// Meta holds the MetInf elements that DM uses. Others are skipped on reading.
type Meta struct {
	Format     []byte // chr, int, bool, bin, b64, node, xml, null, date, time, float
	Type       []byte
	Mark       []byte
	NextNonce  []byte // as on the wire: base64 text
	Version    []byte
	Size       int // bytes as transferred; 0 where absent
	MaxMsgSize int // 0 where absent
	MaxObjSize int // 0 where absent
}

// Empty says whether no element of m is set.
func (m *Meta) Empty() bool {
	return len(m.Format) == 0 && len(m.Type) == 0 && len(m.Mark) == 0 && len(m.NextNonce) == 0 && len(m.Version) == 0 &&
		m.Size == 0 && m.MaxMsgSize == 0 && m.MaxObjSize == 0
}

// Kind is the name of a command.
type Kind uint8

// Commands of OMA DM. Status and Results are protocol elements in the same list.
const (
	None Kind = iota
	Add
	Alert
	Atomic
	Copy
	Delete
	Exec
	Get
	Replace
	Results
	Sequence
	Status
)

var kindNames = [...]string{
	"", "Add", "Alert", "Atomic", "Copy", "Delete", "Exec", "Get", "Replace", "Results", "Sequence", "Status",
}

func (k Kind) String() string { return kindNames[k] }

// KindOf is the command called name; None for a name that is no command of DM. name may be "SyncHdr" in a Cmd
// element, which is no command either.
func KindOf(name []byte) Kind {
	for k, n := range kindNames {
		if k != 0 && n == string(name) {
			return Kind(k)
		}
	}
	return None
}

// Command is one command, Status or Results. Fields that its Kind does not use stay zero.
type Command struct {
	Kind       Kind
	Depth      uint8 // 0 at the top of SyncBody; a member of an Atomic or Sequence has one more than it
	NoResp     bool
	CmdID      []byte
	MsgRef     []byte // Status, Results: the message answered
	CmdRef     []byte // Status, Results: the command answered; "0" is the SyncHdr
	Cmd        []byte // Status: name of the command answered, "SyncHdr" for the header
	TargetRef  []byte // Status, Results: the first that is not empty
	SourceRef  []byte
	MoreRefs   []Ref  // Status, Results: further ones, where it answers several items
	Correlator []byte // Exec; Alert 1226
	Data       []byte // Alert: its code. Status: the status code
	Meta       Meta
	Cred       Cred // Status
	Chal       Meta // Status: Chal/Meta with Type, Format and NextNonce; empty where there is no challenge
	Items      []Item
}

// Ref is a further TargetRef or SourceRef.
type Ref struct {
	URI    []byte
	Source bool // it is a SourceRef
}

// Item is one Item.
type Item struct {
	Target Location
	Source Location
	Meta   Meta
	Data   []byte // nil where there is no Data element; empty but not nil for an empty one
	// Data is XML elements (a MgmtTree or DevInf that stood inline), not character data. From XML it is their text as it
	// stood: a prefix whose namespace was declared around the Item is not declared in it, nor when it is written.
	Markup   bool
	MoreData bool // Data goes on in the next message; see Append for who cuts it
}

// Reset empties m for the next message; capacity stays.
func (m *Message) Reset() {
	m.Style, m.Header, m.Final = Style{}, Header{}, false
	m.Commands, m.items, m.refs, m.scratch = m.Commands[:0], m.items[:0], m.refs[:0], m.scratch[:0]
}

// Limits bounds what a reader accepts, and with it the memory that a Message takes and keeps: some 6 MB of commands and
// items at most with the defaults, besides the text that is not a view into the document. The zero value of a field
// stands for its default.
type Limits struct {
	Depth    int // nesting of elements; 16, at most 255
	Commands int // commands in one message, Status and Results among them; 4096
	Items    int // items in one message, and as many further references; 8192
	String   int // bytes of one string, Item data aside; 4096
	Data     int // bytes of one Item's data; 1 MiB
}

// WithDefaults fills the zero fields of l.
func (l Limits) WithDefaults() Limits {
	for _, f := range []struct {
		v   *int
		def int
	}{{&l.Depth, 16}, {&l.Commands, 4096}, {&l.Items, 8192}, {&l.String, 4096}, {&l.Data, 1 << 20}} {
		if *f.v == 0 {
			*f.v = f.def
		}
	}
	return l
}

// Read fills m from doc, which is in encoding enc. On an error, a *codec.SyntaxError, m holds nothing of use.
func (m *Message) Read(doc []byte, enc Encoding, lim *Limits) error {
	return m.read(doc, enc, lim)
}

// Append appends m in encoding enc and the style m.Style.
//
// Data of an Item or Cred that XML can not hold as text, and Data whose Format is bin, goes into XML as base64 with
// Format b64; WBXML carries it raw. In any other element what XML can not hold becomes U+FFFD. Markup goes into WBXML
// as its XML text.
//
// An Item is written on its own: the base64 of a chunk (MoreData) has padding of its own, and Size is made that of the
// base64 only where it is the length of Data. Whoever cuts a large object for XML has to cut what travels, and Size
// counts that as well (section 1.4 of the fact sheet): Base64 of the whole object, cut, with Format b64.
func (m *Message) Append(dst []byte, enc Encoding) []byte {
	out := writer{enc: enc, version: m.Style.Version}
	out.Buf = dst
	out.message(m)
	return out.Buf
}
