package push

// The WSP push: a body with its content type and the application it is for.

import (
	"strings"

	"dmgate/codec"
)

// Content types by their WSP number (section 5.2).
const (
	TypeWTLSCACert        = 0x18 // application/vnd.wap.wtls-ca-certificate
	TypeX509CACert        = 0x1A // application/x-x509-ca-cert
	TypeX509UserCert      = 0x1B // application/x-x509-user-cert
	TypeSI                = 0x2D // text/vnd.wap.si
	TypeSIC               = 0x2E // application/vnd.wap.sic
	TypeSL                = 0x2F // text/vnd.wap.sl
	TypeSLC               = 0x30 // application/vnd.wap.slc
	TypeConnectivityXML   = 0x35 // text/vnd.wap.connectivity-xml
	TypeConnectivityWBXML = 0x36 // application/vnd.wap.connectivity-wbxml
	TypeHashedCert        = 0x38 // application/vnd.wap.hashed-certificate
	TypeCertResponse      = 0x3A // application/vnd.wap.cert-response
	TypeDMWBXML           = 0x42 // application/vnd.syncml.dm+wbxml
	TypeDMXML             = 0x43 // application/vnd.syncml.dm+xml
	TypeNotification      = 0x44 // application/vnd.syncml.notification
	TypeNotification13    = 0x58 // application/vnd.syncml.dm.notification, of DM 1.3
)

var typeNames = map[uint8]string{
	TypeWTLSCACert:        "application/vnd.wap.wtls-ca-certificate",
	TypeX509CACert:        "application/x-x509-ca-cert",
	TypeX509UserCert:      "application/x-x509-user-cert",
	TypeSI:                "text/vnd.wap.si",
	TypeSIC:               "application/vnd.wap.sic",
	TypeSL:                "text/vnd.wap.sl",
	TypeSLC:               "application/vnd.wap.slc",
	TypeConnectivityXML:   "text/vnd.wap.connectivity-xml",
	TypeConnectivityWBXML: "application/vnd.wap.connectivity-wbxml",
	TypeHashedCert:        "application/vnd.wap.hashed-certificate",
	TypeCertResponse:      "application/vnd.wap.cert-response",
	TypeDMWBXML:           "application/vnd.syncml.dm+wbxml",
	TypeDMXML:             "application/vnd.syncml.dm+xml",
	TypeNotification:      "application/vnd.syncml.notification",
	TypeNotification13:    "application/vnd.syncml.dm.notification",
}

// Applications on the phone that a push can be for, by their number.
const (
	AppAny    = 0x00 // x-wap-application:*
	AppSIA    = 0x01 // x-wap-application:push.sia
	AppWML    = 0x02 // x-wap-application:wml.ua
	AppMMS    = 0x04 // x-wap-application:mms.ua
	AppSyncML = 0x05 // x-wap-application:push.syncml
	AppDM     = 0x07 // x-wap-application:syncml.dm
)

var appNames = map[string]uint16{"*": AppAny, "push.sia": AppSIA, "wml.ua": AppWML, "mms.ua": AppMMS,
	"push.syncml": AppSyncML, "syncml.dm": AppDM}

// Push is a connectionless WSP push.
type Push struct {
	TID         uint8  // transaction id; of no consequence to phones
	ContentType uint8  // well-known number without the top bit: TypeConnectivityWBXML
	TypeName    string // content type in text, used in place of ContentType where set
	AppID       uint16 // the application it is for, where HasAppID: AppDM
	HasAppID    bool
	Signed      bool   // SEC and MAC stand with the content type
	SEC         SEC    // where Signed
	MAC         string // where Signed; empty for UserPINMAC
	Body        []byte
}

const (
	pduPush       = 0x06
	shortInt      = 0x80 // a number below 128 in one byte
	quote         = 0x7F // before a text whose first byte would be taken for something else
	longLength    = 0x1F // a length above 30 follows
	paramSEC      = 0x11
	paramMAC      = 0x12
	headerAppID   = 0x2F
	maxShortValue = 30
)

// Type is the name of the content type, as "application/vnd.wap.connectivity-wbxml", or empty where it is not known.
func (p *Push) Type() string {
	if p.TypeName != "" {
		return p.TypeName
	}
	return typeNames[p.ContentType]
}

// Append appends p. The content type stands first and the application id after it, as the notification specification
// has them; a MAC takes the long form of length, 1F 2D (section 6.1). TypeName and MAC must not hold a NUL.
func (p *Push) Append(dst []byte) []byte {
	headers := p.appendContentType(nil)
	if p.HasAppID {
		headers = append(headers, shortInt|headerAppID)
		headers = appendInteger(headers, p.AppID)
	}
	dst = append(dst, p.TID, pduPush)
	dst = appendUintvar(dst, len(headers))
	dst = append(dst, headers...)
	return append(dst, p.Body...)
}

