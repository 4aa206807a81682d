package push

// The package 0 notification of DM 1.3.

import (
	"fmt"

	"dmgate/codec"
	"dmgate/codec/auth"
)

// Notification13 is package 0 in the form of DM 1.3, whose content type is TypeNotification13.
//
// The source (section 5.2, a rendering at second hand) settles this much: all numbers have their big end first; a head
// of fixed size comes first and also tells the number of options; options follow in the order of their numbers, each
// with a type, a length and a value; the digest comes last. It does not settle what follows here, which is the reading
// that fits best and has met no device:
//
//   - The head is that of DM 1.2: version (10 bits), ui-mode (2), initiator (1), 27 bits, session id (16). Where in the
//     27 bits the options are counted is not known, so the count is not looked at: options end where the digest begins.
//   - The version is 12 or 13.
//   - An option begins with its number in 4 bits and the length of its value in 12: the source writes the numbers with
//     4 bits, and the longest value is 4095 bytes.
//   - The digest is made as in DM 1.2, of all in front of it.
//
// A client of DM 1.3 takes the form of DM 1.2 as well. That is the one to send; Append serves tests and simulated
// devices.
type Notification13 struct {
	Version         uint16 // 12 or 13; 0 is written as 13
	UIMode          UIMode
	ServerInitiated bool // or by the user or client
	Future          uint32
	SessionID       uint16
	Options         []Option // by ascending number; Server-ID once
	Digest          [16]byte // of all in front of it; as read, Append makes its own
}

// Option is one option of a Notification13.
type Option struct {
	Number uint8 // 1 to 15
	Value  []byte
}

// Options by their number.
const (
	OptionServerID        = 1 // text
	OptionTargetedMO      = 2 // a number of 1 or 2 bytes, any number of times
	OptionRequestedMO     = 3 // a number of 1 or 2 bytes, any number of times
	OptionPreferredBearer = 4 // a number of 1 byte, any number of times
	OptionConnectReason   = 5 // text
	OptionVendorInfo      = 6
)

// optionForms says how long an option is, and whether it may stand more than once. Numbers without a name are left to
// later versions and may do what they like.
var optionForms = [16]struct {
	name   string
	max    int
	repeat bool
}{
	OptionServerID:        {"Server-ID", 256, false},
	OptionTargetedMO:      {"Targeted-MO", 2, true},
	OptionRequestedMO:     {"Requested-MO", 2, true},
	OptionPreferredBearer: {"Preferred-Bearer", 1, true},
	OptionConnectReason:   {"Connect-Reason", maxOption, false},
	OptionVendorInfo:      {"Vendor-Info", maxOption, false},
}

const (
	version12     = 12
	version13     = 13
	head13        = 7
	maxOption     = 1<<12 - 1
	maxOptions    = 64
	minimum13     = head13 + 2 + 1 + digestSize
	optionNumbers = 4 // bits of the first byte that the length leaves to the number
)

// Name is what the standard calls o.
func (o *Option) Name() string {
	if name := optionForms[o.Number&0xF].name; name != "" {
		return name
	}
	return fmt.Sprintf("option %d", o.Number)
}

// number is the value of an option that is a number.
func (o *Option) number() int {
	n := 0
	for _, c := range o.Value {
		n = n<<8 | int(c)
	}
	return n
}

// String is the value in words: a number, or text.
func (o *Option) String() string {
	switch o.Number {
	case OptionTargetedMO, OptionRequestedMO, OptionPreferredBearer:
		return fmt.Sprint(o.number())
	case OptionServerID, OptionConnectReason:
		return fmt.Sprintf("%q", o.Value)
	}
	return fmt.Sprintf("%X", o.Value)
}

// ServerID is the value of option Server-ID; empty where there is none.
func (n *Notification13) ServerID() string {
	for i := range n.Options {
		if n.Options[i].Number == OptionServerID {
			return string(n.Options[i].Value)
		}
	}
	return ""
}

