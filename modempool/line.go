package modempool

// maxLine bounds a line from a modem, in characters. The longest that means something is a status report with its
// SMSC in hex, about 400; an echoed PDU has 350.
const maxLine = 1024

// token is what a modem says: a line without its end, or the prompt for a PDU.
type token struct {
	line   string
	prompt bool
}

// tokenizer cuts what a modem sends into tokens, however the bytes arrive.
//
// A line ends with CR, LF or both; empty lines are nothing. Control characters and bytes over 0x7E are dropped, so
// that line noise before an OK does not hide it. What exceeds maxLine is dropped up to the next line end.
//
// The prompt has no line end of its own ("\r\n> ", ">", "\r\n>\r\n"), so it can only be told where it is due: while
// prompt is set, a ">" that starts a line is a token, also one that follows echo on the same line.
type tokenizer struct {
	prompt bool
	echo   string // the command that may precede the prompt without a line end

	line []byte
	long bool // the rest of an over-long line is being dropped
}

// next reads up to the end of the first token in b. It returns the number of bytes it has taken; without a token that
// is all of b.
func (t *tokenizer) next(b []byte) (tok token, n int, ok bool) {
	for i, c := range b {
		switch {
		case c == '\r' || c == '\n':
			line := t.line
			t.line = t.line[:0]
			if t.long {
				t.long = false
				continue
			}
			for len(line) > 0 && line[len(line)-1] == ' ' {
				line = line[:len(line)-1]
			}
			if len(line) > 0 {
				return token{line: string(line)}, i + 1, true
			}
		case c < ' ' || c > '~':
			// noise
		case t.long:
			// dropped
		case c == ' ' && len(t.line) == 0:
			// the space of "> "
		case c == '>' && t.prompt && (len(t.line) == 0 || string(t.line) == t.echo):
			t.line = t.line[:0]
			t.prompt = false
			return token{prompt: true}, i + 1, true
		case len(t.line) == maxLine:
			t.line, t.long = t.line[:0], true
		default:
			t.line = append(t.line, c)
		}
	}
	return token{}, len(b), false
}
