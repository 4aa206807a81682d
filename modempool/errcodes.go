package modempool

import "strings"

// meaning is what an error code says. The zero class is RetrySoon, which is also what an unlisted code means.
type meaning struct {
	class Class
	text  string
}

// cmsErrors are the causes of 24.011, annex E-2 (to 127), 23.040, section 9.2.3.22 (128 to 255), and 27.005, section
// 3.2.5 (from 300); from 512 on what makers say. Their classes are section 7.2's, but for those it does not name.
var cmsErrors = map[int]meaning{
	1:   {Never, "unassigned number"},
	8:   {Never, "operator determined barring"},
	10:  {Never, "call barred"},
	17:  {RetrySoon, "network failure"},
	21:  {Never, "short message transfer rejected"},
	22:  {RetryLater, "memory capacity exceeded"},
	27:  {RetryLater, "destination out of service"},
	28:  {Never, "unidentified subscriber"},
	29:  {RetrySoon, "facility rejected"},
	30:  {Never, "unknown subscriber"},
	38:  {RetryLater, "network out of order"},
	41:  {RetrySoon, "temporary failure"},
	42:  {RetrySoon, "congestion"},
	47:  {RetrySoon, "resources unavailable"},
	50:  {ModemFault, "requested facility not subscribed"},
	69:  {RetrySoon, "requested facility not implemented"},
	81:  {RetrySoon, "invalid short message reference"},
	95:  {RetrySoon, "invalid message"},
	96:  {RetrySoon, "invalid mandatory information"},
	97:  {RetrySoon, "message type not implemented"},
	98:  {RetrySoon, "message not compatible with protocol state"},
	99:  {RetrySoon, "information element not implemented"},
	111: {RetrySoon, "protocol error"},
	127: {RetrySoon, "interworking"},
	128: {Never, "telematic interworking not supported"},
	129: {Never, "short message type 0 not supported"},
	130: {Never, "cannot replace short message"},
	143: {Never, "unspecified TP-PID error"},
	144: {Never, "data coding scheme not supported"},
	145: {Never, "message class not supported"},
	159: {Never, "unspecified TP-DCS error"},
	160: {Never, "command cannot be actioned"},
	161: {Never, "command unsupported"},
	175: {Never, "unspecified TP-Command error"},
	176: {Never, "TPDU not supported"},
	192: {RetrySoon, "SC busy"},
	193: {ModemFault, "no SC subscription"},
	194: {RetrySoon, "SC system failure"},
	195: {Never, "invalid SME address"},
	196: {Never, "destination SME barred"},
	197: {Never, "SM rejected, duplicate"},
	198: {Never, "TP-VPF not supported"},
	199: {Never, "TP-VP not supported"},
	208: {RetrySoon, "SIM SMS storage full"},
	209: {RetrySoon, "no SMS storage in SIM"},
	210: {RetrySoon, "error in MS"},
	211: {RetrySoon, "memory capacity exceeded"},
	212: {RetrySoon, "SIM toolkit busy"},
	213: {RetrySoon, "SIM data download error"},
	255: {RetrySoon, "unspecified error"},
	300: {ModemFault, "ME failure"},
	301: {RetrySoon, "SMS service of ME reserved"},
	302: {RetrySoon, "operation not allowed"},
	303: {RetrySoon, "operation not supported"},
	304: {Never, "invalid PDU mode parameter"},
	305: {Never, "invalid text mode parameter"},
	310: {ModemFault, "SIM not inserted"},
	311: {ModemFault, "SIM PIN required"},
	312: {ModemFault, "PH-SIM PIN required"},
	313: {ModemFault, "SIM failure"},
	314: {RetrySoon, "SIM busy"},
	315: {ModemFault, "SIM wrong"},
	316: {ModemFault, "SIM PUK required"},
	317: {ModemFault, "SIM PIN2 required"},
	318: {ModemFault, "SIM PUK2 required"},
	320: {RetrySoon, "memory failure"},
	321: {RetrySoon, "invalid memory index"},
	322: {RetrySoon, "memory full"},
	330: {ModemFault, "SMSC address unknown"},
	331: {RetryLater, "no network service"},
	332: {RetrySoon, "network timeout"},
	340: {RetrySoon, "no +CNMA acknowledgement expected"},
	500: {RetrySoon, "unknown error"},
	512: {RetrySoon, "user abort or MM establishment failure"},
	513: {RetrySoon, "lower layer failure"},
	514: {RetrySoon, "CP error"},
	515: {RetrySoon, "please wait, service busy"},
}

