package cp

// The token tables of ProvCont.

// Tags are the same on both pages.
const (
	tagDocument       = 0x05
	tagCharacteristic = 0x06
	tagParm           = 0x07
)

// Attribute starts without a value, the same on both pages save version, which is on page 0 alone.
const (
	attrName    = 0x05
	attrValue   = 0x06
	attrVersion = 0x45
	attrV10     = 0x46 // version="1.0"
	attrType    = 0x50
)

// An attribute start from 0x07 up stands for name="..." or type="..." as a whole. Page 1 came with ProvCont 1.1 and
// repeats some of page 0; either form means the same.
//
// DIRECTION, DNS-ADDRTYPE, APPREF and TO-APPREF are Nokia's own; they are read and never written.
var parmNames = [2][0x80]string{
	{
		0x07: "NAME", 0x08: "NAP-ADDRESS", 0x09: "NAP-ADDRTYPE", 0x0A: "CALLTYPE", 0x0B: "VALIDUNTIL",
		0x0C: "AUTHTYPE", 0x0D: "AUTHNAME", 0x0E: "AUTHSECRET", 0x0F: "LINGER", 0x10: "BEARER", 0x11: "NAPID",
		0x12: "COUNTRY", 0x13: "NETWORK", 0x14: "INTERNET", 0x15: "PROXY-ID", 0x16: "PROXY-PROVIDER-ID",
		0x17: "DOMAIN", 0x18: "PROVURL", 0x19: "PXAUTH-TYPE", 0x1A: "PXAUTH-ID", 0x1B: "PXAUTH-PW", 0x1C: "STARTPAGE",
		0x1D: "BASAUTH-ID", 0x1E: "BASAUTH-PW", 0x1F: "PUSHENABLED", 0x20: "PXADDR", 0x21: "PXADDRTYPE",
		0x22: "TO-NAPID", 0x23: "PORTNBR", 0x24: "SERVICE", 0x25: "LINKSPEED", 0x26: "DNLINKSPEED",
		0x27: "LOCAL-ADDR", 0x28: "LOCAL-ADDRTYPE", 0x29: "CONTEXT-ALLOW", 0x2A: "TRUST", 0x2B: "MASTER", 0x2C: "SID",
		0x2D: "SOC", 0x2E: "WSP-VERSION", 0x2F: "PHYSICAL-PROXY-ID", 0x30: "CLIENT-ID", 0x31: "DELIVERY-ERR-SDU",
		0x32: "DELIVERY-ORDER", 0x33: "TRAFFIC-CLASS", 0x34: "MAX-SDU-SIZE", 0x35: "MAX-BITRATE-UPLINK",
		0x36: "MAX-BITRATE-DNLINK", 0x37: "RESIDUAL-BER", 0x38: "SDU-ERROR-RATIO", 0x39: "TRAFFIC-HANDL-PRIO",
		0x3A: "TRANSFER-DELAY", 0x3B: "GUARANTEED-BITRATE-UPLINK", 0x3C: "GUARANTEED-BITRATE-DNLINK",
		0x3D: "PXADDR-FQDN", 0x3E: "PROXY-PW", 0x3F: "PPGAUTH-TYPE", 0x47: "PULLENABLED", 0x48: "DNS-ADDR",
		0x49: "MAX-NUM-RETRY", 0x4A: "FIRST-RETRY-TIMEOUT", 0x4B: "REREG-THRESHOLD", 0x4C: "T-BIT",
		0x4E: "AUTH-ENTITY", 0x4F: "SPI", 0x60: "DIRECTION", 0x61: "DNS-ADDRTYPE",
	},
	{
		0x07: "NAME", 0x14: "INTERNET", 0x1C: "STARTPAGE", 0x22: "TO-NAPID", 0x23: "PORTNBR", 0x24: "SERVICE",
		0x2E: "AACCEPT", 0x2F: "AAUTHDATA", 0x30: "AAUTHLEVEL", 0x31: "AAUTHNAME", 0x32: "AAUTHSECRET",
		0x33: "AAUTHTYPE", 0x34: "ADDR", 0x35: "ADDRTYPE", 0x36: "APPID", 0x37: "APROTOCOL", 0x38: "PROVIDER-ID",
		0x39: "TO-PROXY", 0x3A: "URI", 0x3B: "RULE", 0x3C: "APPREF", 0x3D: "TO-APPREF",
	},
}

var typeNames = [2][0x80]string{
	{
		0x51: "PXLOGICAL", 0x52: "PXPHYSICAL", 0x53: "PORT", 0x54: "VALIDITY", 0x55: "NAPDEF", 0x56: "BOOTSTRAP",
		0x57: "VENDORCONFIG", 0x58: "CLIENTIDENTITY", 0x59: "PXAUTHINFO", 0x5A: "NAPAUTHINFO", 0x5B: "ACCESS",
	},
	{
		0x53: "PORT", 0x55: "APPLICATION", 0x56: "APPADDR", 0x57: "APPAUTH", 0x58: "CLIENTIDENTITY", 0x59: "RESOURCE",
	},
}

