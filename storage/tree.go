package storage

import "time"

//go:generate go tool msgp -file tree.go -o tree_gen.go -tests=false -io=false
//msgp:timezone utc
//msgp:limit arrays:65536 maps:65536 marshal:true

// Node is what a device has said of one node of its management tree, and when. There is one for each URI that it was
// asked for, also where the answer was that there is no such node: what is known is not asked again.
type Node struct {
	Device DeviceID `msg:"d"`
	URI    string   `msg:"u"` // as it was asked, without a query: "./SCOMO/Download"; "." is the root
	Code   int      `msg:"c"` // status of the Get: 200 present, 404 absent, 405 present and not to be read, 425 barred by an ACL
	Format string   `msg:"f,omitempty"`
	Type   string   `msg:"t,omitempty"` // of a leaf its media type; of the root of a management object its identifier
	// Children are the names below an interior node, as the device writes them. Nil and Code 200 is a node without any,
	// or a leaf: see Format.
	Children []string `msg:"k,omitempty"`
	Value    string   `msg:"v,omitempty"` // of a leaf, cut to what is worth keeping
	// Cut says that there are more children, or that there is more of the value, than is kept.
	Cut bool `msg:"x,omitempty"`

	Session string    `msg:"s"` // the evidence: which message of which session, to which task
	Task    uint64    `msg:"ta"`
	MsgID   uint32    `msg:"m"`
	Time    time.Time `msg:"ti"`
}
