package handset

import "fmt"

// Violation is something that the server did and should not have done.
type Violation struct {
	MSISDN  string
	Make    string
	Session string // SessionID; empty for what came by SMS
	MsgID   string // of the server's message
	Rule    Rule
	Reason  string
	Message []byte // the server's message as it came; at most 64 KiB of it
}

func (v *Violation) String() string {
	return fmt.Sprintf("%s (%s) session %s message %s: %s: %s", v.MSISDN, v.Make, v.Session, v.MsgID, v.Rule, v.Reason)
}

// Rule is what a server must keep to.
type Rule uint8

// Rules.
const (
	RuleSMS         Rule = iota // segments and ports (sections 5.2, 7.1)
	RulePush                    // push header and content type (section 6.1)
	RuleMAC                     // SEC and MAC (section 6.1)
	RuleDocument                // the bootstrap document (section 6.2)
	RuleHTTP                    // status codes and Retry-After (section 4)
	RuleContentType             // answer in the request's type, without parameters (trap 3)
	RuleLength                  // Content-Length, no Content-Encoding (trap 4)
	RuleSize                    // the handset's MaxMsgSize (section 2.2)
	RuleRepeat                  // the same message is answered the same way (section 4)
	RuleSyntax                  // a message that can be read
	RuleStyle                   // header style, VerDTD and VerProto of the request (section 1.2)
	RuleSessionID               // echoed as it is (trap 2)
	RuleMsgID                   // from 1, one more each time
	RuleTarget                  // Target is DevId, Source is there
	RuleRespURI                 // absolute, in every message (section 4)
	RuleNoResp                  // no NoResp in SyncHdr: results become unknowable
	RuleCred                    // the server's proof (section 3)
	RuleChallenge               // challenges: Chal present, statuses only (trap 12)
	RuleHMAC                    // x-syncml-hmac: there, good, no Cred, 200 each time (section 3)
	RuleNonce                   // a nonce is fresh, base64, and follows each MD5 proof
	RuleCmdID                   // there, unique in its message, not "0"
	RuleMsgRef                  // of a message that was sent
	RuleCmdRef                  // of a command in it that waits for a Status; Cmd names it
	RuleStatus                  // Status for SyncHdr first, none within Atomic and Sequence
	RuleMissing                 // every command of the handset gets a Status
	RuleFinal                   // Final where the package ends, and not before
	RuleTurn                    // no new commands while the handset has not answered the earlier ones
	RuleCommand                 // commands a server may send, with the parts they need
	RuleObject                  // large objects: chunks, Size, MoreData (section 2.2)
	RuleEndless                 // a session that does not end
	rules
)

var ruleNames = [rules]string{
	"SMS", "push", "MAC", "document", "HTTP", "Content-Type", "Content-Length", "MaxMsgSize", "repeated message", "syntax",
	"style", "SessionID", "MsgID", "Target", "RespURI", "NoResp", "server credential", "challenge", "x-syncml-hmac",
	"nonce", "CmdID", "MsgRef", "CmdRef", "Status", "missing Status", "Final", "turn", "command", "large object",
	"endless session",
}

func (r Rule) String() string { return ruleNames[r] }

const (
	maxViolations = 32      // that a handset keeps; the rest is counted
	maxKept       = 1 << 16 // bytes of a message
)

// blame records a violation outside sessions. The caller holds mu.
func (h *Handset) blame(r Rule, format string, args ...any) {
	h.keep(Violation{Rule: r, Reason: fmt.Sprintf(format, args...)})
}

func (h *Handset) keep(v Violation) {
	h.result.Violations++
	v.MSISDN, v.Make = h.MSISDN, h.Make.Name
	if len(h.violations) < maxViolations {
		h.violations = append(h.violations, v)
	}
	h.note(Violated, v.String())
}

// Violations are those that were kept, in the order in which they happened.
func (h *Handset) Violations() []Violation {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]Violation(nil), h.violations...)
}

// blame records a violation in the message that is being taken, or in the one just received where it can not be read.
func (s *session) blame(r Rule, format string, args ...any) {
	v := Violation{
		Session: s.id,
		MsgID:   string(s.in.Header.MsgID),
		Rule:    r,
		Reason:  fmt.Sprintf(format, args...),
		Message: append([]byte(nil), s.reply[:min(len(s.reply), maxKept)]...),
	}
	s.h.mu.Lock()
	s.h.keep(v)
	s.h.unlock()
}