// Values stand at their code less 0x80. The last four of page 1 are made to be joined, "DIGEST,BASIC". They are 0x90
// to 0x93: at 0x80 to 0x83, where libwbxml has them, they would be global tokens (trap 8).
var valueNames = [2][0x80]string{
	{
		0x05: "IPV4", 0x06: "IPV6", 0x07: "E164", 0x08: "ALPHA", 0x09: "APN", 0x0A: "SCODE", 0x0B: "TETRA-ITSI",
		0x0C: "MAN", 0x10: "ANALOG-MODEM", 0x11: "V.120", 0x12: "V.110", 0x13: "X.31", 0x14: "BIT-TRANSPARENT",
		0x15: "DIRECT-ASYNCHRONOUS-DATA-SERVICE", 0x1A: "PAP", 0x1B: "CHAP", 0x1C: "HTTP-BASIC", 0x1D: "HTTP-DIGEST",
		0x1E: "WTLS-SS", 0x1F: "MD5", 0x22: "GSM-USSD", 0x23: "GSM-SMS", 0x24: "ANSI-136-GUTS", 0x25: "IS-95-CDMA-SMS",
		0x26: "IS-95-CDMA-CSD", 0x27: "IS-95-CDMA-PACKET", 0x28: "ANSI-136-CSD", 0x29: "ANSI-136-GPRS",
		0x2A: "GSM-CSD", 0x2B: "GSM-GPRS", 0x2C: "AMPS-CDPD", 0x2D: "PDC-CSD", 0x2E: "PDC-PACKET", 0x2F: "IDEN-SMS",
		0x30: "IDEN-CSD", 0x31: "IDEN-PACKET", 0x32: "FLEX/REFLEX", 0x33: "PHS-SMS", 0x34: "PHS-CSD",
		0x35: "TETRA-SDS", 0x36: "TETRA-PACKET", 0x37: "ANSI-136-GHOST", 0x38: "MOBITEX-MPAK",
		0x39: "CDMA2000-1X-SIMPLE-IP", 0x3A: "CDMA2000-1X-MOBILE-IP", 0x45: "AUTOBAUDING", 0x4A: "CL-WSP",
		0x4B: "CO-WSP", 0x4C: "CL-SEC-WSP", 0x4D: "CO-SEC-WSP", 0x4E: "CL-SEC-WTA", 0x4F: "CO-SEC-WTA",
		0x50: "OTA-HTTP-TO", 0x51: "OTA-HTTP-TLS-TO", 0x52: "OTA-HTTP-PO", 0x53: "OTA-HTTP-TLS-PO", 0x60: "AAA",
		0x61: "HA",
	},
	{
		0x06: "IPV6", 0x07: "E164", 0x08: "ALPHA", 0x0D: "APPSRV", 0x0E: "OBEX", 0x10: ",", 0x11: "HTTP-",
		0x12: "BASIC", 0x13: "DIGEST",
	},
}

// enumerated are the parms whose values the standard lists. Only theirs are written as tokens: a password that reads
// "PAP" stays text.
var enumerated = set("NAP-ADDRTYPE", "CALLTYPE", "AUTHTYPE", "BEARER", "PXAUTH-TYPE", "PXADDRTYPE", "SERVICE",
	"LINKSPEED", "LOCAL-ADDRTYPE", "PPGAUTH-TYPE", "AUTH-ENTITY", "AAUTHLEVEL", "AAUTHTYPE", "ADDRTYPE")

// Codes by name, for the writer. What is left out of them is written by name, or from the other page, because clients
// are known that lack the token (section 1.5): Spreadtrum has no page 0 0x47 to 0x4C and no page 1 0x58; only Nokia
// has its own names; and page 0 is where every client looks for TO-NAPID.
var (
	parmCodes = [2]map[string]uint8{
		codes(&parmNames[0], 0x47, 0x48, 0x49, 0x4A, 0x4B, 0x4C, 0x60, 0x61),
		codes(&parmNames[1], 0x22, 0x3C, 0x3D),
	}
	typeCodes  = [2]map[string]uint8{codes(&typeNames[0]), codes(&typeNames[1], 0x58)}
	valueCodes = [2]map[string]uint8{codes(&valueNames[0]), codes(&valueNames[1])}
)

func codes(names *[0x80]string, without ...uint8) map[string]uint8 {
	m := make(map[string]uint8)
	for code, name := range names {
		if name != "" {
			m[name] = uint8(code)
		}
	}
	for _, code := range without {
		delete(m, names[code])
	}
	return m
}

func set(names ...string) map[string]bool {
	m := make(map[string]bool)
	for _, name := range names {
		m[name] = true
	}
	return m
}