func (p *Push) appendContentType(dst []byte) []byte {
	var media []byte
	if p.TypeName != "" {
		media = appendText(media, p.TypeName)
	} else {
		media = append(media, shortInt|p.ContentType)
	}
	if !p.Signed {
		return append(dst, media...)
	}
	media = append(media, shortInt|paramSEC, shortInt|uint8(p.SEC))
	if p.MAC != "" {
		media = append(media, shortInt|paramMAC)
		media = appendText(media, p.MAC)
	}
	if len(media) <= maxShortValue {
		dst = append(dst, byte(len(media)))
	} else {
		dst = append(dst, longLength)
		dst = appendUintvar(dst, len(media))
	}
	return append(dst, media...)
}

func appendText(dst []byte, s string) []byte {
	if s != "" && (s[0] <= longLength || s[0] >= quote) {
		dst = append(dst, quote)
	}
	return append(append(dst, s...), 0)
}

func appendInteger(dst []byte, n uint16) []byte {
	switch {
	case n < 0x80:
		return append(dst, shortInt|byte(n))
	case n < 0x100:
		return append(dst, 1, byte(n))
	}
	return append(dst, 2, byte(n>>8), byte(n))
}

// appendUintvar appends a uintvar: seven bits a byte, the big end first, 0x80 for more to come.
func appendUintvar(dst []byte, n int) []byte {
	for shift := 28; shift > 0; shift -= 7 {
		if n>>shift > 0 {
			dst = append(dst, 0x80|byte(n>>shift))
		}
	}
	return append(dst, byte(n)&0x7F)
}

// ReadPush reads a push. Body is a view into b.
//
// The content type may be a number or text, its parameters in any order, SEC a number or a digit, MAC with or without
// quotes; the application id a number or a URI. Parameters and headers of other kinds are passed over.
func ReadPush(b []byte) (Push, error) {
	r := wspReader{b: b, end: len(b)}
	var p Push
	if len(b) < 3 {
		return p, codec.Errorf("push", len(b), "push of %d bytes (want at least 3)", len(b))
	}
	p.TID = b[0]
	if b[1] != pduPush {
		return p, codec.Errorf("push", 1, "WSP PDU type 0x%02X (want 0x06, push)", b[1])
	}
	r.pos = 2
	n, err := r.uintvar("headers' length")
	if err != nil {
		return p, err
	}
	if n > len(b)-r.pos {
		return p, codec.Errorf("push", 2, "headers of %d bytes, only %d left", n, len(b)-r.pos)
	}
	r.end = r.pos + n
	if err := r.contentType(&p); err != nil {
		return p, err
	}
	page := uint8(1)
	for r.pos < r.end {
		if err := r.header(&p, &page); err != nil {
			return p, err
		}
	}
	p.Body = b[r.end:]
	return p, nil
}

// wspReader reads WSP values up to end, which is that of the region it is in.
type wspReader struct {
	b        []byte
	pos, end int
}

func (r *wspReader) contentType(p *Push) error {
	if r.pos >= r.end {
		return codec.Errorf("push", r.pos, "no content type")
	}
	if c := r.b[r.pos]; c > longLength {
		return r.media(p)
	}
	at := r.pos
	n, err := r.valueLength()
	if err != nil {
		return err
	}
	if n > r.end-r.pos {
		return codec.Errorf("push", at, "content type of %d bytes, only %d left", n, r.end-r.pos)
	}
	in := wspReader{b: r.b, pos: r.pos, end: r.pos + n}
	r.pos = in.end
	if err := in.media(p); err != nil {
		return err
	}
	for in.pos < in.end {
		if err := in.parameter(p); err != nil {
			return err
		}
	}
	return nil
}

func (r *wspReader) media(p *Push) error {
	at := r.pos
	v, err := r.value("content type")
	switch {
	case err != nil:
		return err
	case v.isText && len(v.bytes) == 0:
		return codec.Errorf("push", at, "content type of no characters")
	case v.isText:
		p.TypeName = string(v.bytes)
	case v.number < 0 || v.number > 0x7F:
		return codec.Errorf("push", at, "content type is not a number below 0x80")
	default:
		p.ContentType = uint8(v.number)
	}
	return nil
}