// cmeErrors are those of 27.007, section 9.2, but for those of calls, packets and text that no command of ours meets.
var cmeErrors = map[int]meaning{
	0:   {ModemFault, "phone failure"},
	1:   {ModemFault, "no connection to phone"},
	2:   {ModemFault, "phone-adaptor link reserved"},
	3:   {RetrySoon, "operation not allowed"},
	4:   {RetrySoon, "operation not supported"},
	5:   {ModemFault, "PH-SIM PIN required"},
	6:   {ModemFault, "PH-FSIM PIN required"},
	7:   {ModemFault, "PH-FSIM PUK required"},
	10:  {ModemFault, "SIM not inserted"},
	11:  {ModemFault, "SIM PIN required"},
	12:  {ModemFault, "SIM PUK required"},
	13:  {ModemFault, "SIM failure"},
	14:  {RetrySoon, "SIM busy"},
	15:  {ModemFault, "SIM wrong"},
	16:  {ModemFault, "incorrect password"},
	17:  {ModemFault, "SIM PIN2 required"},
	18:  {ModemFault, "SIM PUK2 required"},
	20:  {RetrySoon, "memory full"},
	21:  {RetrySoon, "invalid index"},
	22:  {RetrySoon, "not found"},
	23:  {RetrySoon, "memory failure"},
	24:  {RetrySoon, "text string too long"},
	25:  {RetrySoon, "invalid characters in text string"},
	26:  {RetrySoon, "dial string too long"},
	27:  {RetrySoon, "invalid characters in dial string"},
	30:  {RetryLater, "no network service"},
	31:  {RetrySoon, "network timeout"},
	32:  {ModemFault, "network not allowed - emergency calls only"},
	40:  {ModemFault, "network personalization PIN required"},
	41:  {ModemFault, "network personalization PUK required"},
	42:  {ModemFault, "network subset personalization PIN required"},
	43:  {ModemFault, "network subset personalization PUK required"},
	44:  {ModemFault, "service provider personalization PIN required"},
	45:  {ModemFault, "service provider personalization PUK required"},
	46:  {ModemFault, "corporate personalization PIN required"},
	47:  {ModemFault, "corporate personalization PUK required"},
	48:  {ModemFault, "hidden key required"},
	49:  {RetrySoon, "EAP method not supported"},
	50:  {RetrySoon, "incorrect parameters"},
	51:  {RetrySoon, "command implemented but currently disabled"},
	52:  {RetrySoon, "command aborted by user"},
	53:  {RetryLater, "not attached to network due to MT functionality restrictions"},
	54:  {ModemFault, "modem not allowed - MT restricted to emergency calls only"},
	55:  {RetrySoon, "operation not allowed because of MT functionality restrictions"},
	100: {RetrySoon, "unknown"},
	103: {ModemFault, "illegal MS"},
	106: {ModemFault, "illegal ME"},
	111: {ModemFault, "PLMN not allowed"},
	112: {ModemFault, "location area not allowed"},
	113: {ModemFault, "roaming not allowed in this location area"},
}

// byText finds the code that a modem has put into words, as AT+CMEE=2 has it do and as some do always. 27.007 and
// 27.005 say the words; case and spaces differ between makers. Of two codes with the same words it is the lower.
func byText(table map[int]meaning, text string) (code int, ok bool) {
	plain := func(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }
	text = plain(text)
	for n, m := range table {
		if plain(m.text) == text && (!ok || n < code) {
			code, ok = n, true
		}
	}
	return code, ok
}
