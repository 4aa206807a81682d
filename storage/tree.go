package storage

import "time"

//go:generate go tool msgp -file tree.go -o tree_gen.go -tests=false -io=false
//msgp:timezone utc
//msgp:limit arrays:65536 maps:65536 marshal:true

// Node is what a device has said of one node of its management tree, and when. There is one for each URI that it was
// asked for, also where the answer was that there is no such node: what is known is not asked again.
type Node struct {
	Device DeviceID `msg:"d"`
	// URI is as it was asked: "./SCOMO/Download"; "." is the root. What was said to one with a query, "./SCOMO?prop=Type",
	// stands by itself: it is evidence, and is not asked again either.
	URI string `msg:"u"`
	// Code is the status of the Get: 200 present, 404 absent, 405 present and not to be read, 425 barred by an ACL; 0 none.
	Code   int    `msg:"c"`
	Format string `msg:"f,omitempty"`
	Type   string `msg:"t,omitempty"` // of a leaf its media type; of the root of a management object its identifier
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

// Walk is how far the discovery of a device has come. A node that is older than its Begun is stale.
type Walk struct {
	Begun  time.Time `msg:"b"`           // zero where the device was never looked at
	Ended  time.Time `msg:"e"`           // zero while there is something to ask
	Why    string    `msg:"w,omitempty"` // what has led to it: "the first session", "firmware 1.0 became 1.1"
	Order  string    `msg:"o,omitempty"` // the order that has asked for it
	Short  string    `msg:"s,omitempty"` // how it was cut: a bound that was met; empty for none
	Of     Handset   `msg:"of"`          // what was looked at, as it said before the walk began or was told in it
	Rounds int       `msg:"r,omitempty"` // lists of questions so far
	Asked  []uint64  `msg:"t,omitempty"` // the tasks that carry the last one
	Visits int       `msg:"v,omitempty"` // sessions so far

	// Again are nodes that were answered by 500: they are asked once more, each alone.
	Again []string `msg:"a,omitempty"`
	// Whole says that no model stands for what the device was not asked.
	Whole bool `msg:"wh,omitempty"`
	// Model is the key of the model whose tree the device is asked to confirm, or has confirmed.
	Model string `msg:"m,omitempty"`

	Checked      time.Time `msg:"c"`            // when it last told FwV and SwV
	Rules        string    `msg:"ru,omitempty"` // the version of the rules that have asked
	Capabilities string    `msg:"cv,omitempty"` // their version at the end of the walk
}

// Handset tells a device from another one, and one firmware of it from the next.
type Handset struct {
	DevID string `msg:"d,omitempty"`
	Man   string `msg:"m,omitempty"`
	Mod   string `msg:"o,omitempty"`
	DmV   string `msg:"v,omitempty"`
	Lang  string `msg:"l,omitempty"`
	FwV   string `msg:"f,omitempty"`
	SwV   string `msg:"s,omitempty"`
}

// Handset is what d says that it is.
func (d *Device) Handset() Handset {
	return Handset{
		DevID: d.DevID, Man: d.Facts["Man"], Mod: d.Facts["Mod"], DmV: d.Facts["DmV"], Lang: d.Facts["Lang"],
		FwV: d.Facts["FwV"], SwV: d.Facts["SwV"],
	}
}