// parameter reads one parameter of the content type.
func (r *wspReader) parameter(p *Push) error {
	name, err := r.value("parameter's name")
	if err != nil {
		return err
	}
	isSEC := !name.isText && name.number == paramSEC || name.isText && strings.EqualFold(string(name.bytes), "SEC")
	isMAC := !name.isText && name.number == paramMAC || name.isText && strings.EqualFold(string(name.bytes), "MAC")
	at := r.pos
	v, err := r.value("parameter's value")
	if err != nil {
		return err
	}
	switch {
	case isSEC:
		n := v.number
		if v.isText && len(v.bytes) == 1 && v.bytes[0] >= '0' {
			n = int(v.bytes[0] - '0')
		} else if v.isText {
			n = -1
		}
		if n < 0 || n > int(UserPINMAC) {
			return codec.Errorf("push", at, "SEC is not 0 to 3")
		}
		p.Signed, p.SEC = true, SEC(n)
	case isMAC:
		if !v.isText {
			return codec.Errorf("push", at, "MAC is not text")
		}
		p.Signed, p.MAC = true, strings.Trim(string(v.bytes), `"`)
	}
	return nil
}

// header reads one header, or a shift to another page of names.
func (r *wspReader) header(p *Push, page *uint8) error {
	at := r.pos
	switch c := r.b[at]; {
	case c == 0:
		return codec.Errorf("push", at, "header's name begins with NUL")
	case c <= longLength:
		*page = c
		r.pos++
		return nil
	case c == quote:
		if r.pos+1 >= r.end {
			return codec.Errorf("push", at, "headers end in a page shift")
		}
		*page = r.b[at+1]
		r.pos += 2
		return nil
	}
	name, err := r.value("header's name")
	if err != nil {
		return err
	}
	at = r.pos
	v, err := r.value("header's value")
	if err != nil {
		return err
	}
	isAppID := !name.isText && name.number == headerAppID && *page == 1 ||
		name.isText && strings.EqualFold(string(name.bytes), "X-Wap-Application-Id")
	if !isAppID {
		return nil
	}
	if v.isText {
		uri := strings.ToLower(string(v.bytes))
		p.AppID, p.HasAppID = appNames[strings.TrimPrefix(uri, "x-wap-application:")]
		return nil
	}
	if v.number < 0 || v.number > 0xFFFF {
		return codec.Errorf("push", at, "application id is not a number below 0x10000")
	}
	p.AppID, p.HasAppID = uint16(v.number), true
	return nil
}

// wspValue is a text or a number.
type wspValue struct {
	isText bool
	bytes  []byte
	number int // -1 where it takes more than four bytes; no value that we look at does
}

// value reads one value. How it begins says how it ends: a length, a text up to its NUL, or a single byte. A text may
// also run up to the end of the region, as some gateways leave its NUL out there.
func (r *wspReader) value(what string) (wspValue, error) {
	if r.pos >= r.end {
		return wspValue{}, codec.Errorf("push", r.pos, "headers end before the %s", what)
	}
	at := r.pos
	c := r.b[at]
	switch {
	case c >= shortInt:
		r.pos++
		return wspValue{number: int(c & 0x7F)}, nil
	case c <= longLength:
		n, err := r.valueLength()
		if err != nil {
			return wspValue{}, err
		}
		if n > r.end-r.pos {
			return wspValue{}, codec.Errorf("push", at, "%s of %d bytes, only %d left", what, n, r.end-r.pos)
		}
		v := wspValue{bytes: r.b[r.pos : r.pos+n]}
		if n <= 4 {
			for _, c := range v.bytes {
				v.number = v.number<<8 | int(c)
			}
		} else {
			v.number = -1
		}
		r.pos += n
		return v, nil
	case c == quote:
		at++
	}
	end := at
	for end < r.end && r.b[end] != 0 {
		end++
	}
	r.pos = min(end+1, r.end)
	return wspValue{isText: true, bytes: r.b[at:end]}, nil
}

func (r *wspReader) valueLength() (int, error) {
	c := r.b[r.pos]
	r.pos++
	if c < longLength {
		return int(c), nil
	}
	return r.uintvar("value's length")
}

func (r *wspReader) uintvar(what string) (int, error) {
	n := 0
	for i := r.pos; i < r.end && i < r.pos+5; i++ {
		n = n<<7 | int(r.b[i]&0x7F)
		if r.b[i]&0x80 == 0 {
			r.pos = i + 1
			return n, nil
		}
	}
	if r.end-r.pos < 5 {
		return 0, codec.Errorf("push", r.end, "headers end in the %s", what)
	}
	return 0, codec.Errorf("push", r.pos, "%s takes more than five bytes", what)
}
