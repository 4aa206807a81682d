package handset

// An Event is something that happened to a handset.
type Event struct {
	Handset *Handset
	Kind    EventKind
	Detail  string // for people; may be empty
	Taken   Taken  // of AnswerTaken
}

// Taken is a Status or Results of the handset's, for a command of the server's, that the server has acknowledged: its
// reply to the message that carried it came, and took it. From there on the handset forgets it.
type Taken struct {
	Session        string
	MsgID          int    // of the message that carried it
	MsgRef, CmdRef string // the server's command
	Cmd            string // "Get"
	URI            string // its target; empty where the command has none
	IsValue        bool   // Results, with Data; else a Status, with Code
	Code           int
	Data           string
}

// EventKind is what happened.
type EventKind uint8

// Events.
const (
	GotSMS          EventKind = iota // one short message or segment
	GotPush                          // a whole push that is no bootstrap document; Detail says its content type
	GotDocument                      // a bootstrap document; Detail says how it is signed
	AskedPIN                         // the user is asked for the PIN
	WrongPIN                         // the PIN typed does not fit the document
	DroppedPush                      // a push or document was thrown away; Detail says why
	UserRefused                      // the user does not want the document, or whatever Detail says
	Bootstrapped                     // the document is applied: there is a DM account now
	SessionOpened                    // package 1 is on its way
	Authenticated                    // the server has accepted the handset's credential
	ServerVerified                   // the handset has accepted the server's credential
	MessageRepeated                  // a message was sent again as it was; Detail says why
	SessionClosed                    // the session came to its regular end
	SessionFailed                    // it did not; Detail says why
	Executed                         // an Exec was accepted; Detail is its LocURI
	AnswerTaken                      // the server has acknowledged an answer; Taken says which
	WorkDone                         // what an Exec asked for is carried out
	Configured                       // a document without an account is applied; Detail says what was in it
	Trusted                          // a certificate is in the trust list; Detail is its subject
	LinkShown                        // to the user; Detail is the link
	LinkOpened                       // and what lay there was taken
	LinkDead                         // what lay there could not be had; Detail says why
	Notified                         // a notification that is good came; Detail says for which session
	AskedSession                     // the user is asked whether it may be opened
	Violated                         // the server broke a rule; Detail says which
	eventKinds
)

var eventNames = [eventKinds]string{
	"sms", "push", "document", "asked for PIN", "wrong PIN", "dropped", "refused", "bootstrapped", "session opened",
	"authenticated", "server verified", "message repeated", "session closed", "session failed", "executed", "answer taken",
	"work done", "configured", "trusted", "link shown", "link opened", "dead link",
	"notified", "asked for session", "violation",
}

func (k EventKind) String() string { return eventNames[k] }
