package storage

import (
	"strings"
	"time"
)

//go:generate go tool msgp -file model.go -o model_gen.go -tests=false -io=false
//msgp:timezone utc
//msgp:limit arrays:65536 maps:65536 marshal:true

// Model is what was learnt of the devices of one kind: of one maker, model and firmware, or of one TAC, which is known
// before a device has said what it is. It is kept as a document under ModelPrefix and its Key.
type Model struct {
	Man string `msg:"ma,omitempty"` // as the device writes it
	Mod string `msg:"mo,omitempty"`
	FwV string `msg:"fw,omitempty"`
	TAC string `msg:"ta,omitempty"` // 8 digits; then Man, Mod and FwV are empty

	Created time.Time `msg:"cr"`
	Changed time.Time `msg:"ch"`
	// Models are the models whose devices had this TAC, the one that was met last in front.
	Models []ModelMet `msg:"ms,omitempty"`
	// Reference is what the first device of the kind said that was discovered whole.
	Reference ModelReference `msg:"rf"`
	// Learnt is what was counted, by the gateway that has counted it: its own and what was imported from others.
	Learnt []Learnt `msg:"l,omitempty"`
	// Offset is that of the last entry of this gateway's feed which was counted here. An entry counts once.
	Offset uint64 `msg:"o,omitempty"`
}

// ModelMet is a model that devices of a TAC were found to be of.
type ModelMet struct {
	Key  string    `msg:"k"`
	Last time.Time `msg:"l"`
}

// ModelReference is the tree that the next device of the kind begins with, to be confirmed.
type ModelReference struct {
	Device DeviceID          `msg:"d,omitempty"`  // empty where it was imported
	Time   time.Time         `msg:"t"`            // zero where there is none
	Rules  string            `msg:"rl,omitempty"` // version of the rules that said what to look for
	Facts  map[string]string `msg:"f,omitempty"`  // by node name, as in Device.Facts; none that tells devices apart
	TNDS   string            `msg:"tn,omitempty"` // whether the device gives its tree at once: "yes", "no" or unknown
	Nodes  []ModelNode       `msg:"n,omitempty"`  // by URI
	// Confirmed counts devices of this gateway that had the same tree, and Denied those that had not. Where these are more
	// the next of them takes its place.
	Confirmed int `msg:"cf,omitempty"`
	Denied    int `msg:"dn,omitempty"`
}

// ModelNode is a Node without what is specific to one device: there is no evidence, and a value only where it is one of
// the model's.
type ModelNode struct {
	URI      string   `msg:"u"`
	Code     int      `msg:"c"`
	Format   string   `msg:"f,omitempty"`
	Type     string   `msg:"t,omitempty"`
	Children []string `msg:"k,omitempty"`
	Value    string   `msg:"v,omitempty"`
	Cut      bool     `msg:"x,omitempty"` // there are more children than are kept, or others on each device
}

// Learnt is what one gateway has counted of a model. Of two of one origin the later one is the whole truth; those of
// different origins add up.
type Learnt struct {
	Origin   string           `msg:"o"`
	Changed  time.Time        `msg:"ch"`
	Seen     int              `msg:"s,omitempty"` // devices that were discovered
	Outcomes []RecipeOutcome  `msg:"r,omitempty"`
	Variants []VariantOutcome `msg:"v,omitempty"`
}

// RecipeOutcome is what came of a recipe, or of a fallback ("si", "sms"), on devices of a model.
type RecipeOutcome struct {
	Recipe string `msg:"r"`
	// Rules is the version of the rules under which it was counted. Other rules begin anew, at the first outcome.
	Rules   string        `msg:"v,omitempty"`
	Worked  int           `msg:"w,omitempty"`
	Failed  int           `msg:"f,omitempty"`
	Refused int           `msg:"u,omitempty"`  // the user said no
	Ours    int           `msg:"o,omitempty"`  // failed by a fault of ours
	Last    time.Time     `msg:"l"`            // the last time that it worked
	Bad     time.Time     `msg:"b"`            // the last time that it failed
	Reasons []ReasonCount `msg:"re,omitempty"` // of Failed, the most frequent in front
}

// ReasonCount is how often a recipe has failed for one reason.
type ReasonCount struct {
	Text  string    `msg:"t"`
	Count int       `msg:"c"`
	Last  time.Time `msg:"l"`
}

// VariantOutcome is what came of bootstraps of one kind: how they were signed, and what stood in them.
type VariantOutcome struct {
	Sec         string    `msg:"s"`           // "userpin", "netwpin", ...
	Form        string    `msg:"f,omitempty"` // what stood in it besides the account: "apn" or nothing
	Accepted    int       `msg:"a,omitempty"` // a session with the document's credentials followed
	Unanswered  int       `msg:"u,omitempty"` // none did until the deadline
	Unreachable int       `msg:"n,omitempty"` // given up by the network; it says nothing of the document
	Last        time.Time `msg:"l"`
}

// ModelReader is where the gateway stands that learns. It is kept as the document ModelReaderName.
type ModelReader struct {
	Origin string `msg:"or"` // the name under which this gateway counts
	Offset uint64 `msg:"o"`  // of its feed: what is up to there is counted
	Kept   int    `msg:"m"`  // documents of models that there are; short of them by what a crash has cut off
}

// Names of documents: what those of models begin with, and that of the ModelReader.
const (
	ModelPrefix     = "model/"
	ModelReaderName = "reader/models"
)

// Key names the model among models: "Nokia|E71|100.07.76", or "tac:35824201". It has none of "/", "%" and blanks: what
// is not a letter, a digit or one of "._-" stands as "~" and two hexadecimal digits.
func (m *Model) Key() string {
	if m.TAC != "" {
		return TACKey(m.TAC)
	}
	return ModelKey(m.Man, m.Mod, m.FwV)
}

// ModelKey is the key of the model with these facts; empty where maker or model are not known.
func ModelKey(man, mod, fwV string) string {
	if man == "" || mod == "" {
		return ""
	}
	return KinPrefix(man, mod) + string(appendKeyPart(nil, fwV))
}

// KinPrefix begins the keys of all firmwares of a model.
func KinPrefix(man, mod string) string {
	b := append(appendKeyPart(nil, man), '|')
	return string(append(appendKeyPart(b, mod), '|'))
}

// TACKey is the key of what is known of a TAC.
func TACKey(tac string) string { return "tac:" + tac }

// TACOf is the TAC in a DevId: the first 8 digits of "IMEI:490154203237518"; empty where it holds no IMEI.
func TACOf(devID string) string {
	const digits = 8
	name, imei, ok := strings.Cut(devID, ":")
	if !ok || !strings.EqualFold(name, "IMEI") || len(imei) < 14 || len(imei) > 16 {
		return ""
	}
	for i := range imei {
		if imei[i] < '0' || imei[i] > '9' {
			return ""
		}
	}
	return imei[:digits]
}

// maxKeyPart bounds what a part of a key takes, in bytes of the device's text.
const maxKeyPart = 64

// appendKeyPart appends s as it stands in a key.
func appendKeyPart(dst []byte, s string) []byte {
	const hex = "0123456789ABCDEF"
	for i := range len(s) {
		if i == maxKeyPart {
			return append(dst, '~', '~') // models that differ only behind it are taken for one
		}
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '_', c == '-':
			dst = append(dst, c)
		default:
			dst = append(dst, '~', hex[c>>4], hex[c&15])
		}
	}
	return dst
}