// Append appends n with the digest that secret and the nonce of the way from server to client give; with n.Digest
// where secret is nil. An option that is too long is cut.
func (n *Notification13) Append(dst []byte, secret *auth.Secret, nonce []byte) []byte {
	start := len(dst)
	dst = n.appendTrigger(dst)
	digest := n.Digest
	if secret != nil {
		digest = secret.Digest(nonce, dst[start:])
	}
	return append(dst, digest[:]...)
}

func (n *Notification13) appendTrigger(dst []byte) []byte {
	version := n.Version
	if version == 0 {
		version = version13
	}
	dst = appendHead(dst, version, n.UIMode, n.ServerInitiated, n.Future, n.SessionID)
	for i := range n.Options {
		o := &n.Options[i]
		v := o.Value[:min(len(o.Value), maxOption)]
		dst = append(dst, o.Number<<optionNumbers|byte(len(v)>>8), byte(len(v)))
		dst = append(dst, v...)
	}
	return dst
}

// ReadNotification13 reads a notification of DM 1.3 and does not verify it. Values are views into b.
func ReadNotification13(b []byte) (Notification13, error) {
	var n Notification13
	if len(b) < minimum13 {
		return n, codec.Errorf("notification", len(b), "DM 1.3 notification of %d bytes (want at least %d)", len(b),
			minimum13)
	}
	n.Version, n.UIMode, n.ServerInitiated, n.Future, n.SessionID = readHead(b)
	if n.Version != version12 && n.Version != version13 {
		return n, codec.Errorf("notification", 0, "version %d (want 12 or 13)", n.Version)
	}
	end := len(b) - digestSize
	copy(n.Digest[:], b[end:])
	last := uint8(0)
	for at := head13; at < end; {
		o, err := readOption(b[:end], at, last)
		if err != nil {
			return n, err
		}
		if len(n.Options) == maxOptions {
			return n, codec.Errorf("notification", at, "more than %d options", maxOptions)
		}
		if last == 0 && o.Number != OptionServerID {
			return n, codec.Errorf("notification", at, "%s in front of Server-ID, or without it", o.Name())
		}
		n.Options, last = append(n.Options, o), o.Number
		at += 2 + len(o.Value)
	}
	return n, nil
}

// readOption reads the option at offset at of b, which comes behind one of number last.
func readOption(b []byte, at int, last uint8) (o Option, err error) {
	if at+2 > len(b) {
		return o, codec.Errorf("notification", at, "options end in the head of one")
	}
	o.Number = b[at] >> optionNumbers
	size := int(b[at]&0xF)<<8 | int(b[at+1])
	form := &optionForms[o.Number]
	switch {
	case o.Number == 0:
		return o, codec.Errorf("notification", at, "option 0 (want 1 to 15)")
	case o.Number < last:
		return o, codec.Errorf("notification", at, "%s behind option %d (want ascending numbers)", o.Name(), last)
	case o.Number == last && form.name != "" && !form.repeat:
		return o, codec.Errorf("notification", at, "second %s", o.Name())
	case size == 0:
		return o, codec.Errorf("notification", at, "%s without a value", o.Name())
	case form.name != "" && size > form.max:
		return o, codec.Errorf("notification", at, "%s of %d bytes (at most %d)", o.Name(), size, form.max)
	case size > len(b)-at-2:
		return o, codec.Errorf("notification", at, "%s of %d bytes, only %d left", o.Name(), size, len(b)-at-2)
	}
	o.Value = b[at+2 : at+2+size]
	return o, nil
}

// Verify says whether n, as read, carries the digest that secret and nonce give, made as in DM 1.2. It compares in
// constant time.
func (n *Notification13) Verify(secret *auth.Secret, nonce []byte) bool {
	want := secret.Digest(nonce, n.appendTrigger(nil))
	return auth.Equal(n.Digest[:], want[:])
}
