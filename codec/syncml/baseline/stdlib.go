package baseline

import "encoding/xml"

// SyncML is a message as encoding/xml reads and writes it. It holds what syncml.Message holds.
type SyncML struct {
	XMLName xml.Name `xml:"SyncML"`
	Header  SyncHdr  `xml:"SyncHdr"`
	Body    SyncBody `xml:"SyncBody"`
}

// SyncHdr is the header.
type SyncHdr struct {
	VerDTD, VerProto, SessionID, MsgID string
	Target, Source                     Location
	RespURI                            string `xml:",omitempty"`
	NoResp                             *struct{}
	Cred                               *Cred
	Meta                               *Meta
}

// Location is a Target or Source.
type Location struct {
	LocURI  string
	LocName string `xml:",omitempty"`
}

// Cred is a credential.
type Cred struct {
	Meta *Meta
	Data string
}

// Meta holds the MetInf elements that DM uses.
type Meta struct {
	Format     string `xml:"syncml:metinf Format,omitempty"`
	Type       string `xml:"syncml:metinf Type,omitempty"`
	Mark       string `xml:"syncml:metinf Mark,omitempty"`
	Size       int    `xml:"syncml:metinf Size,omitempty"`
	Version    string `xml:"syncml:metinf Version,omitempty"`
	NextNonce  string `xml:"syncml:metinf NextNonce,omitempty"`
	MaxMsgSize int    `xml:"syncml:metinf MaxMsgSize,omitempty"`
	MaxObjSize int    `xml:"syncml:metinf MaxObjSize,omitempty"`
}

// SyncBody holds the commands, and Final as one of them.
type SyncBody struct {
	Commands []Command `xml:",any"`
}

// Command is one command, Status or Results.
type Command struct {
	XMLName    xml.Name
	CmdID      string `xml:",omitempty"`
	NoResp     *struct{}
	MsgRef     string `xml:",omitempty"`
	CmdRef     string `xml:",omitempty"`
	Cmd        string `xml:",omitempty"`
	TargetRef  []string
	SourceRef  []string
	Cred       *Cred
	Chal       *Chal
	Meta       *Meta
	Data       string `xml:",omitempty"`
	Correlator string `xml:",omitempty"`
	Item       []Item
	Members    []Command `xml:",any"` // of an Atomic or Sequence
}

// Chal is a challenge.
type Chal struct{ Meta *Meta }

// Item is one Item.
type Item struct {
	Target, Source *Location
	Meta           *Meta
	Data           *Data
	MoreData       *struct{}
}

// Data is an Item's data: text, or elements as they stand in the document.
type Data struct {
	Text     string     `xml:",chardata"`
	Inner    string     `xml:",innerxml"`
	Elements []struct{} `xml:",any"`
}

// Read reads a message into m and makes it one that xml.Marshal writes again: Data holds either text or elements, and
// only the root names its namespace.
func (m *SyncML) Read(doc []byte) error {
	if err := xml.Unmarshal(doc, m); err != nil {
		return err
	}
	tidy(m.Body.Commands)
	return nil
}

func tidy(commands []Command) {
	for i := range commands {
		c := &commands[i]
		c.XMLName.Space = ""
		for j := range c.Item {
			if d := c.Item[j].Data; d != nil && len(d.Elements) > 0 {
				d.Text, d.Elements = "", nil
			} else if d != nil {
				d.Inner = ""
			}
		}
		tidy(c.Members)
	}
}
